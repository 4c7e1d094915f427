"""Tensor norms: of many tensors at once, inside the training step.

Small tensors are many, and a call on each costs more than the sum of its squares: they are
joined first. Squares are summed in double precision, since that of a vanishing gradient is no
single-precision number. Where XLA compiles the step, calls are free, and joined tensors would
make it fuse the training differently and round its last bits otherwise; JAX knows no double
precision either, unless it is told to. There each tensor is divided by its largest element.
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_arch.callbacks.kernel_layers import is_stacked

SMALL = 1 << 16  # elements; larger tensors are worth calls of their own
LOWEST, HIGHEST, PARTS = -12, 2, 4  # decades of a histogram, and the bins of each
BINS = (HIGHEST - LOWEST) * PARTS + 2  # what lies below and above has a bin each


def layers_of(variable: keras.Variable) -> int:
    """Return how many layers a variable belongs to: those of a stack."""
    return variable.shape[0] if is_stacked(variable) else 1


def norms(tensors: Sequence[Any], variables: Sequence[keras.Variable], by_xla: bool) -> Any:
    """Return the norm of each tensor, of those of a stack that of each layer, in one row.

    Args:
        tensors: Values or gradients of the variables; not empty. Of a sparse gradient
            (``tf.IndexedSlices``), the rows of one index are added up.
        variables: Whose they are.
        by_xla: Whether XLA compiles the step.
    """
    tensors = [_dense(tensor) for tensor in tensors]
    if by_xla:
        pairs = zip(tensors, variables, strict=True)
        return ops.concatenate([_scaled(ops.reshape(t, (layers_of(v), -1))) for t, v in pairs])
    import tensorflow as tf

    squares = []
    for tensor, variable in zip(_doubles(tensors), variables, strict=True):
        if is_stacked(variable):
            rows = tf.reshape(tensor, (variable.shape[0], -1))
            squares.append(tf.reduce_sum(rows * rows, axis=1))
        else:
            squares.append(2.0 * tf.nn.l2_loss(tensor)[None])
    return tf.sqrt(tf.concat(squares, 0))


def magnitudes(tensors: Sequence[Any], variables: Sequence[keras.Variable]) -> Any:
    """Return histograms of the elements' decimal logarithms: as many rows as norms, ``BINS``.

    The first bin takes zeros and all below ``LOWEST``, the last all above and what is NaN.
    """
    owners = sum(map(layers_of, variables))
    counts = []
    for tensor, variable in zip(map(_dense, tensors), variables, strict=True):
        layers = layers_of(variable)
        rows = ops.reshape(ops.cast(tensor, "float32"), (layers, -1))
        place = ops.floor((ops.log10(ops.absolute(rows)) - LOWEST) * PARTS) + 1
        place = ops.where(ops.isnan(place), BINS - 1, ops.clip(place, 0, BINS - 1))
        place = ops.cast(place, "int32") + BINS * ops.arange(layers, dtype="int32")[:, None]
        places = ops.reshape(place, (-1,))
        counts.append(ops.segment_sum(ops.ones_like(places), places, BINS * layers))
    return ops.reshape(ops.concatenate(counts), (owners, BINS))


def _scaled(rows):
    """Return the norms of rows without squares that underflow."""
    rows = ops.cast(rows, "float32")
    largest = ops.max(ops.absolute(rows), axis=1)
    scale = ops.where(ops.logical_and(largest > 0, ops.isfinite(largest)), largest, 1.0)
    return scale * ops.sqrt(ops.sum((rows / scale[:, None]) ** 2, axis=1))


def _doubles(tensors):
    """Return tensors as flat ones of double precision."""
    import tensorflow as tf

    flat = [tf.reshape(tensor, [-1]) for tensor in tensors]
    small = [place for place, tensor in enumerate(flat) if (tensor.shape[0] or SMALL) < SMALL]
    if small:
        joined = tf.cast(tf.concat([flat[place] for place in small], 0), tf.float64)
        parts = tf.split(joined, [flat[place].shape[0] for place in small])
        for place, part in zip(small, parts, strict=True):
            flat[place] = part
    return [tf.cast(tensor, tf.float64) for tensor in flat]


def _dense(gradient):
    """Return a gradient; of a sparse one the rows, those of one index added up."""
    if keras.backend.backend() != "tensorflow":
        return gradient
    import tensorflow as tf

    if not isinstance(gradient, tf.IndexedSlices):
        return gradient
    order = tf.argsort(gradient.indices)
    indices = tf.gather(gradient.indices, order)
    starts = tf.concat([[0], tf.cast(indices[1:] != indices[:-1], tf.int32)], 0)
    rows = tf.gather(gradient.values, order)
    return tf.math.unsorted_segment_sum(rows, tf.cumsum(starts), tf.shape(indices)[0])
