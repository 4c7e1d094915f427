"""Residual blocks: what a block computes is added to its input.

He, Zhang, Ren, Sun. Deep Residual Learning for Image Recognition.
CVPR 2016. https://arxiv.org/abs/1512.03385

and, with normalization and ReLU before each convolution and nothing on the way past them,

He, Zhang, Ren, Sun. Identity Mappings in Deep Residual Networks.
ECCV 2016. https://arxiv.org/abs/1603.05027
"""

from collections.abc import Sequence

import keras
from keras import layers

from keras_arch.errors import invalid
from keras_arch.layers.convolution import (
    bn_relu,
    bn_relu_conv,
    conv_bn,
    conv_bn_relu,
    convolution,
)
from keras_arch.layers.pad_channels import PadChannels
from keras_arch.layers.squeeze_excitation import Attention, channel_attention
from keras_arch.layers.stochastic_depth import StochasticDepth


def padding_shortcut(
    x: keras.KerasTensor, filters: int, stride: int = 1, name: str = "shortcut"
) -> keras.KerasTensor:
    """Option A, no parameters: ``(B, H, W, C) -> (B, H/stride, W/stride, filters)``."""
    if stride > 1:
        x = layers.AveragePooling2D(1, strides=stride, name=f"{name}_subsample")(x)
    if x.shape[-1] != filters:
        x = PadChannels(filters, name=f"{name}_pad")(x)
    return x


def projection_shortcut(
    x: keras.KerasTensor,
    filters: int,
    stride: int = 1,
    conv_bias: bool = False,
    name: str = "shortcut",
) -> keras.KerasTensor:
    """Option B, where the shape changes: ``(B, H, W, C) -> (B, H/stride, W/stride, filters)``."""
    if stride > 1 or x.shape[-1] != filters:
        x = conv_bn(x, filters, 1, stride, conv_bias, name=name)
    return x


def residual_sum(
    x: keras.KerasTensor,
    shortcuts: Sequence[keras.KerasTensor],
    attention: Attention = None,
    stochastic_depth: float = 0.0,
    stochastic_depth_mode: str = "inverted",
    name: str = "residual",
) -> keras.KerasTensor:
    """What has to happen to a branch until it is added: ``(B, H, W, C)``, the same.

    Args:
        x: Output of the branch.
        shortcuts: What it is added to; without any, the branch is all there is.
        attention: Of the branch's channels, as ``channel_attention`` takes it.
        stochastic_depth: How often the branch is left out in training.
        stochastic_depth_mode: Of ``StochasticDepth``.
        name: Prefix of the layers' names.
    """
    x = channel_attention(x, attention, name=f"{name}_attention")
    if stochastic_depth:
        x = StochasticDepth(stochastic_depth, stochastic_depth_mode, name=f"{name}_survival")(x)
    return layers.Add(name=f"{name}_add")([*shortcuts, x]) if shortcuts else x


def _shortcuts(x, filters, stride, shortcut, conv_bias, name):
    if shortcut == "none":
        return []
    if shortcut == "padding":
        return [padding_shortcut(x, filters, stride, name)]
    if shortcut != "projection":
        raise invalid("shortcut", 'one of {"projection", "padding", "none"}', shortcut)
    return [projection_shortcut(x, filters, stride, conv_bias, name)]


def residual_block(
    x: keras.KerasTensor,
    filters: int,
    stride: int = 1,
    shortcut: str = "projection",
    conv_bias: bool = False,
    attention: Attention = None,
    stochastic_depth: float = 0.0,
    stochastic_depth_mode: str = "inverted",
    further: Sequence[keras.KerasTensor] = (),
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
            ``"none"`` is a plain network's block.
        conv_bias: Whether the convolutions have biases.
        attention: Of the branch's channels, as ``channel_attention`` takes it.
        stochastic_depth: How often the branch is left out in training.
        stochastic_depth_mode: Of ``StochasticDepth``.
        further: Shortcuts that come from farther back.
        name: Prefix of the layers' names.

    Raises:
        ValueError: If ``shortcut`` is none of the three.
    """
    past = _shortcuts(x, filters, stride, shortcut, conv_bias, name=f"{name}_shortcut")
    x = conv_bn_relu(x, filters, 3, stride, conv_bias, name=f"{name}_1")
    x = conv_bn(x, filters, 3, 1, conv_bias, name=f"{name}_2")
    x = residual_sum(x, [*past, *further], attention, stochastic_depth, stochastic_depth_mode, name)
    return layers.ReLU(name=f"{name}_relu")(x)


def bottleneck_block(
    x: keras.KerasTensor,
    filters: int,
    stride: int = 1,
    shortcut: str = "projection",
    conv_bias: bool = False,
    stride_in: str = "1x1",
    widening: int = 1,
    attention: Attention = None,
    stochastic_depth: float = 0.0,
    stochastic_depth_mode: str = "inverted",
    name: str = "bottleneck",
) -> keras.KerasTensor:
    """1x1, 3x3 and 1x1: ``(B, H, W, C) -> (B, H/stride, W/stride, 4 * filters)``.

    Args:
        x: The features.
        filters: Channels of the first two convolutions, a quarter of the output's.
        stride: Of one convolution, see ``stride_in``.
        shortcut: ``"projection"``, ``"padding"`` or ``"none"``, as in ``residual_block``.
        conv_bias: Whether the convolutions have biases.
        stride_in: ``"1x1"``, the first convolution, or ``"3x3"``, which sees every pixel.
        widening: Factor of the channels of the first two convolutions.
        attention: Of the branch's channels, as ``channel_attention`` takes it.
        stochastic_depth: How often the branch is left out in training.
        stochastic_depth_mode: Of ``StochasticDepth``.
        name: Prefix of the layers' names.

    Raises:
        ValueError: If ``shortcut`` or ``stride_in`` is none of the above.
    """
    if stride_in not in ("1x1", "3x3"):
        raise invalid("stride_in", 'one of {"1x1", "3x3"}', stride_in)
    first, second = (stride, 1) if stride_in == "1x1" else (1, stride)
    past = _shortcuts(x, 4 * filters, stride, shortcut, conv_bias, name=f"{name}_shortcut")
    x = conv_bn_relu(x, widening * filters, 1, first, conv_bias, name=f"{name}_1")
    x = conv_bn_relu(x, widening * filters, 3, second, conv_bias, name=f"{name}_2")
    x = conv_bn(x, 4 * filters, 1, 1, conv_bias, name=f"{name}_3")
    x = residual_sum(x, past, attention, stochastic_depth, stochastic_depth_mode, name)
    return layers.ReLU(name=f"{name}_relu")(x)


def _past_activation(x, active, filters, stride, shortcut, use_bias, name):
    """A projection reads what the branch reads; all else passes by untouched."""
    if shortcut == "padding" or x.shape[-1] == filters:
        return padding_shortcut(x, filters, stride, name)
    if shortcut != "projection":
        raise invalid("shortcut", 'one of {"projection", "padding"}', shortcut)
    return convolution(active, filters, 1, stride, use_bias, name=name)


def preactivation_block(
    x: keras.KerasTensor,
    filters: int,
    stride: int = 1,
    shortcut: str = "projection",
    use_bias: bool = False,
    dropout: float = 0.0,
    attention: Attention = None,
    stochastic_depth: float = 0.0,
    further: Sequence[keras.KerasTensor] = (),
    name: str = "preactivation",
) -> keras.KerasTensor:
    """Two 3x3 convolutions: ``(B, H, W, C) -> (B, H/stride, W/stride, filters)``.

    Args:
        x: The features.
        filters: Channels of both convolutions.
        stride: Of the first convolution.
        shortcut: What passes by where the channels change: ``"projection"`` (a 1x1
            convolution) or ``"padding"`` (zeros, no parameters).
        use_bias: Whether the projection and the last convolution have a bias.
        dropout: Rate between the two convolutions.
        attention: Of the branch's channels, as ``channel_attention`` takes it.
        stochastic_depth: How often the branch is left out in training.
        further: Shortcuts that come from farther back.
        name: Prefix of the layers' names.

    Raises:
        ValueError: If ``shortcut`` is neither of the two.
    """
    active = bn_relu(x, name=f"{name}_1")
    past = _past_activation(x, active, filters, stride, shortcut, use_bias, f"{name}_shortcut")
    x = convolution(active, filters, 3, stride, name=f"{name}_1_conv")
    x = bn_relu(x, name=f"{name}_2")
    if dropout:
        x = layers.Dropout(dropout, name=f"{name}_dropout")(x)
    x = convolution(x, filters, 3, use_bias=use_bias, name=f"{name}_2_conv")
    return residual_sum(x, [past, *further], attention, stochastic_depth, name=name)


def preactivation_bottleneck(
    x: keras.KerasTensor,
    filters: int,
    stride: int = 1,
    shortcut: str = "projection",
    use_bias: bool = False,
    stride_in: str = "1x1",
    attention: Attention = None,
    stochastic_depth: float = 0.0,
    name: str = "preactivation",
) -> keras.KerasTensor:
    """1x1, 3x3 and 1x1: ``(B, H, W, C) -> (B, H/stride, W/stride, 4 * filters)``.

    Args:
        x: The features.
        filters: Channels of the first two convolutions, a quarter of the output's.
        stride: Of one convolution, see ``stride_in``.
        shortcut: ``"projection"`` or ``"padding"``, as in ``preactivation_block``.
        use_bias: Whether the projection and the last convolution have a bias.
        stride_in: ``"1x1"``, the first convolution, or ``"3x3"``, which sees every pixel.
        attention: Of the branch's channels, as ``channel_attention`` takes it.
        stochastic_depth: How often the branch is left out in training.
        name: Prefix of the layers' names.

    Raises:
        ValueError: If ``shortcut`` or ``stride_in`` is none of the above.
    """
    if stride_in not in ("1x1", "3x3"):
        raise invalid("stride_in", 'one of {"1x1", "3x3"}', stride_in)
    first, second = (stride, 1) if stride_in == "1x1" else (1, stride)
    active = bn_relu(x, name=f"{name}_1")
    past = _past_activation(x, active, 4 * filters, stride, shortcut, use_bias, f"{name}_shortcut")
    x = convolution(active, filters, 1, first, name=f"{name}_1_conv")
    x = bn_relu_conv(x, filters, 3, second, name=f"{name}_2")
    x = bn_relu_conv(x, 4 * filters, 1, use_bias=use_bias, name=f"{name}_3")
    return residual_sum(x, [past], attention, stochastic_depth, name=name)
