"""Residual scaling: what a block adds is made small, so that wide networks do not blow up.

Szegedy, Ioffe, Vanhoucke, Alemi. Inception-v4, Inception-ResNet and the Impact of Residual
Connections on Learning. AAAI 2017. https://arxiv.org/abs/1602.07261

    y = x + scale * F(x),   scale from 0.1 to 0.3
"""

import keras
from keras import layers


def residual_scale(
    x: keras.KerasTensor, residual: keras.KerasTensor, scale: float, name: str = "residual"
) -> keras.KerasTensor:
    """Add a scaled residual: ``(B, ..., C), (B, ..., C) -> (B, ..., C)``.

    Args:
        x: What passes by.
        residual: What is scaled and added; with ``scale=0`` nothing is.
        scale: Its factor.
        name: Prefix of the layers' names.

    Example:

    >>> x = keras.Input((2,))
    >>> model = keras.Model(x, residual_scale(x, x, 0.5))
    >>> model(keras.ops.ones((1, 2))).numpy()
    array([[1.5, 1.5]], dtype=float32)
    """
    if scale != 1:
        residual = layers.Rescaling(scale, name=f"{name}_scale")(residual)
    return layers.Add(name=f"{name}_add")([x, residual])
