"""Depthwise convolutions: every channel is filtered by itself, a 1x1 convolution mixes them.

Howard, Zhu, Chen, Kalenichenko, Wang, Weyand, Andreetto, Adam. MobileNets: Efficient
Convolutional Neural Networks for Mobile Vision Applications. 2017.
https://arxiv.org/abs/1704.04861

A KxK convolution to N channels costs 1/N + 1/K^2 of its former self.
"""

import keras
from keras import layers

from keras_arch.errors import invalid

EPSILON = 1e-3  # of keras.applications, for equal outputs


def pad_strided(
    x: keras.KerasTensor, size: int, padding: str = "same", name: str = "pad"
) -> keras.KerasTensor:
    """Zeros for a window with stride 2, which then pads no more: ``(B, H, W, C)``, larger.

    Args:
        x: The features.
        size: Height and width of the window, odd.
        padding: ``"both"``, ``size // 2`` on all sides (PyTorch); ``"behind"``, one fewer
            above and on the left; or ``"same"``, as TensorFlow does: behind for an even
            height or width, both for an odd one. One not known when the model is built
            counts as even, as in ``keras.applications``.
        name: Name of the layer.

    Raises:
        ValueError: If ``padding`` is none of the three.
    """
    if padding not in ("same", "behind", "both"):
        raise invalid("padding", 'one of {"same", "behind", "both"}', padding)

    def zeros(side):
        odd = side is not None and side % 2 == 1
        before = padding == "both" or (padding == "same" and odd)
        return size // 2 - (not before), size // 2

    return layers.ZeroPadding2D(tuple(map(zeros, x.shape[1:3])), name=name)(x)


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
    if padding == "both" and stride > 1:
        x = pad_strided(x, size, padding, name=f"{name}_pad")
        padding = "valid"
    else:
        padding = "same"
    x = layers.Conv2D(filters, size, stride, padding, use_bias=False, name=f"{name}_conv")(x)
    return _bn_act(x, activation, momentum, name)


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
    return _bn_act(x, activation, momentum, name)


def _bn_act(x, activation, momentum, name):
    norm = layers.BatchNormalization(momentum=momentum, epsilon=EPSILON, name=f"{name}_bn")
    x = norm(x)
    return x if activation is None else layers.Activation(activation, name=f"{name}_act")(x)
