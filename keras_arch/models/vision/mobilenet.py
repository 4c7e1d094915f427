"""MobileNet: a convolution is split in two, one that filters and one that mixes channels.

Howard, Zhu, Chen, Kalenichenko, Wang, Weyand, Andreetto, Adam. MobileNets: Efficient
Convolutional Neural Networks for Mobile Vision Applications. 2017.
https://arxiv.org/abs/1704.04861

    image -> stem -> [depthwise 3x3 -> 1x1] x depth, stage by stage -> pooling -> head

Such a pair costs 1/N + 1/9 of a 3x3 convolution to N channels. Three quarters of the
weights, and nearly all of the work, are in the 1x1 convolutions. ``alpha`` makes every
layer thinner, a smaller image makes every map smaller.
"""

import math
from collections.abc import Sequence

import keras
from keras import Model, layers

from keras_arch.layers import (
    channel_attention,
    check_alpha,
    check_depth,
    check_padding,
    check_stages,
    conv_bn_act,
    depthwise_bn_act,
    image_classifier,
    keep_resolution,
    pointwise_head,
)
from keras_arch.layers.squeeze_excitation import PUBLICATION, Attention
from keras_arch.registry import register

MOMENTUM = 0.99  # of normalization, in keras.applications
STEM_WIDTH = 32

PRESETS = {"SEMobileNet": {"attention": "squeeze_excitation"}}

KERAS_NAMES = {  # layers of keras.applications -> ours
    r"^conv1$": "stem_conv",
    r"^conv1_bn$": "stem_bn",
    r"^conv_dw_(\d+)(_bn)?$": r"block\1_depthwise\2",
    r"^conv_pw_(\d+)(_bn)?$": r"block\1_pointwise\2",
    r"(depth|point)wise$": r"\1wise_conv",
    r"^conv_preds$": "head",
}


def separable_block(x, filters, stride, multiplier, padding, attention, name):
    """``(B, H, W, C) -> (B, H/stride, W/stride, filters)``."""
    depthwise = f"{name}_depthwise"
    x = depthwise_bn_act(x, 3, stride, "relu6", multiplier, padding, MOMENTUM, name=depthwise)
    x = conv_bn_act(x, filters, momentum=MOMENTUM, name=f"{name}_pointwise")
    return channel_attention(x, attention, name=f"{name}_se")


def pooled(x, dropout):
    """``(B, H, W, C) -> (B, 1, 1, C)``."""
    x = layers.GlobalAveragePooling2D(keepdims=True, name="pool")(x)
    return layers.Dropout(dropout, name="dropout")(x) if dropout else x


@register(
    paper="MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications",
    authors="Howard, Zhu, Chen, Kalenichenko, Wang, Weyand, Andreetto, Adam",
    year=2017,
    url="https://arxiv.org/abs/1704.04861",
    task="image-classification",
    presets=PRESETS,
    publications={"SEMobileNet": PUBLICATION},
    parameters={"MobileNet": 4_253_864, "SEMobileNet": 4_739_932},
    reference="keras.applications",
    rename=KERAS_NAMES,
    tiny={
        "plain": {
            "depths": (1, 2),
            "widths": (8, 12),
            "alpha": 0.5,
            "dropout": 0.1,
            "input_shape": (16, 16, 3),
            "classes": 5,
        },
        "attention": {
            "depths": (1, 1, 1),
            "widths": (48, 64, 64),
            "alpha": 2.0,
            "depth_multiplier": 2,
            "attention": "squeeze_excitation",
            "padding": "both",
            "stem": "cifar",
            "input_shape": (None, None, 1),
            "include_top": False,
            "pooling": "avg",
        },
    },
)
def MobileNet(
    alpha: float = 1.0,
    depth_multiplier: int = 1,
    depths: Sequence[int] = (1, 2, 2, 6, 2),
    widths: Sequence[int] = (64, 128, 256, 512, 1024),
    dropout: float = 1e-3,
    attention: Attention = None,
    padding: str = "behind",
    stem: str = "imagenet",
    include_top: bool = True,
    weights: str | None = None,
    input_tensor: keras.KerasTensor | None = None,
    input_shape: tuple[int | None, int | None, int] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | None = "softmax",
    name: str = "mobilenet",
) -> Model:
    """Network of depthwise-separable convolutions.

    Args:
        alpha: Factor of all widths, the stem's included.
        depth_multiplier: Filters for each channel of the depthwise convolutions.
        depths: Pairs of convolutions in each stage.
        widths: Channels of each stage, before ``alpha``.
        dropout: Rate before the head.
        attention: After each pair: ``None``, ``"squeeze_excitation"`` or a function ``(x,
            name) -> x``.
        padding: Where the zeros of strided depthwise convolutions stand: ``"behind"``, as
            in ``keras.applications``; ``"same"``, as TensorFlow does it, which is alike
            for images of a multiple of 32; ``"both"``, as in PyTorch.
        stem: ``"imagenet"`` (each stage but the first halves the resolution, the stem
            too), or ``"cifar"``: the first two of these reductions are left out.
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
        ``stem``, ``stage1`` ... ``stageS`` and ``head``, which is a 1x1 convolution here.

    Raises:
        ValueError: If the image is too small (under 32 pixels), the stages differ in
            number, ``alpha`` leaves no channel, or ``padding``, ``attention``, ``stem``,
            ``pooling`` or ``weights`` is none of the above.

    Example:

    >>> model = MobileNet(alpha=0.25, input_shape=(64, 64, 3), classes=10)
    >>> model.get_layer("stage5").output.shape
    (None, 2, 2, 256)
    """
    check_stages(depths, widths=widths)
    check_alpha(alpha, STEM_WIDTH, *widths)
    check_padding(padding)
    check_depth(depths, layers_each=8)
    first, *strides = keep_resolution((2, 1, *[2] * (len(depths) - 1)), stem)
    image, finish = image_classifier(
        include_top,
        weights,
        input_tensor,
        input_shape,
        pooling,
        classes,
        classifier_activation,
        name,
        family="MobileNet",
        smallest=first * math.prod(strides),
        resolutions=(128, 160, 192),
        alpha=alpha,
        depth_multiplier=depth_multiplier,
        depths=depths,
        widths=widths,
        attention=attention,
    )
    at_stem = "both" if padding == "both" else "same"
    width = int(STEM_WIDTH * alpha)
    x = conv_bn_act(image, width, 3, first, "relu6", at_stem, MOMENTUM, name="stem")
    x = layers.Identity(name="stem")(x)
    block = 0  # counted through, as in keras.applications
    for stage, (depth, width) in enumerate(zip(depths, widths, strict=True), start=1):
        for index in range(depth):
            block += 1
            x = separable_block(
                x,
                int(width * alpha),
                strides[stage - 1] if index == 0 else 1,
                depth_multiplier,
                padding,
                attention,
                name=f"block{block}",
            )
        x = layers.Identity(name=f"stage{stage}")(x)
    return finish(x, top=lambda x: pooled(x, dropout), head=pointwise_head)
