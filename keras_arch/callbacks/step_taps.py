"""Step taps: calls of optimizers and layers leave word while a training step is traced.

An attribute is replaced on the instance, and given back when the step is traced: nothing
stays behind, and nothing is added to a layer or an optimizer.
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
from keras_arch.callbacks.gradient_taps import Applied, applied
from keras_arch.callbacks.optimizers import held_optimizers
from keras_arch.replaced import replaced


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


class StepTaps:
    """Taps on the optimizers of a model, and on its layers.

    Args:
        model: Compiled model.
        activations: Whether to tap layers.
        attempt: Calls its first argument with the others, and lets no exception pass.
    """

    def __init__(self, model: keras.Model, activations: bool, attempt: Callable[..., Any]) -> None:
        self._model = model
        self._activations = activations and _activations_can_be_seen(model)
        self._attempt = attempt
        self._on_jax = keras.backend.backend() == "jax"
        self._seen = threading.local()  # the replicas of a strategy are threads
        self._patches = contextlib.ExitStack()
        self._entered = 0

    @contextlib.contextmanager
    def attached(self) -> Iterator[Seen]:
        """Tap one training step; replicas come and go in turn, and share the taps."""
        if self._entered == 0:
            self._attempt(self._attach)
        self._entered += 1
        self._seen.now = Seen({_level_now()})
        try:
            yield self._seen.now
        finally:
            self._entered -= 1
            if self._entered == 0:
                self._patches.close()

    def _attach(self):
        apply = "stateless_apply" if self._on_jax else "apply"
        taps = [
            (optimizer, apply, functools.partial(self._apply, attribute, optimizer))
            for attribute, optimizer in held_optimizers(self._model).items()
        ]
        if self._activations:
            taps += [
                (layer, "call", functools.partial(self._call, name))
                for name, layer in active_layers(self._model).items()
            ]
            if self._on_jax:
                taps.append((self._model, "compute_loss_and_updates", self._carry))
                taps.append((self._model, "_update_metrics_variables", self._unload))
        self._patches.enter_context(
            replaced(
                [
                    (owner, name, functools.partial(tap, getattr(owner, name)))
                    for owner, name, tap in taps
                ]
            )
        )

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
        inner = getattr(optimizer, "inner_optimizer", optimizer)
        if isinstance(inner, keras.optimizers.MultiOptimizer) and not optimizer.built and owners:
            optimizer.build(owners)  # as it is about to: before, it cannot tell whose each one is
        with keras.StatelessScope(list(zip(optimizer.variables, states, strict=False))):
            found = applied(attribute, optimizer, call["grads"], owners)
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
