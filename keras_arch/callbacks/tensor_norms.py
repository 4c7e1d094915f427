"""Tensor norms: of many tensors at once, inside the training step.

Small tensors are many, and a call on each costs more than the sum of its squares: they are
joined first. Squares are summed in double precision, since that of a vanishing gradient is no
single-precision number. Where XLA compiles the step, calls are free, and joined tensors would
make it fuse the training differently and round its last bits otherwise; JAX knows no double
precision either, unless it is told to. There each tensor is divided by its largest element.
"""

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_arch.callbacks.kernel_layers import is_stacked

SMALL = 1 << 12  # elements; larger tensors are worth calls of their own
LOWEST, HIGHEST, PARTS = -12, 2, 4  # decades of a histogram, and the bins of each
BINS = (HIGHEST - LOWEST) * PARTS + 2  # what lies below and above has a bin each


def layers_of(variable: keras.Variable) -> int:
    """Return how many layers a variable belongs to: those of a stack."""
    return variable.shape[0] if is_stacked(variable) else 1


class Rows:
    """Tensors of some variables, the small ones joined; sums and differences are of few then.

    Args:
        variables: Whose they are; not empty.
        by_xla: Whether XLA compiles the step.
    """

    def __init__(self, variables: Sequence[keras.Variable], by_xla: bool) -> None:
        self._layers = [layers_of(variable) for variable in variables]
        sizes = [math.prod(variable.shape) for variable in variables]
        places = range(len(sizes))
        self._by_xla = by_xla
        self._small = [] if by_xla else [place for place in places if sizes[place] < SMALL]
        self._large = [place for place in places if place not in set(self._small)]
        inner = [size // layers for size, layers in zip(sizes, self._layers, strict=True)]
        joined = [inner[place] for place in self._small for _ in range(self._layers[place])]
        self._owners = np.repeat(np.arange(len(joined)), joined)
        ends = np.cumsum(self._layers)
        rows = [np.arange(ends[place] - self._layers[place], ends[place]) for place in places]
        self._order = np.argsort(np.concatenate([rows[p] for p in self._small + self._large]))

    def join(self, tensors: Sequence[Any]) -> list[Any]:
        """Return what holds the elements of all: first the small ones, then each of the others.

        Args:
            tensors: Values or gradients of the variables. Of a sparse gradient
                (``tf.IndexedSlices``), the rows of one index are added up.
        """
        large = [_dense(tensors[place]) for place in self._large]
        if not self._small:
            return large
        import tensorflow as tf

        small = [tf.convert_to_tensor(tensors[place]) for place in self._small]
        return [tf.concat([x if x.ndim == 1 else tf.reshape(x, [-1]) for x in small], 0), *large]

    def norms(self, joined: Sequence[Any]) -> Any:
        """Return the norm of each variable's, of a stack's that of each layer, in one row.

        Args:
            joined: Of ``join``, or a difference of two such lists.
        """
        if self._by_xla:
            pairs = zip(joined, self._layers, strict=True)
            return ops.concatenate([_scaled(ops.reshape(x, (n, -1))) for x, n in pairs])
        import tensorflow as tf

        joined = [tf.cast(tensor, tf.float64) for tensor in joined]
        squares = []
        if self._small:
            squares.append(tf.math.segment_sum(joined[0] * joined[0], self._owners))
            joined = joined[1:]
        for tensor, place in zip(joined, self._large, strict=True):
            layers = self._layers[place]
            if layers == 1:
                squares.append(tf.reshape(2.0 * tf.nn.l2_loss(tensor), [1]))
            else:
                squares.append(tf.reduce_sum(tf.reshape(tensor, (layers, -1)) ** 2, axis=1))
        return tf.gather(tf.sqrt(tf.concat(squares, 0)), self._order)


def norms(tensors: Sequence[Any], variables: Sequence[keras.Variable], by_xla: bool) -> Any:
    """Return the norm of each tensor, of those of a stack that of each layer, in one row.

    Args:
        tensors: Values or gradients of the variables; not empty.
        variables: Whose they are.
        by_xla: Whether XLA compiles the step.
    """
    rows = Rows(variables, by_xla)
    return rows.norms(rows.join(tensors))


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
