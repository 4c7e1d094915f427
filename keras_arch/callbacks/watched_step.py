"""Watched step: a second form of the training step, which also returns what it measured.

    fit -> [due?] - no --> the step that Keras made, untouched
               \\-- yes -> the watched one: logs, measures

So what is not recorded costs nothing. In the watched form, calls of layers and optimizers
pass by taps while the step is traced; the arithmetic of the training is the same.
"""

import contextlib
import functools
import inspect
import threading
from collections.abc import Callable, Iterator
from typing import Any

import keras
from keras import ops

from keras_arch.callbacks.activation_taps import ActivationSums, active_layers
from keras_arch.callbacks.gradient_taps import Applied, GradientTap
from keras_arch.callbacks.optimizers import held_optimizers
from keras_arch.callbacks.tensor_norms import norms


class WatchedStep:
    """The training step of a model, with taps at the steps that are due.

    Args:
        model: Compiled model, whose ``train_function`` Keras has made.
        histograms: Whether to count the magnitudes of gradients.
        activations: Whether to measure what layers put out.

    Attributes:
        due: Whether the next step will be watched.
        measured: What the last watched step measured, by kind.
        applied: Of each call of an optimizer, its attribute and the variables.
        layers: Names of the layers whose activations were measured.
        weights: Variables whose norms were measured.
    """

    def __init__(self, model: keras.Model, histograms: bool, activations: bool) -> None:
        self.due = False
        self.measured: dict[str, Any] = {}
        self.applied: list[tuple[str, list[keras.Variable]]] = []
        self.layers: list[str] = []
        self.weights: list[keras.Variable] = []
        self._model = model
        self._attempt: Callable[..., Any]
        self._activations = activations and _activations_can_be_seen(model)
        self._on_jax = keras.backend.backend() == "jax"
        self._by_xla = self._on_jax or model.jit_compile
        self._gradients = GradientTap(histograms, self._by_xla)
        self._own_step = model.train_step
        self._seen = threading.local()  # the replicas of a strategy are threads
        self._patches = contextlib.ExitStack()
        self._entered = 0
        self._own = model.train_function
        self._watched = self._made()

    def is_of(self, model: keras.Model) -> bool:
        """Whether this is the step that a model takes: not, once it is compiled anew."""
        return model is self._model and model.train_function in (self._own, self._dispatch)

    def install(self, attempt: Callable[..., Any]) -> None:
        """Stand in for the model's training function.

        Args:
            attempt: Calls its first argument with the others, and lets no exception pass.
        """
        self._attempt = attempt
        self.due, self.measured = False, {}
        self._model.train_function = self._dispatch

    def remove(self) -> None:
        """Give the model its own training function back."""
        if self._model.train_function == self._dispatch:
            self._model.train_function = self._own

    def _made(self):
        """Return the training function that Keras makes of the watched step."""
        model = self._model
        with _replaced(model, "train_step", self._train_step):
            model.train_function = None
            try:
                model.make_train_function()
                return model.train_function
            finally:
                model.train_function = self._own

    def _dispatch(self, *arguments):
        if not self.due:
            return self._own(*arguments)
        self.due = False
        self.measured = {}
        try:
            result = self._watched(*arguments)
        except Exception as error:
            if isinstance(error, StopIteration) or _came_of_running(error):
                raise
            logs = self._own(*arguments)  # raises what is the model's own fault
            self._attempt(_fail, error)
            return logs
        if not self._on_jax:
            logs, self.measured = result
            return logs
        (logs, self.measured), state = result
        return logs, state

    def _train_step(self, *arguments):
        """The model's own step, and what was measured in it; runs while it is traced."""
        self._seen.now = seen = Seen({_level_now()})
        before = self._attempt(self._weights, arguments)
        with self._taps():
            result = self._own_step(*arguments)
        logs, state = result if self._on_jax else (result, None)
        after = self._attempt(self._weights, (state,))
        measured = self._attempt(self._summary, seen, before, after) or {}
        return ((logs, measured), state) if self._on_jax else (logs, measured)

    def _weights(self, arguments):
        """Return the weights as they are, each with its variable."""
        variables = self._model.trainable_variables
        if self._on_jax:
            return list(zip(variables, arguments[0][0], strict=True))
        import tensorflow as tf

        return [(variable, tf.identity(variable.value)) for variable in variables]

    def _summary(self, seen, before, after):
        """Return what was measured, as tensors, and remember whose it is."""
        measured = {}
        self.weights = [variable for variable, _ in before]
        if before:
            later = {id(variable): value for variable, value in after}
            values = [value for _, value in before]
            moves = [later[id(variable)] - value for variable, value in before]
            measured["weights"] = norms(values, self.weights, self._by_xla)
            measured["updates"] = norms(moves, self.weights, self._by_xla)
        self.applied = [(applied.attribute, applied.variables) for applied in seen.applied]
        for index, applied in enumerate(seen.applied):
            for kind in ("norms", "clipped", "magnitudes"):
                if getattr(applied, kind) is not None:
                    measured[f"{kind}/{index}"] = getattr(applied, kind)
        rows = seen.rows or {name: sums.row() for name, sums in seen.activations.items()}
        self.layers = list(rows)
        if rows:
            measured["activations"] = ops.stack(list(rows.values()))
        return measured

    @contextlib.contextmanager
    def _taps(self) -> Iterator[None]:
        """Tap optimizers and layers; replicas come and go in turn, and share the taps."""
        if self._entered == 0:
            self._attempt(self._tap)
        self._entered += 1
        try:
            yield
        finally:
            self._entered -= 1
            if self._entered == 0:
                self._patches.close()

    def _tap(self):
        for attribute, optimizer in held_optimizers(self._model).items():
            name = "stateless_apply" if self._on_jax else "apply"
            tap = functools.partial(self._apply, attribute, optimizer, getattr(optimizer, name))
            self._patches.enter_context(_replaced(optimizer, name, tap))
        if not self._activations:
            return
        for name, layer in active_layers(self._model).items():
            tap = functools.partial(self._call, name, layer.call)
            self._patches.enter_context(_replaced(layer, "call", tap))
        if self._on_jax:
            for name, tap in (
                ("compute_loss_and_updates", self._carry),
                ("_update_metrics_variables", self._unload),
            ):
                tap = functools.partial(tap, getattr(self._model, name))
                self._patches.enter_context(_replaced(self._model, name, tap))

    def _apply(self, attribute, optimizer, apply, *arguments, **named):
        call = inspect.signature(apply).bind(*arguments, **named).arguments
        call["grads"] = list(call["grads"])
        if call.get("trainable_variables") is not None:
            call["trainable_variables"] = list(call["trainable_variables"])
        self._attempt(self._see_gradients, attribute, optimizer, call)
        return apply(**call)

    def _see_gradients(self, attribute, optimizer, call):
        states = call.get("optimizer_variables", ())
        owners = None if self._on_jax else call.get("trainable_variables")
        with keras.StatelessScope(list(zip(optimizer.variables, states, strict=False))):
            found = self._gradients.measured(attribute, optimizer, call["grads"], owners)
        if found is not None:
            self._seen.now.applied.append(found)

    def _call(self, name, call, *arguments, **named):
        output = call(*arguments, **named)
        self._attempt(self._see_activation, name, output)
        return output

    def _see_activation(self, name, output):
        seen = self._seen.now
        if ops.is_tensor(output) and output.ndim > 1 and _level(output) in seen.levels:
            seen.activations.setdefault(name, ActivationSums()).see(output)

    def _carry(self, compute, *arguments, **named):
        """On JAX: take the activations along, out of the function that is differentiated."""
        seen = self._seen.now
        seen.levels = {_level(leaf) for leaf in keras.tree.flatten((arguments, named))}
        loss, (unscaled, predicted, states, metrics) = compute(*arguments, **named)
        rows = self._attempt(lambda: {name: s.row() for name, s in seen.activations.items()})
        return loss, (unscaled, predicted, states, [*metrics, rows or {}])

    def _unload(self, update, metrics, *arguments, **named):
        *metrics, self._seen.now.rows = metrics
        return update(metrics, *arguments, **named)


class Seen:
    """What the taps saw in one step.

    Attributes:
        applied: What the optimizers were given.
        activations: What the layers put out, by name.
        rows: The same, ready: on JAX, where it has to leave the differentiated function.
        levels: Graphs or traces of the step itself: tensors of a loop inside are of another.
    """

    def __init__(self, levels: set) -> None:
        self.levels = levels
        self.applied: list[Applied] = []
        self.activations: dict[str, ActivationSums] = {}
        self.rows: dict[str, Any] = {}


@contextlib.contextmanager
def _replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    """Replace an attribute on the instance, past Keras's own setter, which would track it."""
    kept = vars(owner).get(name)
    object.__setattr__(owner, name, value)
    try:
        yield
    finally:
        if kept is None:
            object.__delattr__(owner, name)
        else:
            object.__setattr__(owner, name, kept)


def _level_now():
    """Return the graph that is made; ``None`` without one, and on JAX."""
    if keras.backend.backend() != "tensorflow":
        return None
    import tensorflow as tf

    return None if tf.executing_eagerly() else tf.compat.v1.get_default_graph()


def _level(tensor):
    """Return the graph or the trace that a tensor belongs to."""
    return getattr(tensor, "_trace" if keras.backend.backend() == "jax" else "graph", None)


def _activations_can_be_seen(model):
    """On JAX, only in Keras's own step: they leave the differentiated function with its metrics."""
    return keras.backend.backend() == "tensorflow" or all(
        getattr(type(model), name) is getattr(keras.Model, name)
        for name in ("train_step", "compute_loss_and_updates", "_update_metrics_variables")
    )


def _came_of_running(error):
    """Whether an error is of the running step, and not of its making."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return isinstance(error, tf.errors.OpError)
    import jax

    return isinstance(error, jax.errors.JaxRuntimeError)


def _fail(error):
    raise error
