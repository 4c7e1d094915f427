"""Gradient taps: norms of the gradients that reach an optimizer, inside the training step.

    tape -> gradients -> [tap: norm of each kernel's, and of all] -> optimizer.apply -> weights
                                   |
                                   v
                       one small variable, read when somebody looks

A tap costs one reduction a kernel in every step, and nothing on the host.
"""

import contextlib
import functools
import math
from collections.abc import Callable, Iterator
from typing import Any

import keras

from keras_arch.callbacks.kernel_layers import is_kernel, is_stacked, sums_of_squares
from keras_arch.callbacks.optimizers import held_optimizers


class GradientTaps:
    """Taps on every optimizer that a model holds.

    Gradients are seen as they reach the optimizer, so before clipping and accumulation; a
    loss scale is divided out. Nothing is added to the optimizer: its ``apply`` is replaced,
    on the instance, only while the block of ``attached`` runs.

    Args:
        model: Compiled model.
        attempt: Calls its first argument with the others, and lets no exception pass.
    """

    def __init__(self, model: keras.Model, attempt: Callable[..., None]) -> None:
        self.optimizers = held_optimizers(model)
        self._attempt = attempt
        self._norms: dict[tuple, tuple[list[keras.Variable], Any]] = {}

    @contextlib.contextmanager
    def attached(self) -> Iterator[None]:
        """Tap every call of an optimizer's ``apply`` in this block."""
        with contextlib.ExitStack() as stack:
            for attribute, optimizer in self.optimizers.items():
                stack.callback(_set_apply, optimizer, vars(optimizer).get("apply"))
                tapped = functools.partial(self._apply, attribute, optimizer, optimizer.apply)
                _set_apply(optimizer, tapped)
            yield

    def read(self) -> tuple[dict[int, list[float]], dict[str, float]]:
        """Return the norms of the last step: by ``id`` of the kernel, and by optimizer.

        Of a kernel there is one, of a stack one for each of its layers.
        """
        of_kernels: dict[int, list[float]] = {}
        of_optimizers: dict[str, float] = {}
        for (attribute, *_), (kernels, value) in self._norms.items():
            *norms, total = value.numpy().tolist()
            for kernel in kernels:
                layers = _layers_of(kernel)
                of_kernels[id(kernel)], norms = norms[:layers], norms[layers:]
            of_optimizers[attribute] = math.hypot(of_optimizers.get(attribute, 0.0), total)
        return of_kernels, of_optimizers

    def _apply(self, attribute, optimizer, apply, grads, trainable_variables=None):
        grads = list(grads)
        if trainable_variables is not None:
            trainable_variables = list(trainable_variables)
        self._attempt(self._observe, attribute, optimizer, grads, trainable_variables)
        return apply(grads, trainable_variables)

    def _observe(self, attribute, optimizer, grads, variables):
        import tensorflow as tf

        if variables is None:
            variables = optimizer._trainable_variables
        pairs = [(g, v) for g, v in zip(grads, variables, strict=True) if g is not None]
        if not pairs:
            return
        kernels = [v for _, v in pairs if is_kernel(v)]
        squares = [sums_of_squares(v, _flat(g)) for g, v in pairs if is_kernel(v)]
        # Biases, scales and offsets are many and small: one reduction for all of them.
        small = [_flat(g) for g, v in pairs if not is_kernel(v)]
        each = tf.concat([*squares, tf.zeros(1, tf.float64)], 0)
        rest = 2.0 * tf.nn.l2_loss(tf.concat(small, 0)) if small else 0.0
        total = tf.reduce_sum(each) + rest
        norms = tf.sqrt(tf.concat([each[:-1], total[None]], 0)) / _loss_scale(optimizer)
        key = (attribute, *map(id, kernels))
        if key not in self._norms:
            with tf.init_scope():
                size = sum(map(_layers_of, kernels)) + 1
                start = tf.fill([size], tf.constant(math.nan, tf.float64))
                self._norms[key] = kernels, tf.Variable(start, trainable=False)
        self._norms[key][1].assign(norms)


def _set_apply(optimizer, apply):
    # Past Keras's own __setattr__, which would track it.
    if apply is None:
        object.__delattr__(optimizer, "apply")
    else:
        object.__setattr__(optimizer, "apply", apply)


def _flat(gradient):
    """Return a gradient as float64 ``(n,)``: a vanishing one does not underflow when squared."""
    import tensorflow as tf

    if isinstance(gradient, tf.IndexedSlices):
        gradient = _rows(gradient)
    return tf.cast(tf.reshape(gradient, [-1]), tf.float64)


def _rows(gradient):
    """Return the rows of a sparse gradient, those of one index added up."""
    import tensorflow as tf

    order = tf.argsort(gradient.indices)
    indices = tf.gather(gradient.indices, order)
    starts = tf.concat([[0], tf.cast(indices[1:] != indices[:-1], tf.int32)], 0)
    rows = tf.gather(gradient.values, order)
    return tf.math.unsorted_segment_sum(rows, tf.cumsum(starts), tf.shape(indices)[0])


def _layers_of(kernel):
    return kernel.shape[0] if is_stacked(kernel) else 1


def _loss_scale(optimizer):
    import tensorflow as tf

    if not isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        return optimizer.loss_scale_factor or 1.0
    scale = optimizer.dynamic_scale if optimizer.built else optimizer.initial_scale
    return tf.cast(scale, tf.float64)
