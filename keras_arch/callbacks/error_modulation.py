"""Error modulation: the error that passes back through a deep net keeps its size.

Xie, Xiong, Pu. All You Need is Beyond a Good Init: Exploring Better Solution for Training
Extremely Deep Convolutional Neural Networks with Orthonormality and Modulation. CVPR 2017.
https://arxiv.org/abs/1703.01827

    loss -> error q_L -> [* rho_L-1] -> q_L-1 -> [* rho_L-2] -> ... -> q_1

Back-propagation is linear in the error. So to multiply it between layers is to multiply the
gradients of each layer by the product of all factors above it: here, by ||q_L|| / ||q_l||.
"""

from typing import Any

import keras
import numpy as np

from keras_arch.callbacks.kernel_layers import is_kernel
from keras_arch.errors import invalid, require_backend


class ErrorModulation(keras.callbacks.Callback):
    """Gives the errors of all layers the size of the last one's, measured at intervals.

    Every so many steps, the error at the output of each convolution or dense layer is
    measured on some examples; until the next time, the gradients that reach the optimizer
    are multiplied, layer by layer, so as if the error had kept its norm on its way. It is a
    rate of each layer's own, and does nothing for optimizers that divide it out (Adam). The
    measure leaves statistics and seeds as they were.

    Args:
        examples: ``(inputs, targets)`` to measure on, such as one batch.
        every: Steps from measure to measure.
        limit: The largest factor, and one over the least.

    Raises:
        ValueError: If ``every`` or ``limit`` is below 1.
        RuntimeError: If Keras does not run on TensorFlow.

    Attributes:
        factors: Of each layer, by name, since the last measure.

    Example:

    >>> examples = keras.ops.zeros((8, 32, 32, 3)), keras.ops.zeros(8)
    >>> ErrorModulation(examples, every=50).every
    50
    """

    def __init__(self, examples: tuple[Any, Any], every: int = 100, limit: float = 1e3) -> None:
        super().__init__()
        require_backend("`ErrorModulation`", "tensorflow")
        for argument, value in (("every", every), ("limit", limit)):
            if not value >= 1:
                raise invalid(argument, "a number of at least 1", value)
        self.examples = examples
        self.every = every
        self.limit = limit
        self.factors: dict[str, float] = {}

    def set_model(self, model: keras.Model) -> None:
        """Scale what reaches the optimizer; before Keras makes the training step."""
        import tensorflow as tf

        super().set_model(model)
        layers = [layer for layer in model.layers if layer.trainable_weights]
        self._owners = [layer for layer in layers if is_kernel(layer.trainable_weights[0])]
        self._scales = tf.Variable(tf.ones(len(self._owners)), trainable=False)
        outputs = [layer.output for layer in self._owners]
        self._probe = keras.Model(model.input, [*outputs, model.output])
        self._measured = False
        places: dict[int, int] = {}
        place = 0  # normalization belongs to the layer before it
        for layer in layers:
            place = self._owners.index(layer) if layer in self._owners else place
            places |= {id(variable): place for variable in layer.trainable_weights}
        optimizer = model.optimizer

        def apply(grads, trainable_variables=None):
            variables = trainable_variables or optimizer._trainable_variables
            scaled = [
                g if g is None else g * tf.cast(self._scales[places[id(v)]], g.dtype)
                for g, v in zip(grads, variables, strict=True)
            ]
            return type(optimizer).apply(optimizer, scaled, trainable_variables)

        object.__setattr__(optimizer, "apply", apply)  # past Keras's, which would track it
        model.train_function = None

    def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        if not self._measured or int(self.model.optimizer.iterations) % self.every == 0:
            self._measured = True
            norms = self.measure()
            last = norms[np.isfinite(norms)][-1]
            wanted = last / np.maximum(norms, np.finfo("float32").tiny)
            wanted = np.nan_to_num(wanted, nan=1.0, posinf=1.0)
            self._scales.assign(np.clip(wanted, 1 / self.limit, self.limit))
            names = [layer.name for layer in self._owners]
            self.factors = dict(zip(names, self._scales.numpy().tolist(), strict=True))

    def on_train_end(self, logs: dict | None = None) -> None:
        object.__delattr__(self.model.optimizer, "apply")
        self.model.train_function = None

    def measure(self) -> np.ndarray:
        """Return the norm of the error at the output of each layer with a kernel.

        It is NaN where the loss passes by: Keras computes a cross-entropy from the logits
        that a softmax keeps.
        """
        import tensorflow as tf

        model = self.model
        kept = [(v, tf.identity(v.value)) for v in model.variables if not v.trainable]
        inputs, targets = self.examples
        with tf.GradientTape() as tape:
            *outputs, predicted = self._probe(inputs, training=True)
            loss = model.compute_loss(inputs, targets, predicted)
        errors = tape.gradient(loss, outputs)
        for variable, value in kept:
            variable.assign(value)
        return np.array(
            [
                np.nan if error is None else float(tf.norm(tf.cast(error, tf.float64)))
                for error in errors
            ]
        )
