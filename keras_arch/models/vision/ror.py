"""RoR: shortcuts over blocks, over stages, and one over the whole network.

Zhang, Sun, Han, Yuan, Guo, Liu. Residual Networks of Residual Networks: Multilevel Residual
Networks. IEEE TCSVT 2017. https://arxiv.org/abs/1608.02908

    image -> stem -> [blocks] -> [blocks] -> [blocks] -> head

    the last block of a stage: past + F(x) + what entered the stage (level 2)
    the last block of all:     past + F(x) + the stage's entrance + the stem (level 1)

Level 3, the shortcuts of the blocks, is the network that RoR is built on: a ResNet, a
pre-activation ResNet or a wide one. Where shapes differ, the shortcuts of the upper levels
are 1x1 convolutions (with normalization on a ResNet), the whole network's of stride 4.
"""

import functools

import keras
from keras import Model, layers

from keras_arch.errors import invalid
from keras_arch.layers import (
    bn_relu,
    check_depth,
    convolution,
    convolutional_stem,
    global_average,
    image_classifier,
    linear_rates,
    preactivation_block,
    projection_shortcut,
    residual_block,
    smallest_side,
)
from keras_arch.layers.squeeze_excitation import Attention
from keras_arch.registry import register

STEM, WIDTHS = 16, (16, 32, 64)
OUTSIDE_BLOCKS = {"resnet": 2, "preresnet": 2, "wrn": 4}  # a wide one counts its projections

PRESETS = {  # without their names' "-": RoR-3-110, Pre-RoR-3-110, RoR-3-WRN58-4
    "RoR3L110CIFAR": {"depth": 110, "shortcut": "padding"},
    "RoR3L164CIFAR": {"depth": 164, "shortcut": "padding"},
    "PreRoR3L110CIFAR": {"base": "preresnet", "depth": 110, "shortcut": "padding"},
    "RoR3WRN40K2CIFAR": {"base": "wrn", "depth": 40, "k": 2},
    "RoR3WRN58K4CIFAR": {"base": "wrn", "depth": 58, "k": 4},
}


def farther(x, filters, stride, base, name):
    """Shortcut of an upper level: ``(B, H, W, C) -> (B, H/stride, W/stride, filters)``."""
    if base == "resnet":
        return projection_shortcut(x, filters, stride, name=name)
    if stride > 1 or x.shape[-1] != filters:
        x = convolution(x, filters, 1, stride, name=name)
    return x


@register(
    paper="Residual Networks of Residual Networks: Multilevel Residual Networks",
    authors="Zhang, Sun, Han, Yuan, Guo, Liu",
    year=2017,
    url="https://arxiv.org/abs/1608.02908",
    journal="IEEE Transactions on Circuits and Systems for Video Technology",
    task="image-classification",
    presets=PRESETS,
    parameters={
        "RoR3L110CIFAR": 1_740_282,
        "RoR3L164CIFAR": 2_619_258,
        "PreRoR3L110CIFAR": 1_739_642,
        "RoR3WRN40K2CIFAR": 2_261_754,
        "RoR3WRN58K4CIFAR": 13_661_690,
    },
    tiny={
        "resnet": {
            "depth": 8,
            "attention": "squeeze_excitation",
            "input_shape": (8, 8, 3),
            "classes": 3,
        },
        "wrn": {
            "base": "wrn",
            "depth": 10,
            "k": 2,
            "dropout": 0.2,
            "stochastic_depth": 0.01,
            "stem": "imagenet",
            "input_shape": (32, 32, 1),
            "include_top": False,
        },
        "two_levels": {
            "base": "preresnet",
            "levels": 2,
            "depth": 8,
            "shortcut": "padding",
            "input_shape": (9, 9, 2),
            "classes": 3,
        },
    },
)
def RoR(
    base: str = "resnet",
    levels: int = 3,
    depth: int = 110,
    k: int = 1,
    shortcut: str = "projection",
    dropout: float = 0.0,
    stochastic_depth: float = 0.0,
    attention: Attention = None,
    stem: str = "cifar",
    include_top: bool = True,
    weights: str | None = None,
    input_tensor: keras.KerasTensor | None = None,
    input_shape: tuple[int | None, int | None, int] | None = None,
    pooling: str | None = None,
    classes: int = 10,
    classifier_activation: str | None = "softmax",
    name: str = "ror",
) -> Model:
    """Residual network of residual networks.

    Args:
        base: ``"resnet"``, ``"preresnet"`` (pre-activation) or ``"wrn"`` (wide).
        levels: 3: shortcuts over blocks, stages and the network; 2: not over stages; 1: over
            blocks only, which is the base itself.
        depth: Number of layers, ``6n + 2``, or ``6n + 4`` of a wide network.
        k: Widening factor: the stages have ``16k``, ``32k`` and ``64k`` channels.
        shortcut: Of the blocks, where the channels change: ``"projection"`` or
            ``"padding"`` (zeros, no parameters).
        dropout: Rate before the head.
        stochastic_depth: How often the last block is left out in training, the blocks
            before it ever less; the authors' best networks have 0.5.
        attention: ``None``, ``"squeeze_excitation"`` or a function ``(x, name) -> x``, for
            the channels of each branch.
        stem: ``"cifar"`` (3x3, full size) or ``"imagenet"`` (7x7, a quarter of the size).
        include_top: Whether to add pooling and the head.
        weights: ``None`` or the path of a file; a head of other ``classes`` is new, another
            number of channels adapts the first kernel.
        input_tensor: Keras tensor to use as the image, instead of a new input; an
            ``input_shape`` beside it must be its own.
        input_shape: ``(height, width, channels)``; height and width may be ``None``
            without the top. By default 32x32 pixels with the top, any size without, RGB.
        pooling: Without the head: ``None`` for the feature map, ``"avg"`` or ``"max"``.
        classes: Size of the output.
        classifier_activation: Activation of the head; ``None`` gives logits.
        name: Name of the model.

    Returns:
        A functional ``keras.Model``, ``(B, H, W, C) -> (B, classes)``, with the taps
        ``stem``, ``stage1``, ``stage2``, ``stage3`` and ``head``.

    Raises:
        ValueError: If the image is too small (under 4 pixels), ``depth`` does not fit the
            base or is too deep for Keras, or ``base``, ``levels``, ``k``, ``shortcut``,
            ``stochastic_depth``, ``attention``, ``stem``, ``pooling`` or ``weights`` is
            none of the above.

    Example:

    >>> model = RoR(depth=8)
    >>> [tensor.path for tensor in model.weights if "stages_shortcut_conv" in tensor.path]
    ['stages_shortcut_conv/kernel']
    """
    if base not in OUTSIDE_BLOCKS:
        raise invalid("base", f"one of {set(OUTSIDE_BLOCKS)}", base)
    if levels not in (1, 2, 3):
        raise invalid("levels", "1, 2 or 3", levels)
    blocks, rest = divmod(depth - OUTSIDE_BLOCKS[base], 6)
    if rest or blocks < 1:
        raise invalid("depth", f"6n + {OUTSIDE_BLOCKS[base]} with n of at least 1", depth)
    if not isinstance(k, int) or k < 1:
        raise invalid("k", "a positive integer", k)
    if shortcut not in ("projection", "padding"):
        raise invalid("shortcut", 'one of {"projection", "padding"}', shortcut)
    check_depth((blocks,) * len(WIDTHS), 2, "depth", depth)  # addition and ReLU
    rates = iter(linear_rates(stochastic_depth, blocks * len(WIDTHS)))
    image, finish = image_classifier(
        include_top,
        weights,
        input_tensor,
        input_shape,
        pooling,
        classes,
        classifier_activation,
        name,
        family="RoR",
        smallest=smallest_side(stem, len(WIDTHS) - 1),
        size=32,
        base=base,
        levels=levels,
        depth=depth,
        k=k,
        shortcut=shortcut,
    )
    add_block = residual_block if base == "resnet" else preactivation_block
    x = convolutional_stem(image, STEM, stem, norm=base == "resnet" or stem == "imagenet")
    over_all = []
    if levels > 1:
        over_all = [farther(x, k * WIDTHS[-1], 2 ** (len(WIDTHS) - 1), base, "stages_shortcut")]
    for stage, width in enumerate(WIDTHS, start=1):
        entered, first = x, 2 if stage > 1 else 1
        for index in range(1, blocks + 1):
            further = []
            if index == blocks and levels > 2:
                further = [farther(entered, k * width, first, base, f"stage{stage}_shortcut")]
            if index == blocks and stage == len(WIDTHS):
                further += over_all
            x = add_block(
                x,
                k * width,
                stride=first if index == 1 else 1,
                shortcut=shortcut,
                attention=attention,
                stochastic_depth=next(rates),
                further=further,
                name=f"stage{stage}_block{index}",
            )
        x = layers.Identity(name=f"stage{stage}")(x)
    if base != "resnet":
        x = bn_relu(x, name="final")
    return finish(x, top=functools.partial(global_average, dropout=dropout))
