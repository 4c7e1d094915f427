"""A head that is a 1x1 convolution, as MobileNets have it."""

from collections.abc import Callable

import keras
from keras import layers


def pointwise_head(
    classes: int,
    activation: str | None = None,
    dtype: str | None = None,
    name: str = "head",
) -> Callable[[keras.KerasTensor], keras.KerasTensor]:
    """Make the head of a pooled map that kept its sides: ``(B, 1, 1, C) -> (B, classes)``.

    It computes what ``Dense`` would, with a kernel of shape ``(1, 1, C, classes)``, as
    published weights have it.

    Args:
        classes: Units of the head.
        activation: Its activation.
        dtype: Its type.
        name: Name of the convolution.
    """

    def head(x):
        x = layers.Conv2D(classes, 1, activation=activation, dtype=dtype, name=name)(x)
        return layers.Flatten(dtype=dtype, name=f"{name}_flat")(x)

    return head
