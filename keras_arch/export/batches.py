"""Batches of a model's inputs: those given, or zeros."""

from typing import Any

import keras
import numpy as np

from keras_arch.errors import invalid
from keras_arch.export.names import names

_FREE = 32  # size that a warm-up gives to a dimension of any size


def examples(model: keras.Model, warmup: Any) -> list[np.ndarray]:
    """Inputs of a model to warm up with, flat: those given, or zeros."""
    if warmup is not None:
        return arrays(model, warmup, "warmup")
    batch = model.inputs[0].shape[0] or 1
    shapes = [(batch, *(size or _FREE for size in x.shape[1:])) for x in model.inputs]
    return arrays(model, [np.zeros(shape) for shape in shapes], "warmup")


def arrays(model: keras.Model, given: Any, argument: str) -> list[np.ndarray]:
    """A batch as the inputs of a model, flat and of their types."""
    flat = keras.tree.flatten(given)
    declared = dict(zip(names(model.input, "inputs"), model.inputs, strict=True))
    fitting = len(flat) == len(declared) and all(
        len(np.shape(array)) == len(tensor.shape)
        for array, tensor in zip(flat, declared.values(), strict=True)
    )
    if not fitting or len({np.shape(array)[0] for array in flat}) != 1:
        shapes = {name: tuple(tensor.shape) for name, tensor in declared.items()}
        raise invalid(argument, f"arrays of one batch for the inputs {shapes}", given)
    return [
        keras.ops.convert_to_numpy(keras.ops.cast(array, tensor.dtype))
        for array, tensor in zip(flat, model.inputs, strict=True)
    ]
