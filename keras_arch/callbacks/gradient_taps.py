"""Gradient taps: norms of the gradients that reach an optimizer, inside the training step.

    tape -> gradients -> [tap: norm of each variable's] -> optimizer.apply -> weights

Nothing is added to an optimizer: its ``apply`` (on JAX, ``stateless_apply``) is replaced, on
the instance, only while a step with taps is traced.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import keras
from keras import ops

from keras_arch.callbacks.kernel_layers import is_kernel
from keras_arch.callbacks.tensor_norms import magnitudes, norms


class Applied(NamedTuple):
    """What one call of an optimizer was given: tensors, and whose they are."""

    attribute: str
    variables: list[keras.Variable]
    norms: Any
    clipped: Any  # norms before and after clipping, of all together; None without clipping
    magnitudes: Any  # of the kernels among the variables; None where nobody asks


class GradientTap:
    """Measures gradients as they reach an optimizer.

    Args:
        histograms: Whether to count magnitudes.
        by_xla: Whether XLA compiles the step.
    """

    def __init__(self, histograms: bool, by_xla: bool) -> None:
        self.histograms = histograms
        self.by_xla = by_xla

    def measured(self, attribute: str, optimizer: Any, grads: Any, variables: Any) -> Applied | None:
        """Measure, with the loss scale divided out; of several replicas, the sum of theirs.

        Args:
            attribute: Name of the optimizer in its model.
            optimizer: The optimizer, whose state can be read.
            grads: Gradients, ``None`` where there is none.
            variables: Whose they are; ``None`` for those that the optimizer was built with.
        """
        variables = optimizer._trainable_variables if variables is None else variables
        pairs = [(g, v) for g, v in zip(grads, variables, strict=True) if g is not None]
        if not pairs:
            return None
        owners = [v for _, v in pairs]
        # Divided like this, the gradient is what the optimizer itself sees, bit for bit.
        scale = _loss_scale(optimizer)
        scaled = [g if scale is None else ops.divide(g, ops.cast(scale, g.dtype)) for g, _ in pairs]
        whole = [_dense(g) for g in _over_replicas(scaled)]
        kernels = [(g, v) for g, v in zip(whole, owners, strict=True) if is_kernel(v)]
        return Applied(
            attribute,
            owners,
            norms(whole, owners, self.by_xla),
            self._clipped(optimizer, scaled, owners),
            magnitudes(*zip(*kernels, strict=True)) if self.histograms and kernels else None,
        )

    def _clipped(self, optimizer, grads, variables):
        """Return the norms of what is applied, before and after clipping, or ``None``."""
        rows = []
        for inner, pairs in _by_optimizer(optimizer, grads, variables):
            if not (inner.clipnorm or inner.global_clipnorm or inner.clipvalue):
                continue
            owners = [v for _, v in pairs]
            applied = [_accumulated(inner, g, v) for g, v in pairs]
            both = (_over_replicas(g) for g in (applied, inner._clip_gradients(applied)))
            rows.append(
                ops.stack([norms([_dense(g) for g in each], owners, self.by_xla) for each in both])
            )
        return ops.concatenate(rows, axis=1) if rows else None


def _by_optimizer(optimizer, grads, variables) -> Iterator[tuple[Any, list]]:
    """Yield the optimizers that update, each with its gradients and variables."""
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    pairs = list(zip(grads, variables, strict=True))
    if not isinstance(optimizer, keras.optimizers.MultiOptimizer):
        yield optimizer, pairs
        return
    if not optimizer.built:
        return
    indices = [optimizer._var_to_optimizer_idx[optimizer._var_key(v)] for v in variables]
    for index, inner in enumerate(optimizer.optimizers):
        mine = [pair for pair, its in zip(pairs, indices, strict=True) if its == index]
        if mine:
            yield inner, mine


def _accumulated(optimizer, gradient, variable):
    """Return the mean over the steps of an update, of which this is the last one."""
    steps = optimizer.gradient_accumulation_steps
    if not steps or not optimizer.built:
        return gradient
    place = optimizer._get_variable_index(variable)
    return (gradient + optimizer._accumulated_gradients[place]) / steps


def _loss_scale(optimizer):
    if not isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        return optimizer.loss_scale_factor
    return optimizer.dynamic_scale if optimizer.built else optimizer.initial_scale


def _over_replicas(tensors):
    """Return the sums over the replicas of ``tf.distribute``."""
    if keras.backend.backend() != "tensorflow":
        return tensors
    import tensorflow as tf

    replica = tf.distribute.get_replica_context()
    if replica is None or replica.num_replicas_in_sync == 1:
        return tensors
    return replica.all_reduce(tf.distribute.ReduceOp.SUM, list(tensors))


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
