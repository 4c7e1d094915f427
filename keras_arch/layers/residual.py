"""Residual blocks: what a block computes is added to its input.

He, Zhang, Ren, Sun. Deep Residual Learning for Image Recognition.
CVPR 2016. https://arxiv.org/abs/1512.03385
"""

import keras
from keras import layers

from keras_arch.errors import invalid
from keras_arch.layers.convolution import conv_bn
from keras_arch.layers.pad_channels import PadChannels


def padding_shortcut(
    x: keras.KerasTensor, filters: int, stride: int = 1, name: str = "shortcut"
) -> keras.KerasTensor:
    """Option A, no parameters: ``(B, H, W, C) -> (B, H/stride, W/stride, filters)``."""
    if stride > 1:
        x = layers.AveragePooling2D(1, strides=stride, name=f"{name}_subsample")(x)
    if x.shape[-1] != filters:
        x = PadChannels(filters, name=f"{name}_pad")(x)
    return x


def _shortcut(x, filters, stride, shortcut, conv_bias, name):
    if shortcut == "padding":
        return padding_shortcut(x, filters, stride, name)
    if shortcut != "projection":
        raise invalid("shortcut", 'one of {"projection", "padding"}', shortcut)
    if stride > 1 or x.shape[-1] != filters:
        x = conv_bn(x, filters, 1, stride, conv_bias, name)
    return x


def residual_block(
    x: keras.KerasTensor,
    filters: int,
    stride: int = 1,
    shortcut: str = "projection",
    conv_bias: bool = False,
    name: str = "residual",
) -> keras.KerasTensor:
    """Two 3x3 convolutions: ``(B, H, W, C) -> (B, H/stride, W/stride, filters)``.

    Args:
        x: The features.
        filters: Channels of both convolutions.
        stride: Of the first convolution.
        shortcut: What passes by where the shape changes: ``"projection"`` (option B, a
            1x1 convolution) or ``"padding"`` (option A: every other pixel, zeros for the
            new channels, no parameters). Where it does not change, the input itself.
        conv_bias: Whether the convolutions have biases.
        name: Prefix of the layers' names.

    Raises:
        ValueError: If ``shortcut`` is neither of the two.
    """
    past = _shortcut(x, filters, stride, shortcut, conv_bias, name=f"{name}_shortcut")
    x = conv_bn(x, filters, 3, stride, conv_bias, name=f"{name}_1")
    x = layers.ReLU(name=f"{name}_1_relu")(x)
    x = conv_bn(x, filters, 3, 1, conv_bias, name=f"{name}_2")
    x = layers.Add(name=f"{name}_add")([past, x])
    return layers.ReLU(name=f"{name}_relu")(x)


def bottleneck_block(
    x: keras.KerasTensor,
    filters: int,
    stride: int = 1,
    shortcut: str = "projection",
    conv_bias: bool = False,
    stride_in: str = "1x1",
    name: str = "bottleneck",
) -> keras.KerasTensor:
    """1x1, 3x3 and 1x1: ``(B, H, W, C) -> (B, H/stride, W/stride, 4 * filters)``.

    Args:
        x: The features.
        filters: Channels of the first two convolutions, a quarter of the output's.
        stride: Of one convolution, see ``stride_in``.
        shortcut: ``"projection"`` or ``"padding"``, as in ``residual_block``.
        conv_bias: Whether the convolutions have biases.
        stride_in: ``"1x1"``, the first convolution, or ``"3x3"``, which sees every pixel.
        name: Prefix of the layers' names.

    Raises:
        ValueError: If ``shortcut`` or ``stride_in`` is none of the above.
    """
    if stride_in not in ("1x1", "3x3"):
        raise invalid("stride_in", 'one of {"1x1", "3x3"}', stride_in)
    first, second = (stride, 1) if stride_in == "1x1" else (1, stride)
    past = _shortcut(x, 4 * filters, stride, shortcut, conv_bias, name=f"{name}_shortcut")
    x = conv_bn(x, filters, 1, first, conv_bias, name=f"{name}_1")
    x = layers.ReLU(name=f"{name}_1_relu")(x)
    x = conv_bn(x, filters, 3, second, conv_bias, name=f"{name}_2")
    x = layers.ReLU(name=f"{name}_2_relu")(x)
    x = conv_bn(x, 4 * filters, 1, 1, conv_bias, name=f"{name}_3")
    x = layers.Add(name=f"{name}_add")([past, x])
    return layers.ReLU(name=f"{name}_relu")(x)
