"""Depthwise convolutions: every channel is filtered by itself, a 1x1 convolution mixes them.

Howard, Zhu, Chen, Kalenichenko, Wang, Weyand, Andreetto, Adam. MobileNets: Efficient
Convolutional Neural Networks for Mobile Vision Applications. 2017.
https://arxiv.org/abs/1704.04861

A KxK convolution to N channels costs 1/N + 1/K^2 of its former self.
"""

import keras
from keras import layers

from keras_arch.layers.convolution import batch_norm, conv_bn, pad_strided

EPSILON = 1e-3  # of keras.applications, for equal outputs


def conv_bn_act(
    x: keras.KerasTensor,
    filters: int,
    size: int = 1,
    stride: int = 1,
    activation: str | None = "relu6",
    padding: str = "same",
    momentum: float = 0.999,
    name: str = "conv_bn_act",
) -> keras.KerasTensor:
    """Normalized, activated: ``(B, H, W, C) -> (B, H/stride, W/stride, filters)``.

    Args:
        x: The features.
        filters: Channels of the output.
        size: Height and width of the kernel.
        stride: Of the convolution.
        activation: Name of an activation, or ``None``.
        padding: ``"same"``, or ``"both"`` as in ``pad_strided``.
        momentum: Of the normalization.
        name: Prefix of the layers' names.
    """
    inside = "same"
    if padding == "both" and stride > 1:
        x, inside = pad_strided(x, size, padding, name=f"{name}_pad"), "valid"
    x = conv_bn(
        x,
        filters,
        size,
        stride,
        padding=inside,
        epsilon=EPSILON,
        momentum=momentum,
        name=name,
    )
    return _activated(x, activation, name)


def depthwise_bn_act(
    x: keras.KerasTensor,
    size: int = 3,
    stride: int = 1,
    activation: str | None = "relu6",
    multiplier: int = 1,
    padding: str = "same",
    momentum: float = 0.999,
    name: str = "depthwise_bn_act",
) -> keras.KerasTensor:
    """Each channel by itself: ``(B, H, W, C) -> (B, H/stride, W/stride, multiplier * C)``.

    Args:
        x: The features.
        size: Height and width of the kernels.
        stride: Of the convolution.
        activation: Name of an activation, or ``None``.
        multiplier: Filters for each channel.
        padding: Of a strided convolution: ``"same"``, ``"behind"`` or ``"both"``, as in
            ``pad_strided``.
        momentum: Of the normalization.
        name: Prefix of the layers' names.

    Raises:
        ValueError: If ``padding`` is none of the three.
    """
    if stride > 1:
        x = pad_strided(x, size, padding, name=f"{name}_pad")
    x = layers.DepthwiseConv2D(
        size,
        stride,
        "same" if stride == 1 else "valid",
        depth_multiplier=multiplier,
        use_bias=False,
        name=f"{name}_conv",
    )(x)
    x = batch_norm(x, EPSILON, momentum, name=f"{name}_bn")
    return _activated(x, activation, name)


def _activated(x, activation, name):
    return x if activation is None else layers.Activation(activation, name=f"{name}_act")(x)
