"""Activation taps: mean, variance and dead units of what layers put out, inside the step.

    layer.call -> output -> [tap] -> next layer

A unit is dead that answers every example of the batch, at every place, with one and the same
number: a rectifier that is never on, a sigmoid that is saturated for good. Of a single number
nobody can tell.
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_arch.callbacks.kernel_layers import kernel_layers

KINDS = ("activation_mean", "activation_variance", "dead_fraction")
NONLINEAR = (
    keras.layers.ReLU,
    keras.layers.LeakyReLU,
    keras.layers.PReLU,
    keras.layers.ELU,
)


def active_layers(model: keras.Model) -> dict[str, keras.layers.Layer]:
    """Return the layers with a nonlinearity, in order of depth; else those with a kernel.

    The number in front of a name is that of the last kernel layer so far: ``003_relu`` is
    what follows ``003_conv``. Looks into the models that a model consists of, and not into
    other layers: what they call in a loop is no tensor of the step.
    """
    depths = {
        id(kernel): int(layer.name.partition("_")[0])
        for layer in kernel_layers(model)
        for kernel in layer.kernels
    }
    nonlinear, others = {}, {}
    depth = 0
    for path, layer in _parts(model):
        mine = [depths[id(v)] for v in layer.trainable_weights if id(v) in depths]
        depth = max(mine, default=depth)
        if _is_nonlinear(layer):
            nonlinear[f"{depth:03d}_{path}"] = layer
        elif mine:
            others[f"{depth:03d}_{path}"] = layer
    return nonlinear or others


class ActivationSums:
    """What a layer put out in a step, over all of its calls.

    Attributes:
        calls: Of each call: elements, mean, variance, and for each unit whether it is dead.
    """

    def __init__(self) -> None:
        self.calls: list[tuple[Any, Any, Any, Any]] = []

    def see(self, output: Any) -> None:
        """Take an output into account, ``(B, ..., units)``."""
        output = ops.cast(output, "float32")
        axes = tuple(range(output.ndim - 1))
        size = ops.cast(ops.size(output), "float32")
        same = ops.equal(ops.max(output, axis=axes), ops.min(output, axis=axes))
        dead = ops.cast(ops.logical_and(same, size > output.shape[-1]), "float32")
        self.calls.append((size, ops.mean(output), ops.var(output), dead))

    def row(self) -> list[Any]:
        """Return mean, variance, squared mean, and for each unit whether it is dead."""
        sizes, means, variances, deads = zip(*self.calls, strict=True)
        shares = ops.stack(sizes) / ops.sum(ops.stack(sizes))
        mean = ops.sum(shares * ops.stack(means))
        variance = ops.sum(shares * (ops.stack(variances) + (ops.stack(means) - mean) ** 2))
        return [mean, variance, mean * mean, ops.prod(ops.stack(deads), axis=0)]


def summary(row: Sequence[Any]) -> Any:
    """Return what ``KINDS`` says of a row, or of the mean of the rows of replicas, ``(3,)``."""
    mean, variance, squared, dead = row
    between = squared - mean * mean  # replicas
    return ops.stack([mean, variance + between, ops.mean(ops.cast(dead == 1, "float32"))])


def _parts(model, prefix=""):
    for layer in model.layers:
        if isinstance(layer, keras.Model) and layer.layers:
            yield from _parts(layer, f"{prefix}{layer.name}/")
        else:
            yield f"{prefix}{layer.name}", layer


def _is_nonlinear(layer):
    function = getattr(layer, "activation", None)
    return isinstance(layer, NONLINEAR) or (
        function is not None and function is not keras.activations.linear
    )
