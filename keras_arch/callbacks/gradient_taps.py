"""Gradient taps: what reaches an optimizer, inside the training step.

    tape -> gradients -> [tap] -> optimizer.apply -> weights

Nothing is added to an optimizer: its ``apply`` (on JAX, ``stateless_apply``) is replaced, on
the instance, only while a step with taps is traced.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import keras
from keras import ops


class Applied(NamedTuple):
    """What one call of an optimizer was given, with the loss scale divided out.

    Attributes:
        attribute: Name of the optimizer in its model.
        variables: Whose the gradients are.
        gradients: The gradients.
        clipped_variables: Those whose gradients are clipped.
        before: What is clipped: gradients, or their means over accumulated steps.
        after: The same, clipped.
    """

    attribute: str
    variables: list[keras.Variable]
    gradients: list[Any]
    clipped_variables: list[keras.Variable]
    before: list[Any]
    after: list[Any]


def applied(attribute: str, optimizer: Any, grads: Sequence[Any], variables: Any) -> Applied | None:
    """Return what an optimizer is given, ``None`` if that is nothing.

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
    # Divided like this, the gradient is what the optimizer itself sees, bit for bit.
    scale = _loss_scale(optimizer)
    scaled = [g if scale is None else ops.divide(g, ops.cast(scale, g.dtype)) for g, _ in pairs]
    owners = [v for _, v in pairs]
    found = Applied(attribute, owners, scaled, [], [], [])
    for inner, mine in _by_optimizer(optimizer, scaled, owners):
        if inner.clipnorm or inner.global_clipnorm or inner.clipvalue:
            before = [_accumulated(inner, g, v) for g, v in mine]
            found.clipped_variables.extend(v for _, v in mine)
            found.before.extend(before)
            found.after.extend(inner._clip_gradients(before))
    return found


def _by_optimizer(optimizer, grads, variables) -> Iterator[tuple[Any, list]]:
    """Yield the optimizers that update, each with its gradients and variables."""
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    pairs = list(zip(grads, variables, strict=True))
    if not isinstance(optimizer, keras.optimizers.MultiOptimizer):
        yield optimizer, pairs
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
