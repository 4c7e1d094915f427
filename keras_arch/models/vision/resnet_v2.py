"""ResNet V2: normalization and ReLU stand before a convolution, nothing on the way past it.

He, Zhang, Ren, Sun. Identity Mappings in Deep Residual Networks.
ECCV 2016. https://arxiv.org/abs/1603.05027

    image -> stem -> [pre-activation block] x depth, stage by stage -> BN, ReLU -> head

    y = x + F(BN, ReLU(x)),   hence   x_L = x_0 + sum of F_l   along a stage

``wiring="keras"`` is that of ``keras.applications``: the last block of a stage halves the
resolution, the stem has no normalization, and the stem, the shortcuts and the last
convolution of a block have biases. ``wiring="paper"`` is the authors': the first block
halves it, and no convolution has a bias.
"""

import functools
from collections.abc import Callable, Sequence

import keras
from keras import Model, layers

from keras_arch.errors import invalid
from keras_arch.layers import (
    bn_relu,
    check_depth,
    check_stages,
    convolutional_stem,
    global_average,
    image_classifier,
    linear_rates,
    preactivation_block,
    preactivation_bottleneck,
    smallest_side,
)
from keras_arch.layers.squeeze_excitation import Attention
from keras_arch.registry import register

BASIC = {"block": "basic", "wiring": "paper"}
CIFAR = {
    "widths": (16, 32, 64),
    "wiring": "paper",
    "stem": "cifar",
    "input_shape": (32, 32, 3),
    "classes": 10,
}

PRESETS = {
    "ResNet50V2": {"depths": (3, 4, 6, 3)},
    "ResNet101V2": {"depths": (3, 4, 23, 3)},
    "ResNet152V2": {"depths": (3, 8, 36, 3)},
    "ResNet200V2": {"depths": (3, 24, 36, 3), "wiring": "paper"},
    "PreActResNet18": {"depths": (2, 2, 2, 2), **BASIC},
    "PreActResNet110CIFAR": {"depths": (18, 18, 18), "block": "basic", **CIFAR},
    "PreActResNet164CIFAR": {"depths": (18, 18, 18), **CIFAR},
    "PreActResNet1001CIFAR": {"depths": (111, 111, 111), **CIFAR},
}

KERAS_NAMES = {  # layers of keras.applications -> ours
    r"^conv1_conv$": "stem_conv",
    r"^conv(\d)_block(\d+)_0_conv$": r"stage\1_block\2_shortcut",
    r"^conv(\d)_block(\d+)_(\d)_conv$": r"stage\1_block\2_\3_conv",
    r"^conv(\d)_block(\d+)_preact_bn$": r"stage\1_block\2_1_bn",  # theirs follow the
    r"^conv(\d)_block(\d+)_1_bn$": r"stage\1_block\2_2_bn",  # convolutions in number,
    r"^conv(\d)_block(\d+)_2_bn$": r"stage\1_block\2_3_bn",  # ours come before them
    r"^stage2_": "stage1_",  # they count the stem as the first
    r"^stage3_": "stage2_",
    r"^stage4_": "stage3_",
    r"^stage5_": "stage4_",
    r"^post_bn$": "final_bn",
    r"^predictions$": "head",
}


@register(
    paper="Identity Mappings in Deep Residual Networks",
    authors="He, Zhang, Ren, Sun",
    year=2016,
    url="https://arxiv.org/abs/1603.05027",
    venue="ECCV",
    task="image-classification",
    presets=PRESETS,
    parameters={
        "ResNet50V2": 25_613_800,
        "ResNet101V2": 44_675_560,
        "ResNet152V2": 60_380_648,
        "ResNet200V2": 64_834_728,
        "PreActResNet18": 11_695_784,
        "PreActResNet110CIFAR": 1_738_618,
        "PreActResNet164CIFAR": 1_727_482,
        "PreActResNet1001CIFAR": 10_476_922,
    },
    reference="keras.applications",
    rename=KERAS_NAMES,
    tiny={
        "keras": {
            "depths": (2, 1),
            "widths": (3, 4),
            "input_shape": (24, 24, 3),
            "classes": 5,
        },
        "paper": {
            "depths": (1, 1),
            "widths": (3, 4),
            "wiring": "paper",
            "input_shape": (24, 24, 3),
            "include_top": False,
        },
        "basic": {
            "depths": (1, 2),
            "widths": (4, 6),
            **BASIC,
            "stem": "cifar",
            "input_shape": (8, 8, 1),
            "classes": 3,
        },
        "padding": {
            "depths": (1, 1),
            "widths": (4, 6),
            "block": "basic",
            "shortcut": "padding",
            "stem": "cifar",
            "input_shape": (9, 9, 2),
            "include_top": False,
            "pooling": "avg",
        },
        "attentive": {
            "depths": (1,),
            "widths": (64,),
            "block": "basic",
            "wiring": "paper",
            "dropout": 0.2,
            "stochastic_depth": 0.01,
            "attention": "squeeze_excitation",
            "stem": "cifar",
            "input_shape": (8, 8, 4),
            "classes": 3,
        },
    },
)
def ResNetV2(
    depths: Sequence[int] = (3, 4, 6, 3),
    widths: Sequence[int] = (64, 128, 256, 512),
    block: str = "bottleneck",
    shortcut: str = "projection",
    wiring: str = "keras",
    dropout: float = 0.0,
    stochastic_depth: float = 0.0,
    attention: Attention = None,
    stem: str = "imagenet",
    include_top: bool = True,
    weights: str | None = None,
    input_tensor: keras.KerasTensor | None = None,
    input_shape: tuple[int | None, int | None, int] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | None = "softmax",
    name: str = "resnetv2",
) -> Model:
    """Residual network with pre-activation and pure identity shortcuts.

    Args:
        depths: Blocks in each stage.
        widths: Channels of the 3x3 convolutions in each stage; the stem has the first.
        block: ``"bottleneck"``, with four times as many channels at its end, or ``"basic"``.
        shortcut: Where the channels change: ``"projection"`` or ``"padding"`` (zeros, no
            parameters).
        wiring: ``"keras"`` or ``"paper"``, see above; in bottlenecks the paper's strides in
            the first convolution, the other in the 3x3.
        dropout: Rate before the head.
        stochastic_depth: How often the last block is left out in training, the blocks
            before it ever less.
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
            number, the network is too deep for Keras (over 900 blocks), or ``block``,
            ``shortcut``, ``wiring``, ``stochastic_depth``, ``attention``, ``stem``,
            ``pooling`` or ``weights`` is none of the above.

    Example:

    >>> model = ResNetV2((1, 1), (8, 16), wiring="paper", input_shape=(32, 32, 3), classes=10)
    >>> model.get_layer("stage2").output.shape
    (None, 4, 4, 64)
    """
    for argument, value, known in (
        ("block", block, ("basic", "bottleneck")),
        ("shortcut", shortcut, ("projection", "padding")),
        ("wiring", wiring, ("keras", "paper")),
    ):
        if value not in known:
            raise invalid(argument, f"one of {known}", value)
    check_stages(depths, widths=widths)
    check_depth(depths, layers_each=1)  # its addition
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
        family="ResNetV2",
        smallest=smallest_side(stem, len(depths) - 1),
        depths=depths,
        widths=widths,
        block=block,
        shortcut=shortcut,
        wiring=wiring,
        attention=attention,
        stem=stem,
    )
    bias = wiring == "keras"
    add_block: Callable[..., keras.KerasTensor]
    if block == "basic":
        add_block = functools.partial(preactivation_block, shortcut=shortcut, use_bias=bias)
    else:
        stride_in = "3x3" if wiring == "keras" else "1x1"
        add_block = functools.partial(
            preactivation_bottleneck, shortcut=shortcut, use_bias=bias, stride_in=stride_in
        )
    normalized = wiring == "paper" and stem == "imagenet"  # else the first block does it
    x = convolutional_stem(image, widths[0], stem, normalized, use_bias=bias)
    for stage, (depth, width) in enumerate(zip(depths, widths, strict=True), start=1):
        for index in range(1, depth + 1):
            if wiring == "keras":
                strides = index == depth and stage < len(depths)
            else:
                strides = index == 1 and stage > 1
            x = add_block(
                x,
                width,
                stride=2 if strides else 1,
                attention=attention,
                stochastic_depth=next(rates),
                name=f"stage{stage}_block{index}",
            )
        x = layers.Identity(name=f"stage{stage}")(x)
    x = bn_relu(x, name="final")
    return finish(x, top=functools.partial(global_average, dropout=dropout))
