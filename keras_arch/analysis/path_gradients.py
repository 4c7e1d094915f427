"""Gradients along paths: what comes back to a place, apart by the kernels that it passed."""

import functools
from collections.abc import Mapping

import keras
import numpy as np
from keras import ops

from keras_arch.analysis.signal_flow import kernels_of
from keras_arch.analysis.signal_pass import is_float
from keras_arch.errors import invalid


def has_kernel(operation):
    """Whether an operation is, or has in it, a layer with a kernel."""
    inner = getattr(operation, "_flatten_layers", list)()
    return any(kernels_of(layer) for layer in inner)


def batch_values(model, steps, batch):
    """What the model computes of a batch at each place."""
    values = _inputs(model, batch)
    with keras.StatelessScope(collect_losses=True):
        for step in steps:
            values.update(zip(step.gives, step(values), strict=True))
    return values


def gradients_by_length(steps, values, paths, first, last, seed):
    """The gradient at ``first`` by the paths of each length, of a random projection of ``last``."""
    shape = tuple(values[last].shape)
    weights = np.random.default_rng(seed).standard_normal(shape, dtype="float32")
    projection = ops.convert_to_tensor(weights / shape[0] ** 0.5, values[last].dtype)
    back = {last: {0: projection}}
    for step in reversed(steps):
        reads = [place for place in step.often if place in paths and is_float(values[place])]
        comes = [place for place in step.gives if place in back]
        if not reads or not comes or first in step.gives:
            continue
        coming = [back.pop(place) for place in comes]
        zeros = [ops.zeros_like(values[place]) for place in comes]
        lengths = sorted(set().union(*coming))
        cotangents = [
            [found.get(length, zero) for found, zero in zip(coming, zeros, strict=True)]
            for length in lengths
        ]
        given = functools.partial(_given, step, values, reads, comes)
        pulled = _pulled_back(given, [values[place] for place in reads], cotangents)
        own = int(has_kernel(step.operation))
        for length, gradients in zip(lengths, pulled, strict=True):
            for place, gradient in zip(reads, gradients, strict=True):
                there = back.setdefault(place, {})
                before = there.get(length + own)
                there[length + own] = gradient if before is None else before + gradient
    return back.get(first, {})  # nothing comes through integers


def norm(tensor):
    """The length of a tensor as one vector."""
    return float(np.linalg.norm(array(tensor)))


def array(tensor):
    """The numbers of a tensor of any precision."""
    return ops.convert_to_numpy(ops.cast(tensor, "float32")).astype("float64")


def _inputs(model, batch):
    """The batch as tensors, by place."""
    named = isinstance(batch, Mapping) and {x.name for x in model.inputs} <= set(batch)
    arrays = [batch[x.name] for x in model.inputs] if named else keras.tree.flatten(batch)
    if len(arrays) != len(model.inputs):
        raise invalid("batch", f"{len(model.inputs)} arrays", f"{len(arrays)} arrays")
    pairs = zip(arrays, model.inputs, strict=True)
    return dict(enumerate(ops.convert_to_tensor(numbers, x.dtype) for numbers, x in pairs))


def _given(step, values, reads, comes, tensors):
    """What a step gives at the places ``comes``, with ``tensors`` at those that it ``reads``."""
    with keras.StatelessScope(collect_losses=True):
        found = step({**values, **dict(zip(reads, tensors, strict=True))})
    return [x for x, place in zip(found, step.gives, strict=True) if place in comes]


def _pulled_back(function, tensors, cotangents):
    """The gradients by the tensors for each of several gradients of what the function gives."""
    if keras.backend.backend() == "jax":
        import jax

        _, back = jax.vjp(function, tensors)
        return [back(cotangent)[0] for cotangent in cotangents]
    import tensorflow as tf

    with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
        tape.watch(tensors)
        given = function(tensors)
    none = tf.UnconnectedGradients.ZERO
    return [
        [tf.convert_to_tensor(g) for g in tape.gradient(given, tensors, cotangent, none)]
        for cotangent in cotangents
    ]
