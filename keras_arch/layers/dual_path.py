"""Dual-path blocks: features that are added to, beside features that are appended to.

Chen, Li, Xiao, Jin, Yan, Feng. Dual Path Networks.
NeurIPS 2017. https://arxiv.org/abs/1707.01629
"""

from collections.abc import Sequence

import keras
from keras import layers, ops

from keras_arch.layers.convolution import bn_relu_conv
from keras_arch.layers.residual import residual_sum
from keras_arch.layers.squeeze_excitation import Attention, channel_attention

EPSILON = 1e-3  # of MXNet's normalization, which the authors used


def dual_path_block(
    paths: Sequence[keras.KerasTensor],
    filters: int,
    width: int,
    growth: int,
    stride: int = 1,
    groups: int = 32,
    attention: Attention = None,
    stochastic_depth: float = 0.0,
    name: str = "dual_path",
) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """1x1, grouped 3x3 and 1x1, which reads both paths, adds to one and appends to the other.

    Where the residual path has other channels, or the block a stride, a 1x1 convolution
    begins both paths anew, the dense one with ``2 * growth`` channels.

    Args:
        paths: The residual and the dense path, ``(B, H, W, R)`` and ``(B, H, W, D)``; or
            one tensor, from which both begin.
        filters: Channels of the residual path.
        width: Channels of the first two convolutions.
        growth: Channels that the dense path gains.
        stride: Of the 3x3 convolution.
        groups: Of the 3x3 convolution.
        attention: Of what the block computes, as ``channel_attention`` takes it.
        stochastic_depth: How often nothing is added to the residual path in training.
        name: Prefix of the layers' names.

    Returns:
        Both paths: ``(B, H/stride, W/stride, filters)`` and ``(B, H/stride, W/stride, D +
        growth)``.
    """

    def convolve(x, filters, size, stride=1, groups=1, *, name):
        return bn_relu_conv(x, filters, size, stride, groups=groups, epsilon=EPSILON, name=name)

    x, *dense = paths
    if dense:
        x = layers.Concatenate(name=f"{name}_input")([x, *dense])
    if not dense or stride > 1 or paths[0].shape[-1] != filters:
        both = convolve(x, filters + 2 * growth, 1, stride, name=f"{name}_shortcut")
        paths = ops.split(both, [filters], axis=-1)
    x = convolve(x, width, 1, name=f"{name}_1")
    x = convolve(x, width, 3, stride, groups, name=f"{name}_2")
    x = convolve(x, filters + growth, 1, name=f"{name}_3")
    x = channel_attention(x, attention, name=f"{name}_attention")
    added, appended = ops.split(x, [filters], axis=-1)
    residual = residual_sum(added, [paths[0]], None, stochastic_depth, name=name)
    return residual, layers.Concatenate(name=f"{name}_concat")([paths[1], appended])
