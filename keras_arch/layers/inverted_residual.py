"""Inverted residuals: narrow features are added, wide ones are computed in between.

Sandler, Howard, Zhu, Zhmoginov, Chen. MobileNetV2: Inverted Residuals and Linear
Bottlenecks. CVPR 2018. https://arxiv.org/abs/1801.04381

    x -> 1x1, wider -> depthwise -> [attention] -> 1x1, narrow and linear -> + x
"""

import keras
from keras import layers

from keras_arch.layers.depthwise import conv_bn_act, depthwise_bn_act
from keras_arch.layers.squeeze_excitation import Attention, channel_attention
from keras_arch.layers.stochastic_depth import StochasticDepth


def make_divisible(channels: float, divisor: int = 8) -> int:
    """Round to a multiple of ``divisor``, at least one, and never down by over a tenth.

    Example:

    >>> [make_divisible(channels) for channels in (3, 20, 21, 27)]
    [8, 24, 24, 32]
    """
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * channels else rounded


def inverted_residual(
    x: keras.KerasTensor,
    filters: int,
    expanded: int,
    stride: int = 1,
    size: int = 3,
    activation: str = "relu6",
    attention: Attention = None,
    stochastic_depth: float = 0.0,
    padding: str = "same",
    name: str = "inverted_residual",
) -> keras.KerasTensor:
    """Widen, filter, narrow: ``(B, H, W, C) -> (B, H/stride, W/stride, filters)``.

    Args:
        x: The features.
        filters: Channels of the output; the input is added where its shape is the same.
        expanded: Channels in between; where the input has as many, nothing widens it.
        stride: Of the depthwise convolution.
        size: Height and width of its kernels.
        activation: After the first two convolutions; the last is linear.
        attention: ``None``, ``"squeeze_excitation"`` or a function ``(x, name) -> x`` of
            the wide features.
        stochastic_depth: How often a branch beside a shortcut is left out in training.
        padding: Of a strided depthwise convolution, as in ``pad_strided``.
        name: Prefix of the layers' names.
    """
    past = x
    if x.shape[-1] != expanded:
        x = conv_bn_act(x, expanded, activation=activation, name=f"{name}_expand")
    x = depthwise_bn_act(x, size, stride, activation, padding=padding, name=f"{name}_depthwise")
    x = channel_attention(x, attention, name=f"{name}_se")
    x = conv_bn_act(x, filters, activation=None, name=f"{name}_project")
    if stride > 1 or past.shape[-1] != filters:
        return x
    if stochastic_depth:
        x = StochasticDepth(stochastic_depth, "inverted", name=f"{name}_survival")(x)
    return layers.Add(name=f"{name}_add")([past, x])
