"""SENet: the grouped residual network with squeeze-and-excitation that won ILSVRC 2017.

Hu, Shen, Sun. Squeeze-and-Excitation Networks.
CVPR 2018. https://arxiv.org/abs/1709.01507

    image -> 3x3/2 64 -> 3x3 64 -> 3x3 128 -> max/2 -> [block] x depth, stage by stage -> head

    block: 1x1, 2C -> 3x3, 4C, in 64 groups -> 1x1, 4C -> squeeze-and-excitation -> added

A ResNeXt-152 (64 x 4d) whose blocks begin with half the channels, with three 3x3 in place
of the 7x7, and 3x3 in place of 1x1 convolutions in the shortcuts that halve the resolution.
"""

import functools
from collections.abc import Sequence

import keras
from keras import Model, layers

from keras_arch.errors import invalid
from keras_arch.layers import (
    check_depth,
    check_stages,
    conv_bn,
    conv_bn_relu,
    global_average,
    image_classifier,
    linear_rates,
    overlapping_pool,
    residual_sum,
    smallest_side,
)
from keras_arch.layers.squeeze_excitation import PUBLICATION, Attention
from keras_arch.registry import register

PRESETS = {"SENet154": {"depths": (3, 8, 36, 3)}}


def entrance(x, width, stem, padding):
    """``(B, H, W, C) -> (B, H/4, W/4, 2 * width)``, or at full size for small images."""
    x = conv_bn_relu(x, width, 3, 2 if stem == "imagenet" else 1, name="stem_1")
    x = conv_bn_relu(x, width, 3, name="stem_2")
    x = conv_bn_relu(x, 2 * width, 3, name="stem_3")
    if stem == "cifar":
        return layers.Identity(name="stem")(x)
    if padding == "behind":
        return overlapping_pool(x, "across", name="stem")
    x = layers.ZeroPadding2D(1, name="stem_edge")(x)
    return overlapping_pool(x, name="stem")


def block(x, filters, stride, groups, attention, stochastic_depth, name):
    """``(B, H, W, C) -> (B, H/stride, W/stride, 4 * filters)``."""
    past = x
    if stride > 1 or x.shape[-1] != 4 * filters:
        size = 3 if stride > 1 else 1
        past = conv_bn(x, 4 * filters, size, stride, name=f"{name}_shortcut")
    x = conv_bn_relu(x, 2 * filters, 1, name=f"{name}_1")
    x = conv_bn_relu(x, 4 * filters, 3, stride, groups=groups, name=f"{name}_2")
    x = conv_bn(x, 4 * filters, 1, name=f"{name}_3")
    x = residual_sum(x, [past], attention, stochastic_depth, name=name)
    return layers.ReLU(name=f"{name}_relu")(x)


@register(
    **PUBLICATION,
    task="image-classification",
    presets=PRESETS,
    parameters={"SENet154": 115_336_536},
    reference="tf2cv",
    tiny={
        "plain": {
            "depths": (1, 1),
            "widths": (4, 8),
            "groups": 2,
            "stochastic_depth": 0.01,
            "input_shape": (24, 24, 3),
            "classes": 3,
        },
        "cifar": {
            "depths": (2,),
            "widths": (4,),
            "groups": 4,
            "attention": None,
            "stem": "cifar",
            "input_shape": (8, 8, 1),
            "include_top": False,
        },
    },
)
def SENet(
    depths: Sequence[int] = (3, 8, 36, 3),
    widths: Sequence[int] = (64, 128, 256, 512),
    groups: int = 64,
    dropout: float = 0.2,
    stochastic_depth: float = 0.0,
    attention: Attention = "squeeze_excitation",
    padding: str = "behind",
    stem: str = "imagenet",
    include_top: bool = True,
    weights: str | None = None,
    input_tensor: keras.KerasTensor | None = None,
    input_shape: tuple[int | None, int | None, int] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | None = "softmax",
    name: str = "senet",
) -> Model:
    """Grouped residual network with squeeze-and-excitation; by default SENet-154.

    Args:
        depths: Blocks in each stage.
        widths: A quarter of each stage's channels; the stem has the first, then twice.
        groups: Of the 3x3 convolutions.
        dropout: Rate before the head.
        stochastic_depth: How often the last block is left out in training, the blocks
            before it ever less.
        attention: ``None``, ``"squeeze_excitation"`` or a function ``(x, name) -> x``, for
            the channels of each branch.
        padding: Where the zeros of the stem's pooling stand: ``"behind"``, as in the authors'
            Caffe and in timm, or ``"both"``, on all sides, as in pytorchcv and tf2cv.
        stem: ``"imagenet"`` (a quarter of the size) or ``"cifar"`` (full size).
        include_top: Whether to add pooling and the head.
        weights: ``None`` or the path of a file; a head of other ``classes`` is new, another
            number of channels adapts the first kernel.
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
            number, are too deep for Keras or not to be divided into the groups, or
            ``stochastic_depth``, ``attention``, ``padding``, ``stem``, ``pooling`` or
            ``weights`` is none of the above.

    Example:

    >>> model = SENet((1, 1), (16, 32), groups=8, input_shape=(32, 32, 3), classes=10)
    >>> model.get_layer("stage2").output.shape
    (None, 4, 4, 128)
    """
    check_stages(depths, widths=widths)
    if groups < 1 or any(2 * width % groups for width in widths):
        raise invalid("groups", f"a divisor of twice each of {tuple(widths)}", groups)
    if padding not in ("behind", "both"):
        raise invalid("padding", 'one of {"behind", "both"}', padding)
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
        family="SENet",
        smallest=smallest_side(stem, len(depths) - 1),
        depths=depths,
        widths=widths,
        groups=groups,
    )
    x = entrance(image, widths[0], stem, padding)
    for stage, (depth, width) in enumerate(zip(depths, widths, strict=True), start=1):
        for index in range(1, depth + 1):
            stride = 2 if stage > 1 and index == 1 else 1
            here = f"stage{stage}_block{index}"
            x = block(x, width, stride, groups, attention, next(rates), name=here)
        x = layers.Identity(name=f"stage{stage}")(x)
    return finish(x, top=functools.partial(global_average, dropout=dropout))
