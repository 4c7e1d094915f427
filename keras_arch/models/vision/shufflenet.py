"""ShuffleNet: 1x1 convolutions in groups, and a shuffle that lets the groups exchange.

Zhang, Zhou, Lin, Sun. ShuffleNet: An Extremely Efficient Convolutional Neural Network for
Mobile Devices. CVPR 2018. https://arxiv.org/abs/1707.01083

    image -> 3x3/2, 24 -> pool -> [unit] x 4, 8, 4 -> pooling -> head

    unit: x -> 1x1 in groups -> shuffle -> 3x3 depthwise -> 1x1 in groups -> + x

A unit that halves the resolution concatenates the averaged input instead of adding it. Of
140 million multiply-adds more groups make more channels: 144 in the first stage without
groups, 384 with eight.
"""

import functools
import itertools
from collections.abc import Sequence

import keras
from keras import Model, layers

from keras_arch.errors import invalid
from keras_arch.layers import (
    ChannelShuffle,
    batch_norm,
    bn_relu,
    channel_attention,
    check_alpha,
    check_depth,
    check_stages,
    convolutional_stem,
    global_average,
    image_classifier,
    linear_rates,
    residual_sum,
    smallest_side,
)
from keras_arch.layers.channel_shuffle import PUBLICATION
from keras_arch.layers.squeeze_excitation import Attention
from keras_arch.registry import register

PRESETS = {f"ShuffleNetG{groups}": {"groups": groups} for groups in (1, 2, 3, 4, 8)}

WIDTHS = {  # table 1
    1: (144, 288, 576),
    2: (200, 400, 800),
    3: (240, 480, 960),
    4: (272, 544, 1088),
    8: (384, 768, 1536),
}
STEM = 24
CONCATENATIONS = ("shortcut_first", "branch_first")


def shuffle_unit(
    x, filters, groups, squeeze_groups, stride, concatenation, attention, stochastic_depth, name
):
    """``(B, H, W, C) -> (B, H/stride, W/stride, filters)``."""
    narrow, past, edge = filters // 4, x, "same"
    if stride > 1:
        past = layers.ZeroPadding2D(1, name=f"{name}_shortcut_pad")(past)
        past = layers.AveragePooling2D(3, stride, name=f"{name}_shortcut")(past)
        filters -= x.shape[-1]  # together with the shortcut
    x = layers.Conv2D(narrow, 1, groups=squeeze_groups, use_bias=False, name=f"{name}_1_conv")(x)
    x = bn_relu(x, name=f"{name}_1")
    x = ChannelShuffle(groups, name=f"{name}_shuffle")(x)
    if stride > 1:  # zeros on all sides alike
        x = layers.ZeroPadding2D(1, name=f"{name}_2_pad")(x)
        edge = "valid"
    x = layers.DepthwiseConv2D(3, stride, edge, use_bias=False, name=f"{name}_2_conv")(x)
    x = batch_norm(x, name=f"{name}_2_bn")  # no ReLU
    x = layers.Conv2D(filters, 1, groups=groups, use_bias=False, name=f"{name}_3_conv")(x)
    x = batch_norm(x, name=f"{name}_3_bn")
    if stride == 1:
        x = residual_sum(x, [past], attention, stochastic_depth, name=name)
    else:
        x = channel_attention(x, attention, name=f"{name}_attention")
        parts = [past, x] if concatenation == "shortcut_first" else [x, past]
        x = layers.Concatenate(name=f"{name}_concat")(parts)
    return layers.ReLU(name=f"{name}_relu")(x)


@register(
    **PUBLICATION,
    task="image-classification",
    presets=PRESETS,
    parameters={
        "ShuffleNetG1": 1_546_624,
        "ShuffleNetG2": 1_754_248,
        "ShuffleNetG3": 1_890_208,
        "ShuffleNetG4": 1_996_088,
        "ShuffleNetG8": 2_473_936,
    },
    reference="pytorchcv",
    tiny={
        "groups": {
            "groups": 2,
            "depths": (2, 1),
            "widths": (64, 96),
            "alpha": 0.25,
            "input_shape": (24, 20, 3),
            "classes": 5,
        },
        "small_images": {
            "groups": 3,
            "depths": (2,),
            "widths": (48,),
            "concatenation": "branch_first",
            "attention": "squeeze_excitation",
            "stem": "cifar",
            "input_shape": (7, 6, 1),
            "include_top": False,
        },
    },
)
def ShuffleNet(
    groups: int = 3,
    depths: Sequence[int] = (4, 8, 4),
    widths: Sequence[int] | None = None,
    alpha: float = 1.0,
    concatenation: str = "shortcut_first",
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
    name: str = "shufflenet",
) -> Model:
    """ShuffleNet (the first).

    Args:
        groups: Groups of the 1x1 convolutions; only the very first of them, which reads
            few channels, is not grouped.
        depths: Units in each stage, of which the first halves the resolution.
        widths: Channels of each stage, by default those of table 1 for 1, 2, 3, 4 or 8
            groups.
        alpha: Factor of all channels (``s`` in the paper: 1, 0.5 or 0.25); those of the stem
            are rounded up to a multiple of ``groups``.
        concatenation: ``"shortcut_first"``, as the authors' code has it, or
            ``"branch_first"`` (pytorchcv): which channels of a stage come first, and so
            share a group.
        dropout: Rate before the head.
        stochastic_depth: How often the last unit is left out in training, the units before
            it ever less, where there is a shortcut past them.
        attention: ``None``, ``"squeeze_excitation"`` or a function ``(x, name) -> x``, at
            the end of every branch.
        stem: ``"imagenet"`` (a quarter of the size) or ``"cifar"`` (3x3, full size).
        include_top: Whether to add pooling and the head.
        weights: ``None`` or the path of a file; a head of other ``classes`` is new,
            another number of channels adapts the first kernel.
        input_tensor: Keras tensor to use as the image, instead of a new input; an
            ``input_shape`` beside it must be its own.
        input_shape: ``(height, width, channels)``, each size may be ``None``. By default
            224x224 pixels with the top, any size without, RGB.
        pooling: Without the head: ``None`` for the feature map, ``"avg"`` or ``"max"``.
        classes: Size of the output.
        classifier_activation: Activation of the head; ``None`` gives logits.
        name: Name of the model.

    Returns:
        A functional ``keras.Model``, ``(B, H, W, C) -> (B, classes)``, with the taps
        ``stem``, ``stage1`` ... ``stageS`` and ``head``.

    Raises:
        ValueError: If the image is too small (under 32 pixels), the stages differ in
            number, their widths do not grow or do not divide into the groups, the network
            is too deep for Keras, or ``concatenation``, ``stochastic_depth``,
            ``attention``, ``stem``, ``pooling`` or ``weights`` is none of the above.

    Example:

    >>> model = ShuffleNet(groups=3, alpha=0.5, stem="cifar", input_shape=(32, 32, 3), classes=10)
    >>> model.get_layer("stage3").output.shape
    (None, 4, 4, 480)
    """
    if widths is None:
        if groups not in WIDTHS:
            raise invalid("groups", f"one of {tuple(WIDTHS)}, or `widths` of your own", groups)
        widths = WIDTHS[groups]
    check_stages(depths, widths=widths)
    check_alpha(alpha, *widths)
    made = [int(width * alpha) for width in widths]
    if any(width % (4 * groups) for width in made):
        expected = f"multiples of 4 x {groups} groups (times `alpha` {alpha})"
        raise invalid("widths", expected, tuple(widths))
    first = -(-int(STEM * alpha) // groups) * groups  # what the stem leaves must divide, too
    if any(wide <= narrow for narrow, wide in itertools.pairwise((first, *made))):
        raise invalid("widths", f"sizes that grow, from more than {first}", tuple(widths))
    if concatenation not in CONCATENATIONS:
        raise invalid("concatenation", f"one of {CONCATENATIONS}", concatenation)
    check_depth(depths, layers_each=2)  # addition and ReLU
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
        family="ShuffleNet",
        smallest=smallest_side(stem, len(depths)),
        groups=groups,
        widths=widths,
    )
    x = convolutional_stem(image, first, stem, size=3)
    for stage, (depth, width) in enumerate(zip(depths, made, strict=True), start=1):
        for index in range(1, depth + 1):
            x = shuffle_unit(
                x,
                width,
                groups,
                squeeze_groups=1 if stage == index == 1 else groups,
                stride=2 if index == 1 else 1,
                concatenation=concatenation,
                attention=attention,
                stochastic_depth=next(rates),
                name=f"stage{stage}_unit{index}",
            )
        x = layers.Identity(name=f"stage{stage}")(x)
    return finish(x, top=functools.partial(global_average, dropout=dropout))
