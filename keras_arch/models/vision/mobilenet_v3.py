"""MobileNetV3: a searched table of inverted residuals, with gates and a cheap swish.

Howard, Sandler, Chu, Chen, Chen, Tan, Wang, Zhu, Pang, Vasudevan, Le, Adam. Searching for
MobileNetV3. ICCV 2019. https://arxiv.org/abs/1905.02244

    image -> stem -> [inverted residual] x table -> 1x1 -> pooling -> 1x1 -> head

    hard swish: x ReLU6(x + 3) / 6        gates: squeeze-and-excitation, ReLU6(x + 3) / 6

What the last stage of MobileNetV2 did with 1280 channels on 7x7 pixels stands behind the
pooling here, where it costs a 49th. ``minimalistic`` is without gates, 5x5 and swish.
"""

import math
from collections.abc import Sequence

import keras
from keras import Model, layers

from keras_arch.errors import invalid
from keras_arch.layers import (
    SqueezeExcitation,
    check_alpha,
    check_depth,
    check_padding,
    conv_bn_act,
    image_classifier,
    inverted_residual,
    keep_resolution,
    linear_rates,
    make_divisible,
    pointwise_head,
)
from keras_arch.registry import register

# Tables 1 and 2 of the paper, each stage from one reduction to the next: kernel, channels
# within, channels, squeeze-and-excitation, activation, stride.
LARGE = (
    ((3, 16, 16, False, "relu", 1),),
    ((3, 64, 24, False, "relu", 2), (3, 72, 24, False, "relu", 1)),
    ((5, 72, 40, True, "relu", 2), (5, 120, 40, True, "relu", 1), (5, 120, 40, True, "relu", 1)),
    (
        (3, 240, 80, False, "hard_swish", 2),
        (3, 200, 80, False, "hard_swish", 1),
        (3, 184, 80, False, "hard_swish", 1),
        (3, 184, 80, False, "hard_swish", 1),
        (3, 480, 112, True, "hard_swish", 1),
        (3, 672, 112, True, "hard_swish", 1),
    ),
    (
        (5, 672, 160, True, "hard_swish", 2),
        (5, 960, 160, True, "hard_swish", 1),
        (5, 960, 160, True, "hard_swish", 1),
    ),
)
SMALL = (
    ((3, 16, 16, True, "relu", 2),),
    ((3, 72, 24, False, "relu", 2), (3, 88, 24, False, "relu", 1)),
    (
        (5, 96, 40, True, "hard_swish", 2),
        (5, 240, 40, True, "hard_swish", 1),
        (5, 240, 40, True, "hard_swish", 1),
        (5, 120, 48, True, "hard_swish", 1),
        (5, 144, 48, True, "hard_swish", 1),
    ),
    (
        (5, 288, 96, True, "hard_swish", 2),
        (5, 576, 96, True, "hard_swish", 1),
        (5, 576, 96, True, "hard_swish", 1),
    ),
)
STEM_WIDTH = 16

PRESETS = {
    "MobileNetV3Large": {"blocks": LARGE, "last_width": 1280},
    "MobileNetV3Small": {"blocks": SMALL, "last_width": 1024},
}

KERAS_NAMES = {  # layers of keras.applications -> ours
    r"^conv_1": "last_conv",
    r"^conv_2$": "fc",
    r"^conv$": "stem_conv",
    r"^conv_bn$": "stem_bn",
    r"^last_conv_bn$": "last_bn",
    r"^expanded_conv_(?!\d)": "expanded_conv_0_",
    r"^expanded_conv_(\d+)_squeeze_excite_conv$": r"block\1_se/squeeze",
    r"^expanded_conv_(\d+)_squeeze_excite_conv_1$": r"block\1_se/excite",
    r"^expanded_conv_(\d+)_([a-z]+)$": r"block\1_\2_conv",
    r"^expanded_conv_(\d+)_([a-z]+)_bn$": r"block\1_\2_bn",
    r"^logits$": "head",
}


def gate(x, name):
    """Squeeze to a quarter, excite: ``(B, H, W, C)``, the same."""
    return SqueezeExcitation(units=make_divisible(x.shape[-1] / 4), gate="hard_sigmoid", name=name)(
        x
    )


def pooled(x, width, activation, dropout):
    """``(B, H, W, C) -> (B, 1, 1, width)``."""
    x = layers.GlobalAveragePooling2D(keepdims=True, name="pool")(x)
    x = layers.Conv2D(width, 1, name="fc")(x)
    x = layers.Activation(activation, name="fc_act")(x)
    return layers.Dropout(dropout, name="dropout")(x) if dropout else x


@register(
    paper="Searching for MobileNetV3",
    authors="Howard, Sandler, Chu, Chen, Chen, Tan, Wang, Zhu, Pang, Vasudevan, Le, Adam",
    year=2019,
    url="https://arxiv.org/abs/1905.02244",
    venue="ICCV",
    task="image-classification",
    presets=PRESETS,
    parameters={"MobileNetV3Large": 5_507_432, "MobileNetV3Small": 2_554_968},
    reference="keras.applications",
    rename=KERAS_NAMES,
    tiny={
        "gates": {
            "blocks": (
                ((3, 16, 16, True, "relu", 1),),
                ((5, 24, 8, True, "hard_swish", 2), (3, 20, 8, False, "hard_swish", 1)),
            ),
            "last_width": 12,
            "include_preprocessing": False,
            "stochastic_depth": 0.2,
            "input_shape": (16, 16, 3),
            "classes": 5,
        },
        "minimalistic": {
            "blocks": (
                ((3, 16, 16, True, "relu", 2),),
                ((5, 24, 16, True, "hard_swish", 2),),
            ),
            "last_width": 8,
            "alpha": 1.5,
            "minimalistic": True,
            "dropout": 0.0,
            "stem": "cifar",
            "input_shape": (9, 9, 1),
            "classes": 3,
        },
        "headless": {
            "blocks": (((5, 24, 8, True, "hard_swish", 2),),),
            "alpha": 0.5,
            "include_preprocessing": False,
            "input_shape": (None, None, 4),
            "include_top": False,
        },
    },
)
def MobileNetV3(
    blocks: Sequence[Sequence[tuple]] = LARGE,
    last_width: int = 1280,
    alpha: float = 1.0,
    minimalistic: bool = False,
    dropout: float = 0.2,
    stochastic_depth: float = 0.0,
    include_preprocessing: bool = True,
    padding: str = "same",
    stem: str = "imagenet",
    include_top: bool = True,
    weights: str | None = None,
    input_tensor: keras.KerasTensor | None = None,
    input_shape: tuple[int | None, int | None, int] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | None = "softmax",
    name: str = "mobilenetv3",
) -> Model:
    """Network of searched inverted residuals.

    Args:
        blocks: The table, stage by stage: rows of kernel size, channels within, channels,
            whether squeeze-and-excitation, activation, stride.
        last_width: Units of the layer before the head; ``alpha`` only makes it wider.
        alpha: Factor of the blocks' widths, which stay multiples of 8.
        minimalistic: Whether all kernels are 3x3 and all activations ReLU, without gates,
            which is simpler for the hardware.
        dropout: Rate before the head.
        stochastic_depth: How often the last block is left out in training, the blocks
            before it linearly less, where there is a shortcut past them.
        include_preprocessing: Whether the image comes with values from 0 to 255, as
            ``keras.applications`` has it, or from -1 to 1.
        padding: Where the zeros of strided depthwise convolutions stand: ``"same"``, as
            TensorFlow and ``keras.applications`` do it; ``"behind"``, which is alike for
            images of a multiple of 32; ``"both"``, as in PyTorch, the stem's too.
        stem: ``"imagenet"`` (the stem halves the resolution), or ``"cifar"``: the first two
            reductions, the stem's and the next, are left out.
        include_top: Whether to add pooling, the layer behind it and the head.
        weights: ``None``, ``"imagenet"`` or the path of a file; a head of other
            ``classes`` is new, another number of channels adapts the first kernel.
        input_tensor: Keras tensor to use as the image, instead of a new input; an
            ``input_shape`` beside it must be its own.
        input_shape: ``(height, width, channels)``; height and width may be ``None``. By
            default 224x224 pixels with the top, any size without, RGB.
        pooling: Without the head: ``None`` for the feature map, ``"avg"`` or ``"max"``.
        classes: Size of the output.
        classifier_activation: Activation of the head; ``None`` gives logits.
        name: Name of the model.

    Returns:
        A functional ``keras.Model``, ``(B, H, W, C) -> (B, classes)``, with the taps
        ``stem``, ``stage1`` ... ``stageS`` and ``head``, which is a 1x1 convolution here.

    Raises:
        ValueError: If the image is too small (under 32 pixels), a row has not six entries,
            or ``stochastic_depth``, ``padding``, ``stem``, ``pooling`` or ``weights`` is none
            of the above.

    Example:

    >>> model = MobileNetV3(SMALL, last_width=1024, input_shape=(64, 64, 3), classes=10)
    >>> model.get_layer("stage4").output.shape
    (None, 2, 2, 96)
    """
    rows = [row for stage in blocks for row in stage]
    if any(len(row) != 6 for row in rows):
        raise invalid("blocks", "stages of rows of six entries", blocks)
    check_alpha(alpha)
    check_padding(padding)
    rates = linear_rates(stochastic_depth, len(rows))
    check_depth([len(stage) for stage in blocks], layers_each=10, argument="blocks")
    first, *strides = keep_resolution((2, *[row[-1] for row in rows]), stem)
    image, finish = image_classifier(
        include_top,
        weights,
        input_tensor,
        input_shape,
        pooling,
        classes,
        classifier_activation,
        name,
        family="MobileNetV3",
        smallest=first * math.prod(strides),
        blocks=blocks,
        last_width=last_width,
        alpha=alpha,
        minimalistic=minimalistic,
        include_preprocessing=include_preprocessing,
    )
    swish = "relu" if minimalistic else "hard_swish"
    x = image
    if include_preprocessing:
        x = layers.Rescaling(1 / 127.5, -1.0, name="preprocessing")(x)
    at_stem = "both" if padding == "both" else "same"
    x = conv_bn_act(x, STEM_WIDTH, 3, first, swish, at_stem, name="stem")
    x = layers.Identity(name="stem")(x)
    block, before = 0, STEM_WIDTH  # counted through, as in keras.applications
    for stage, table in enumerate(blocks, start=1):
        for size, within, width, gated, activation, _ in table:
            x = inverted_residual(
                x,
                make_divisible(width * alpha),
                make_divisible(x.shape[-1] * within / before),
                strides[block],
                3 if minimalistic else size,
                "relu" if minimalistic else activation,
                gate if gated and not minimalistic else None,
                rates[block],
                padding,
                name=f"block{block}",
            )
            block, before = block + 1, width
        x = layers.Identity(name=f"stage{stage}")(x)
    x = conv_bn_act(x, make_divisible(6 * x.shape[-1]), activation=swish, name="last")
    width = make_divisible(last_width * alpha) if alpha > 1 else last_width
    return finish(x, top=lambda x: pooled(x, width, swish, dropout), head=pointwise_head)
