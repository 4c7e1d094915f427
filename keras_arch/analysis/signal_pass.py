"""A pass through a model as training makes it, where each call can be seen and changed.

Dropout rests, recurrent layers take their steps one by one, and the model is left as it was.
"""

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import keras
from keras import layers

from keras_arch.analysis.watched_calls import Around, watched_calls
from keras_arch.replaced import replaced

Key = tuple[str, int]  # path of a layer, and which of its calls
Tap = Callable[[Key, Any], Any]


def passed(
    model: keras.Model, inputs: Any, around: Around, values: list[tuple[keras.Variable, Any]]
) -> Any:
    """Let a batch through with ``around`` at each call, and return the outputs.

    Args:
        model: The model; afterwards it is as it was.
        inputs: The batch.
        around: As ``watched_calls`` takes it.
        values: Variables, and the values that they have in this pass.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(_attributes_kept(model))
        stack.enter_context(_unrolled(model))
        stack.enter_context(watched_calls(model, around))
        stack.enter_context(keras.StatelessScope(values, collect_losses=True))
        return model(inputs, training=False)


def pass_through(
    model: keras.Model,
    inputs: Any,
    tap: Tap,
    keys: set[Key],
    training: bool,
    values: list[tuple[keras.Variable, Any]],
    without: keras.layers.Layer | None,
) -> Any:
    """Let a batch through, its tensors through ``tap``, and return the outputs.

    Args:
        model: The model.
        inputs: The batch.
        tap: ``tap(key, tensor)`` gives the tensor that goes on.
        keys: The calls whose tensors are tapped.
        training: Whether batch normalization takes the statistics of the batch.
        values: Variables, and the values that they have in this pass.
        without: A layer whose softmax or sigmoid is left out.
    """
    counts: Counter[str] = Counter()

    def around(path, layer, call, args, kwargs):
        key = path, counts[path]
        counts[path] += 1
        if training and isinstance(layer, layers.BatchNormalization):
            kwargs = {**kwargs, "training": True}
        passes = layer is without and isinstance(layer, layers.Softmax)
        outputs = args[0] if passes else call(*args, **kwargs)
        if key not in keys:
            return outputs
        first = floats(outputs)[0]
        tapped = tap(key, first)
        return keras.tree.map_structure(lambda x: tapped if x is first else x, outputs)

    linear = [(without, "activation", keras.activations.linear)]
    with replaced(linear if without is not None and "activation" in vars(without) else []):
        return passed(model, inputs, around, values)


def ends_in_probabilities(layer: keras.layers.Layer | None) -> bool:
    """Whether a layer ends in a softmax or sigmoid, before which the logits stand."""
    if isinstance(layer, layers.Softmax):
        return True
    ends = (keras.activations.softmax, keras.activations.sigmoid)
    return layer is not None and vars(layer).get("activation") in ends


def is_float(tensor: Any) -> bool:
    """Whether these are floating-point numbers."""
    return "float" in keras.backend.standardize_dtype(tensor.dtype)


def floats(structure: Any) -> list[Any]:
    """The floating-point tensors in a structure."""
    flat = (x for x in keras.tree.flatten(structure) if hasattr(x, "dtype"))
    return [x for x in flat if is_float(x) and len(x.shape) >= 1]


@contextlib.contextmanager
def _attributes_kept(model: keras.Model) -> Iterator[None]:
    """Whatever layers note in themselves while they are called is forgotten."""
    found = list(model._flatten_layers())
    kept = [(layer, dict(vars(layer)), list(layer._losses)) for layer in found]
    try:
        yield
    finally:
        for layer, before, losses in kept:
            vars(layer).clear()
            vars(layer).update(before)
            layer._losses[:] = losses


@contextlib.contextmanager
def _unrolled(model: keras.Model) -> Iterator[None]:
    """While it lasts, recurrent layers take one step after the other, where each can be seen."""
    found = [layer for layer in model._flatten_layers() if isinstance(layer, layers.RNN)]
    settings = [(layer, "unroll", True) for layer in found]
    settings += [(layer, "use_cudnn", False) for layer in found if hasattr(layer, "use_cudnn")]
    with replaced(settings):
        yield
