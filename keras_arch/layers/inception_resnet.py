"""Inception-ResNet: an Inception module computes what is added to its input, scaled down.

Szegedy, Ioffe, Vanhoucke, Alemi. Inception-v4, Inception-ResNet and the Impact of Residual
Connections on Learning. AAAI 2017. https://arxiv.org/abs/1602.07261

    y = ReLU(x + scale * (branches -> 1x1))
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
from keras import layers

from keras_arch.layers.inception_module import (
    Step,
    inception_branch,
    inception_module,
    pooling_unit,
    without_strides,
)
from keras_arch.layers.residual_scale import residual_scale
from keras_arch.layers.squeeze_excitation import Attention, channel_attention
from keras_arch.layers.stochastic_depth import StochasticDepth, linear_rates


def inception_residual_block(
    x: keras.KerasTensor,
    branches: Sequence[Sequence[Step]],
    scale: float,
    convolve: Callable[..., keras.KerasTensor],
    rate: float = 0.0,
    attention: Attention = None,
    name: str = "block",
) -> keras.KerasTensor:
    """Branches, brought to the channels of the input, scaled, added: ``(B, H, W, C)``, the same.

    Args:
        x: The features.
        branches: Of the module, see ``inception_module``.
        scale: Factor of what is added; with 0 nothing is.
        convolve: Makes a convolution.
        rate: How often the residual is left out in training.
        attention: What it goes through before that, see ``channel_attention``.
        name: Prefix of the layers' names.
    """
    y = inception_module(x, *branches, convolve=convolve, name=f"{name}_mixed")
    y = layers.Conv2D(x.shape[-1], 1, name=f"{name}_conv")(y)
    y = channel_attention(y, attention, f"{name}_attention")
    if rate:
        y = StochasticDepth(rate, "inverted", name=f"{name}_drop")(y)
    return residual_scale(x, y, scale, name=name)


def inception_resnet(
    image: keras.KerasTensor,
    version: Mapping[str, Any],
    depths: Sequence[int],
    scales: Sequence[float],
    convolve: Callable[..., keras.KerasTensor],
    stochastic_depth: float = 0.0,
    attention: Attention = None,
    stem: str = "imagenet",
) -> keras.KerasTensor:
    """Stem and stages of either version: ``(B, H, W, C) -> (B, H/32, W/32, C')``.

    Args:
        image: The image.
        version: ``"stem"``, ``"blocks"`` of each stage and ``"reductions"`` between them, as
            steps and branches of ``inception_module``.
        depths: Blocks in each stage.
        scales: Factor of the residuals of each stage; one more is that of the very last
            block, which then ends without ReLU.
        convolve: Makes a convolution.
        stochastic_depth: Rate of the last block.
        attention: What each residual goes through.
        stem: ``"imagenet"``, or ``"cifar"``, without strides.

    Raises:
        ValueError: If ``stochastic_depth`` is no rate.
    """
    rates = iter(linear_rates(stochastic_depth, sum(depths)))
    pool = functools.partial(pooling_unit, strided="valid")
    steps = version["stem"] if stem == "imagenet" else without_strides(version["stem"])
    x = inception_branch(image, steps, convolve, pool, name="stem")
    x = layers.Identity(name="stem")(x)
    for stage, depth in enumerate(depths, start=1):
        if stage > 1:
            branches, here = version["reductions"][stage - 2], f"stage{stage}_reduction"
            x = inception_module(x, *branches, convolve=convolve, pool=pool, name=here)
        branches = version["blocks"][stage - 1]
        for index in range(1, depth + 1):
            here = f"stage{stage}_block{index}"
            last = len(scales) > len(depths) and (stage, index) == (len(depths), depth)
            scale = scales[-1] if last else scales[stage - 1]
            x = inception_residual_block(
                x, branches, scale, convolve, next(rates), attention, name=here
            )
            if not last:
                x = layers.ReLU(name=f"{here}_relu")(x)
        x = layers.Identity(name=f"stage{stage}")(x)
    return x
