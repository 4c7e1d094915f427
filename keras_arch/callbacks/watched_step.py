"""Watched step: a second form of the training step, which also returns what it measured.

    fit -> due? - no --> the step that Keras made, untouched
                - yes -> the watched one: logs, measures

So what is not recorded costs nothing, and nothing stays behind where training is interrupted:
the watched form stands in the model for the one step that is due. In it, calls of layers and
optimizers pass by taps while the step is traced; the arithmetic of the training is the same.

Replicas of ``tf.distribute`` return their parts, which Keras averages, and the measures are
taken of the averages, after the step: a sum over replicas inside of it could be taken for one
of the training's own, since TensorFlow tells such sums apart by the order of their captures.
"""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from keras_arch.callbacks import activation_taps
from keras_arch.callbacks.kernel_layers import is_kernel
from keras_arch.callbacks.step_taps import Seen, StepTaps
from keras_arch.callbacks.tensor_norms import Rows, magnitudes, norms
from keras_arch.replaced import replaced


class WatchedStep:
    """The training step of a model, with taps at the steps that are due.

    Args:
        model: Compiled model, whose ``train_function`` Keras has made.
        histograms: Whether to count the magnitudes of gradients.
        activations: Whether to measure what layers put out.

    Attributes:
        measured: What the last watched step measured, by kind.
        applied: Of each call of an optimizer, its attribute and the variables.
        layers: Names of the layers whose activations were measured.
        weights: Variables whose norms were measured.
    """

    def __init__(self, model: keras.Model, histograms: bool, activations: bool) -> None:
        self.measured: dict[str, Any] = {}
        self.applied: list[tuple[str, list[keras.Variable]]] = []
        self.layers: list[str] = []
        self.weights: list[keras.Variable] = []
        self._model = model
        self._histograms = histograms
        self._attempt: Callable[..., Any]
        self._on_jax = keras.backend.backend() == "jax"
        self._by_xla = self._on_jax or model.jit_compile
        self._replicas = 1 if self._on_jax else model.distribute_strategy.num_replicas_in_sync
        self._taps = StepTaps(model, activations, lambda *call: self._attempt(*call))
        self._clipped: list[list[keras.Variable]] = []  # of each call of an optimizer
        self._own_step = model.train_step
        self._own = model.train_function
        self._watched = self._made()

    def is_of(self, model: keras.Model) -> bool:
        """Whether this is the step that a model takes: not, once it is compiled anew."""
        return model is self._model and model.train_function is self._own

    def begin(self, attempt: Callable[..., Any]) -> None:
        """Begin a training.

        Args:
            attempt: Calls its first argument with the others, and lets no exception pass.
        """
        self._attempt = attempt
        self.measured = {}

    def arm(self) -> None:
        """Have the next step watched."""
        self._model.train_function = self._run

    @staticmethod
    def disarm(model: keras.Model) -> None:
        """Give a model its own training function back, if it was armed and never ran."""
        armed = getattr(model.train_function, "__self__", None)
        if isinstance(armed, WatchedStep):
            model.train_function = armed._own

    def _made(self):
        """Return the training function that Keras makes of the watched step."""
        model = self._model
        with replaced([(model, "train_step", self._train_step)]):
            model.train_function = None
            try:
                model.make_train_function()
                return model.train_function
            finally:
                model.train_function = self._own

    def _run(self, *arguments):
        self._model.train_function = self._own
        self.measured = {}
        try:
            result = self._watched(*arguments)
        except Exception as error:
            if isinstance(error, StopIteration) or _came_of_running(error):
                raise
            logs = self._own(*arguments)  # raises what is the model's own fault
            self._attempt(_fail, error)
            return logs
        (logs, parts), *state = result if self._on_jax else [result]
        self.measured = parts if self._replicas == 1 else self._attempt(self._measures, parts) or {}
        return (logs, *state) if self._on_jax else logs

    def _train_step(self, *arguments):
        """The model's own step, and what was measured in it; runs while it is traced."""
        before = self._attempt(self._weights, arguments)
        with self._taps.attached() as seen:
            result = self._own_step(*arguments)
        logs, *state = result if self._on_jax else [result]
        after = self._attempt(self._weights, state)
        parts = self._attempt(self._parts, seen, before, after) or {}
        if self._replicas == 1:
            parts = self._attempt(self._measures, parts) or {}
        return ((logs, parts), *state) if self._on_jax else (logs, parts)

    def _weights(self, arguments):
        """Return the weights as they are, each with its variable."""
        variables = self._model.trainable_variables
        if self._on_jax:
            return list(zip(variables, arguments[0][0], strict=True))
        import tensorflow as tf

        return [(variable, tf.convert_to_tensor(variable.value)) for variable in variables]

    def _parts(self, seen: Seen, before, after):
        """Return what was seen, as tensors, and remember whose it is."""
        parts = {}
        self.weights = [variable for variable, _ in before]
        if before:
            later = {id(variable): value for variable, value in after}
            joined = Rows(self.weights, self._by_xla)
            values = joined.join([value for _, value in before])
            moved = joined.join([later[id(variable)] for variable in self.weights])
            moves = [new - old for new, old in zip(moved, values, strict=True)]
            parts["weights"], parts["updates"] = joined.norms(values), joined.norms(moves)
        self.applied = [(call.attribute, call.variables) for call in seen.applied]
        self._clipped = [call.clipped_variables for call in seen.applied]
        for kind in ("gradients", "before", "after"):
            parts[kind] = tuple(
                tuple(map(self._whole, getattr(call, kind))) for call in seen.applied
            )
        rows = seen.rows or {name: sums.row() for name, sums in seen.activations.items()}
        self.layers = list(rows)
        parts["activations"] = tuple(map(tuple, rows.values()))
        return parts

    def _whole(self, gradient):
        """Return what can be averaged over replicas: rows of a sparse gradient cannot."""
        return gradient if self._replicas == 1 else ops.convert_to_tensor(gradient)

    def _measures(self, parts):
        """Return the measures of parts, or of their averages over replicas."""
        measured = {kind: parts[kind] for kind in ("weights", "updates") if kind in parts}
        for index, (_, variables) in enumerate(self.applied):
            gradients = self._summed(parts["gradients"][index])
            measured[f"norms/{index}"] = norms(gradients, variables, self._by_xla)
            kernels = [
                pair for pair in zip(gradients, variables, strict=True) if is_kernel(pair[1])
            ]
            if self._histograms and kernels:
                measured[f"magnitudes/{index}"] = magnitudes(*zip(*kernels, strict=True))
            if self._clipped[index]:
                both = [self._summed(parts[kind][index]) for kind in ("before", "after")]
                rows = [norms(each, self._clipped[index], self._by_xla) for each in both]
                measured[f"clipped/{index}"] = ops.stack(rows)
        if self.layers:
            rows = [activation_taps.summary(row) for row in parts["activations"]]
            measured["activations"] = ops.stack(rows)
        return measured

    def _summed(self, averages):
        return averages if self._replicas == 1 else [self._replicas * part for part in averages]


def _came_of_running(error):
    """Whether an error is of the running step, and not of its making."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return isinstance(error, tf.errors.OpError)
    import jax

    return isinstance(error, jax.errors.JaxRuntimeError)


def _fail(error):
    raise error
