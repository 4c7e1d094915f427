"""ResNet: each block learns what to add to its input.

He, Zhang, Ren, Sun. Deep Residual Learning for Image Recognition.
CVPR 2016. https://arxiv.org/abs/1512.03385

    image -> stem -> [residual block] x depth, stage by stage -> pooling -> head

    y = ReLU(x + F(x))       F: two 3x3 convolutions, or 1x1 -> 3x3 -> 1x1 (bottleneck)

The first block of a stage halves the resolution, and the shortcut with it. ResNet-50, 101
and 152 are those of ``keras.applications``, whose convolutions have biases; the paper's
have ``conv_bias=False``, and torchvision's ``stride_in="3x3"`` too. Three other publications
change one thing: squeeze-and-excitation before the addition, stochastic depth, and twice the
channels inside a bottleneck (torchvision's form of the wide ResNets for ImageNet).
"""

import functools
from collections.abc import Callable, Sequence

import keras
from keras import Model, layers

from keras_arch.errors import invalid
from keras_arch.layers import (
    bottleneck_block,
    check_depth,
    check_stages,
    convolutional_stem,
    global_average,
    image_classifier,
    linear_rates,
    residual_block,
    smallest_side,
)
from keras_arch.layers.squeeze_excitation import PUBLICATION as SQUEEZE_EXCITATION
from keras_arch.layers.squeeze_excitation import Attention
from keras_arch.layers.stochastic_depth import PUBLICATION as STOCHASTIC_DEPTH
from keras_arch.registry import register

BASIC = {"block": "basic", "conv_bias": False}
CIFAR = {  # 6n + 2 layers
    "widths": (16, 32, 64),
    **BASIC,
    "shortcut": "padding",
    "stem": "cifar",
    "input_shape": (32, 32, 3),
    "classes": 10,
}
SE = {"conv_bias": False, "attention": "squeeze_excitation"}
WIDE = {"conv_bias": False, "stride_in": "3x3", "widening": 2}

PRESETS = {
    "ResNet18": {"depths": (2, 2, 2, 2), **BASIC},
    "ResNet34": {"depths": (3, 4, 6, 3), **BASIC},
    "ResNet50": {"depths": (3, 4, 6, 3)},
    "ResNet101": {"depths": (3, 4, 23, 3)},
    "ResNet152": {"depths": (3, 8, 36, 3)},
    "ResNet200": {"depths": (3, 24, 36, 3), "conv_bias": False},
    "ResNet20CIFAR": {"depths": (3, 3, 3), **CIFAR},
    "ResNet32CIFAR": {"depths": (5, 5, 5), **CIFAR},
    "ResNet44CIFAR": {"depths": (7, 7, 7), **CIFAR},
    "ResNet56CIFAR": {"depths": (9, 9, 9), **CIFAR},
    "ResNet110CIFAR": {"depths": (18, 18, 18), **CIFAR},
    "StochasticDepthResNet": {
        "depths": (18, 18, 18),
        **CIFAR,
        "stochastic_depth": 0.5,
        "stochastic_depth_mode": "paper",
    },
    "SEResNet18": {"depths": (2, 2, 2, 2), "block": "basic", **SE},
    "SEResNet34": {"depths": (3, 4, 6, 3), "block": "basic", **SE},
    "SEResNet50": {"depths": (3, 4, 6, 3), **SE},
    "SEResNet101": {"depths": (3, 4, 23, 3), **SE},
    "SEResNet152": {"depths": (3, 8, 36, 3), **SE},
    "WideResNet50K2": {"depths": (3, 4, 6, 3), **WIDE},
    "WideResNet101K2": {"depths": (3, 4, 23, 3), **WIDE},
}

WIDE_RESNET = {
    "paper": "Wide Residual Networks",
    "authors": "Zagoruyko, Komodakis",
    "year": 2016,
    "url": "https://arxiv.org/abs/1605.07146",
    "venue": "BMVC",
}
PUBLICATIONS = {
    "StochasticDepthResNet": STOCHASTIC_DEPTH,
    **{name: SQUEEZE_EXCITATION for name in PRESETS if name.startswith("SE")},
    **{name: WIDE_RESNET for name in PRESETS if name.startswith("Wide")},
}

KERAS_NAMES = {  # layers of keras.applications -> ours
    r"^conv1_": "stem_",
    r"^conv(\d)_block(\d+)_0_": r"stage\1_block\2_shortcut_",
    r"^conv(\d)_block(\d+)_": r"stage\1_block\2_",
    r"^stage2_": "stage1_",  # they count the stem as the first
    r"^stage3_": "stage2_",
    r"^stage4_": "stage3_",
    r"^stage5_": "stage4_",
    r"^predictions$": "head",
}


@register(
    paper="Deep Residual Learning for Image Recognition",
    authors="He, Zhang, Ren, Sun",
    year=2016,
    url="https://arxiv.org/abs/1512.03385",
    venue="CVPR",
    task="image-classification",
    presets=PRESETS,
    publications=PUBLICATIONS,
    parameters={
        "ResNet18": 11_699_112,
        "ResNet34": 21_814_696,
        "ResNet50": 25_636_712,
        "ResNet101": 44_707_176,
        "ResNet152": 60_419_944,
        "ResNet200": 64_849_832,
        "ResNet20CIFAR": 271_098,
        "ResNet32CIFAR": 466_426,
        "ResNet44CIFAR": 661_754,
        "ResNet56CIFAR": 857_082,
        "ResNet110CIFAR": 1_736_058,
        "StochasticDepthResNet": 1_736_058,
        "SEResNet18": 11_788_192,
        "SEResNet34": 21_975_892,
        "SEResNet50": 28_141_144,
        "SEResNet101": 49_432_216,
        "SEResNet152": 66_973_272,
        "WideResNet50K2": 68_951_464,
        "WideResNet101K2": 127_024_552,
    },
    reference="keras.applications",
    rename=KERAS_NAMES,
    xfail={
        "inference_is_free_of_stochastic_depth-plain": "no branch of it can be left out",
    },
    tiny={
        "bottleneck": {
            "depths": (2, 1),
            "widths": (3, 4),
            "input_shape": (24, 24, 3),
            "classes": 5,
        },
        "strided3x3": {
            "depths": (1, 1),
            "widths": (3, 4),
            "stride_in": "3x3",
            "conv_bias": False,
            "stem": "cifar",
            "input_shape": (9, 9, 2),
            "classes": 3,
        },
        "basic": {
            "depths": (1, 2),
            "widths": (4, 6),
            "block": "basic",
            "conv_bias": False,
            "input_shape": (None, None, 3),
            "include_top": False,
            "pooling": "max",
        },
        "padding": {
            "depths": (1, 2),
            "widths": (4, 6),
            "block": "basic",
            "conv_bias": False,
            "shortcut": "padding",
            "stem": "cifar",
            "input_shape": (8, 8, 1),
            "include_top": False,
        },
        "wide": {
            "depths": (1, 1),
            "widths": (4, 8),
            "conv_bias": False,
            "widening": 2,
            "dropout": 0.2,
            "stochastic_depth": 0.01,
            "attention": "squeeze_excitation",
            "stem": "cifar",
            "input_shape": (8, 8, 3),
            "classes": 3,
        },
        "plain": {
            "depths": (1, 1),
            "widths": (4, 6),
            "block": "basic",
            "shortcut": "none",
            "stem": "cifar",
            "input_shape": (8, 8, 4),
            "classes": 3,
        },
    },
)
def ResNet(
    depths: Sequence[int] = (3, 4, 6, 3),
    widths: Sequence[int] = (64, 128, 256, 512),
    block: str = "bottleneck",
    shortcut: str = "projection",
    stride_in: str = "1x1",
    conv_bias: bool = True,
    widening: int = 1,
    dropout: float = 0.0,
    stochastic_depth: float = 0.0,
    stochastic_depth_mode: str = "inverted",
    attention: Attention = None,
    stem: str = "imagenet",
    include_top: bool = True,
    weights: str | None = None,
    input_tensor: keras.KerasTensor | None = None,
    input_shape: tuple[int | None, int | None, int] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | None = "softmax",
    name: str = "resnet",
) -> Model:
    """Deep residual network.

    Args:
        depths: Blocks in each stage.
        widths: Channels of the 3x3 convolutions in each stage; the stem has the first.
        block: ``"bottleneck"``, with four times as many channels at its end, or ``"basic"``.
        shortcut: Where the shape changes: ``"projection"`` (option B of the paper) or
            ``"padding"`` (option A, no parameters). ``"none"``: nowhere any, the plain
            networks that the paper compares with.
        stride_in: Which convolution of a bottleneck strides: the first, ``"1x1"`` (paper,
            ``keras.applications``), or ``"3x3"`` (torchvision, "v1.5").
        conv_bias: Whether convolutions have biases, which normalization makes redundant.
        widening: Factor of the channels inside a bottleneck.
        dropout: Rate before the head.
        stochastic_depth: How often the last block is left out in training, the blocks
            before it ever less.
        stochastic_depth_mode: ``"inverted"`` scales the branches that are kept in training,
            so that the model is the same at test whatever the rate; ``"paper"`` scales all
            branches at test, as ``StochasticDepthResNet`` does.
        attention: ``None``, ``"squeeze_excitation"`` or a function ``(x, name) -> x``, for
            the channels of each branch.
        stem: ``"imagenet"`` (7x7, a quarter of the size) or ``"cifar"`` (3x3, full size).
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
            number, the network is too deep for Keras (ResNet-1202), or ``block``,
            ``shortcut``, ``stride_in``, ``widening``, ``stochastic_depth``,
            ``stochastic_depth_mode``, ``attention``, ``stem``, ``pooling`` or ``weights``
            is none of the above.

    Example:

    >>> model = ResNet((1, 1), (8, 16), block="basic", input_shape=(32, 32, 3), classes=10)
    >>> model.get_layer("stage2").output.shape
    (None, 4, 4, 16)
    """
    if block not in ("basic", "bottleneck"):
        raise invalid("block", 'one of {"basic", "bottleneck"}', block)
    check_stages(depths, widths=widths)
    if not isinstance(widening, int) or widening < 1 or (block == "basic" and widening > 1):
        raise invalid("widening", "a positive integer, 1 for basic blocks", widening)
    if shortcut == "none" and stochastic_depth:
        raise invalid("stochastic_depth", "0 without shortcuts", stochastic_depth)
    if stochastic_depth_mode not in ("paper", "inverted"):
        raise invalid(
            "stochastic_depth_mode", 'one of {"paper", "inverted"}', stochastic_depth_mode
        )
    plain = 6 if block == "basic" else 9
    check_depth(depths, plain if shortcut == "none" else 2)  # layers: addition and ReLU
    rates = iter(linear_rates(stochastic_depth, sum(depths)))
    image, finish = image_classifier(
        include_top,
        weights,
        input_tensor,
        input_shape,
        pooling,
        classes,
        classifier_activation,
        name,
        family="ResNet",
        smallest=smallest_side(stem, len(depths) - 1),
        depths=depths,
        widths=widths,
        block=block,
        shortcut=shortcut,
        stride_in=stride_in,
        conv_bias=conv_bias,
        widening=widening,
        attention=attention,
    )
    add_block: Callable[..., keras.KerasTensor] = residual_block
    if block == "bottleneck":
        add_block = functools.partial(bottleneck_block, stride_in=stride_in, widening=widening)
    x = convolutional_stem(image, widths[0], stem, use_bias=conv_bias)
    for stage, (depth, width) in enumerate(zip(depths, widths, strict=True), start=1):
        for index in range(1, depth + 1):
            x = add_block(
                x,
                width,
                stride=2 if stage > 1 and index == 1 else 1,
                shortcut=shortcut,
                conv_bias=conv_bias,
                attention=attention,
                stochastic_depth=next(rates),
                stochastic_depth_mode=stochastic_depth_mode,
                name=f"stage{stage}_block{index}",
            )
        x = layers.Identity(name=f"stage{stage}")(x)
    return finish(x, top=functools.partial(global_average, dropout=dropout))
