"""Rosenblatt's rule: after a mistake, move the plane by the example; else leave it.

Rosenblatt. The Perceptron: A Probabilistic Model for Information Storage and Organization in
the Brain. Psychological Review 1958. https://doi.org/10.1037/h0042519

    w <- w + (y - output) x

Novikoff. On Convergence Proofs on Perceptrons. Symposium on the Mathematical Theory of
Automata 1962. If some unit vector separates the examples by a margin ``gamma``, and none is
longer than ``R`` (both with a 1 appended for the bias), a perceptron that starts at zero
makes at most ``(R / gamma)^2`` mistakes, in whatever order, however often they come.
"""

from typing import Any

import keras
from keras import ops

from keras_arch.errors import invalid, require_backend
from keras_arch.registry import register


@register(
    paper="The Perceptron: A Probabilistic Model for Information Storage and Organization in "
    "the Brain",
    authors="Rosenblatt",
    year=1958,
    url="https://doi.org/10.1037/h0042519",
    journal="Psychological Review",
)
class PerceptronRule(keras.Model):
    """Trains the last layer of a perceptron, one example after the other.

    ``fit`` takes vectors and labels of 0 and 1, ``(B, units)`` or, for one unit, ``(B,)``.
    The examples of a batch are taken in their order, so ``batch_size`` changes nothing but
    the speed, and ``shuffle=False`` keeps the order of the data. The log ``mistakes``
    counts those of an epoch, at all units; once it is 0 nothing changes any more. A sum of
    exactly zero, as all are at the start, is undecided, and a mistake for either label, as
    the proof counts it. Training and evaluation run on TensorFlow.

    Args:
        perceptron: A functional model whose layer ``head`` is a ``keras.layers.Dense`` and
            its output, such as ``models.Perceptron``; what stands before it is not trained.
        **kwargs: ``name`` and so on of ``keras.Model``.

    Raises:
        ValueError: If the model has no such head.

    Example:

    >>> x, y = keras.ops.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), keras.ops.array([0, 0, 0, 1])
    >>> model = PerceptronRule(keras_arch.models.Perceptron(features=2))
    >>> model.compile()
    >>> history = model.fit(x, y, epochs=10, shuffle=False, verbose=0)
    >>> history.history["mistakes"][-1]
    0.0
    >>> model.predict(x, verbose=0).ravel()
    array([0., 0., 0., 1.], dtype=float32)
    """

    def __init__(self, perceptron: keras.Model, **kwargs: Any):
        super().__init__(**kwargs)
        names = [layer.name for layer in perceptron.layers]
        if "head" not in names or not isinstance(perceptron.get_layer("head"), keras.layers.Dense):
            raise invalid("perceptron", "a model whose layer `head` is `Dense`", perceptron)
        self.perceptron = perceptron
        self.head = perceptron.get_layer("head")
        self.before = keras.Model(perceptron.inputs, self.head.input, name="before_head")
        self.mistakes = keras.metrics.Sum(name="mistakes")
        self.built = True

    def call(self, inputs, training=False):
        return self.perceptron(inputs, training=training)

    def compile(
        self,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: bool | str = "auto",
    ):
        """Make ready for ``fit``: the rule has no optimizer, no loss and no rate."""
        super().compile(
            optimizer=None,
            run_eagerly=run_eagerly,
            steps_per_execution=steps_per_execution,
            jit_compile=jit_compile,
        )

    def get_compile_config(self):
        return None

    @property
    def metrics(self):
        return [self.mistakes]

    def make_train_function(self, force=False):
        require_backend("The perceptron's rule", "tensorflow")
        return super().make_train_function(force)

    def make_test_function(self, force=False):
        require_backend("The perceptron's rule", "tensorflow")
        return super().make_test_function(force)

    def train_step(self, data):
        x, label = self._examples(data)

        def learn(index, state):
            kernel, bias, mistakes = state
            one, its = ops.take(x, index, axis=0), ops.take(label, index, axis=0)
            wrong = self._wrong(one, its, kernel, bias)
            move = its * wrong  # y - output
            return kernel + ops.outer(one, move), bias + move, mistakes + ops.sum(wrong)

        start = (self.head.kernel.value, self.head.bias.value, ops.zeros((), x.dtype))
        kernel, bias, mistakes = ops.fori_loop(0, ops.shape(x)[0], learn, start)
        self.head.kernel.assign(kernel)
        self.head.bias.assign(bias)
        self.mistakes.update_state(mistakes)
        return self.get_metrics_result()

    def test_step(self, data):
        x, label = self._examples(data)
        self.mistakes.update_state(self._wrong(x, label, self.head.kernel, self.head.bias))
        return self.get_metrics_result()

    def _examples(self, data):
        """What the head reads, ``(B, F)``, and labels of plus and minus one, ``(B, units)``."""
        x, y, _ = keras.utils.unpack_x_y_sample_weight(data)
        x = ops.cast(self.before(x, training=False), self.head.kernel.dtype)
        y = ops.reshape(ops.cast(y, x.dtype), (-1, self.head.units))
        return x, 2 * y - 1

    @staticmethod
    def _wrong(x, label, kernel, bias):
        """One for each mistake, ``(..., units)``."""
        return ops.cast(label * (ops.matmul(x, kernel) + bias) <= 0, x.dtype)

    def get_config(self):
        return {
            **super().get_config(),
            "perceptron": keras.saving.serialize_keras_object(self.perceptron),
        }

    @classmethod
    def from_config(cls, config):
        perceptron = keras.saving.deserialize_keras_object(config["perceptron"])
        return cls(**{**config, "perceptron": perceptron})
