"""MobileNetV2: features are carried in few channels, and computed in many.

Sandler, Howard, Zhu, Zhmoginov, Chen. MobileNetV2: Inverted Residuals and Linear
Bottlenecks. CVPR 2018. https://arxiv.org/abs/1801.04381

    image -> stem -> [inverted residual] x depth, stage by stage -> 1x1 -> pooling -> head

    y = x + W2 ReLU6(depthwise(ReLU6(W1 x)))      W1: C -> 6 C channels, W2: 6 C -> C

The narrow end is linear, since a ReLU in few channels loses what it sets to zero.
"""

import functools
import math
from collections.abc import Sequence

import keras
from keras import Model, layers

from keras_arch.layers import (
    check_alpha,
    check_depth,
    check_padding,
    check_stages,
    conv_bn_act,
    global_average,
    image_classifier,
    inverted_residual,
    keep_resolution,
    linear_rates,
    make_divisible,
)
from keras_arch.layers.squeeze_excitation import Attention
from keras_arch.registry import register

KERAS_NAMES = {  # layers of keras.applications -> ours
    r"^Conv1$": "stem_conv",
    r"^bn_Conv1$": "stem_bn",
    r"^Conv_1$": "last_conv",
    r"^Conv_1_bn$": "last_bn",
    r"^expanded_conv_": "block_0_",
    r"^block_(\d+)_([a-z]+)$": r"block\1_\2_conv",
    r"^block_(\d+)_([a-z]+)_BN$": r"block\1_\2_bn",
    r"^predictions$": "head",
}


@register(
    paper="MobileNetV2: Inverted Residuals and Linear Bottlenecks",
    authors="Sandler, Howard, Zhu, Zhmoginov, Chen",
    year=2018,
    url="https://arxiv.org/abs/1801.04381",
    venue="CVPR",
    task="image-classification",
    parameters={"MobileNetV2": 3_538_984},
    reference="keras.applications",
    rename=KERAS_NAMES,
    tiny={
        "plain": {
            "alpha": 0.5,
            "depths": (1, 2),
            "widths": (16, 24),
            "strides": (1, 2),
            "expansion": 2,
            "last_width": 12,
            "dropout": 0.2,
            "input_shape": (16, 16, 3),
            "classes": 5,
        },
        "attention": {
            "alpha": 1.5,
            "depths": (2, 1),
            "widths": (8, 12),
            "strides": (2, 2),
            "expansion": 3,
            "last_width": 8,
            "attention": "squeeze_excitation",
            "stochastic_depth": 0.2,
            "stem": "cifar",
            "input_shape": (None, None, 1),
            "include_top": False,
        },
    },
)
def MobileNetV2(
    alpha: float = 1.0,
    depths: Sequence[int] = (1, 2, 3, 4, 3, 3, 1),
    widths: Sequence[int] = (16, 24, 32, 64, 96, 160, 320),
    strides: Sequence[int] = (1, 2, 2, 2, 1, 2, 1),
    expansion: int = 6,
    last_width: int = 1280,
    dropout: float = 0.0,
    stochastic_depth: float = 0.0,
    attention: Attention = None,
    padding: str = "same",
    stem: str = "imagenet",
    include_top: bool = True,
    weights: str | None = None,
    input_tensor: keras.KerasTensor | None = None,
    input_shape: tuple[int | None, int | None, int] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | None = "softmax",
    name: str = "mobilenetv2",
) -> Model:
    """Network of inverted residuals with linear bottlenecks.

    Args:
        alpha: Factor of all widths, which stay multiples of 8.
        depths: Blocks in each stage.
        widths: Channels of each stage, before ``alpha``.
        strides: Of the first block of each stage.
        expansion: How many times wider a block is within; the first one is not wider.
        last_width: Channels of the last convolution; ``alpha`` only makes it wider.
        dropout: Rate before the head: 0 in ``keras.applications``, 0.2 in the authors' code.
        stochastic_depth: How often the last block is left out in training, the blocks
            before it linearly less, where there is a shortcut past them.
        attention: Within each block: ``None``, ``"squeeze_excitation"`` or a function
            ``(x, name) -> x``.
        padding: Where the zeros of strided depthwise convolutions stand: ``"same"``, as
            TensorFlow and ``keras.applications`` do it; ``"behind"``, which is alike for
            images of a multiple of 32; ``"both"``, as in PyTorch, the stem's too.
        stem: ``"imagenet"`` (the stem halves the resolution), or ``"cifar"``: the first two
            reductions, the stem's and the next, are left out.
        include_top: Whether to add pooling and the head.
        weights: ``None``, ``"imagenet"`` or the path of a file; a head of other
            ``classes`` is new, another number of channels adapts the first kernel.
        input_tensor: Keras tensor to use as the image, instead of a new input; an
            ``input_shape`` beside it must be its own.
        input_shape: ``(height, width, channels)``; height and width may be ``None``
            without the top. By default 224x224 pixels with the top, any size without, RGB.
        pooling: Without the head: ``None`` for the feature map, ``"avg"`` or ``"max"``.
        classes: Size of the output.
        classifier_activation: Activation of the head; ``None`` gives logits.
        name: Name of the model.

    Returns:
        A functional ``keras.Model``, ``(B, H, W, C) -> (B, classes)``, with the taps
        ``stem``, ``stage1`` ... ``stageS`` and ``head``.

    Raises:
        ValueError: If the image is too small (under 32 pixels), the stages differ in
            number, or ``stochastic_depth``, ``attention``, ``padding``, ``stem``,
            ``pooling`` or ``weights`` is none of the above.

    Example:

    >>> model = MobileNetV2(alpha=0.35, input_shape=(64, 64, 3), classes=10)
    >>> model.get_layer("stage7").output.shape
    (None, 2, 2, 112)
    """
    check_stages(depths, widths=widths, strides=strides)
    check_alpha(alpha)
    check_padding(padding)
    rates = iter(linear_rates(stochastic_depth, sum(depths)))
    check_depth(depths, layers_each=9)  # of a block without a shortcut
    first, *reduces = keep_resolution((2, *strides), stem)
    image, finish = image_classifier(
        include_top,
        weights,
        input_tensor,
        input_shape,
        pooling,
        classes,
        classifier_activation,
        name,
        family="MobileNetV2",
        smallest=first * math.prod(reduces),
        resolutions=(96, 128, 160, 192),
        alpha=alpha,
        depths=depths,
        widths=widths,
        strides=strides,
        expansion=expansion,
        last_width=last_width,
        attention=attention,
    )
    at_stem = "both" if padding == "both" else "same"
    x = conv_bn_act(image, make_divisible(32 * alpha), 3, first, padding=at_stem, name="stem")
    x = layers.Identity(name="stem")(x)
    block = 0  # counted through, as in keras.applications
    for stage, (depth, width) in enumerate(zip(depths, widths, strict=True), start=1):
        for index in range(depth):
            x = inverted_residual(
                x,
                make_divisible(int(width * alpha)),
                x.shape[-1] * (expansion if block else 1),
                reduces[stage - 1] if index == 0 else 1,
                attention=attention,
                stochastic_depth=next(rates),
                padding=padding,
                name=f"block{block}",
            )
            block += 1
        x = layers.Identity(name=f"stage{stage}")(x)
    x = conv_bn_act(x, make_divisible(last_width * alpha) if alpha > 1 else last_width, name="last")
    return finish(x, functools.partial(global_average, dropout=dropout))
