"""BN-Inception: Inception modules of 3x3 convolutions, each convolution normalized.

Ioffe, Szegedy. Batch Normalization: Accelerating Deep Network Training by Reducing Internal
Covariate Shift. ICML 2015. https://arxiv.org/abs/1502.03167

    image -> stem -> 3a, 3b -> [3c] -> 4a ... 4d -> [4e] -> 5a, 5b -> pooling -> head

    module:  1x1,  1x1 -> 3x3,  1x1 -> 3x3 -> 3x3,  pooling -> 1x1
    [3c]:    the same with stride 2, without the first branch and without the last 1x1

It is the first of two networks that are called Inception v2. Two 3x3 kernels in place of a
5x5 see as much; the modules with stride 2 halve the resolution: 28, 14 and 7 of 224 pixels.

Figure 5 contradicts itself. In 4c and 4d it has 128 channels after the pooling, which makes
608 of what it gives as 576: with 96, as in the network that the authors released (slim's
``inception_v2``), the sum is right, and ``"paper"`` has them; ports of the Caffe model have
128. Nor has the text's number of parameters, 13.6 million, anything to do with the table,
which has 11.2.
"""

import functools
from collections.abc import Sequence

import keras
from keras import Model, layers

from keras_arch.errors import invalid
from keras_arch.layers import (
    channel_attention,
    check_inception,
    convolution_unit,
    global_average,
    image_classifier,
    inception_module,
    pooling_unit,
    smallest_side,
)
from keras_arch.layers.squeeze_excitation import PUBLICATION, Attention
from keras_arch.registry import register

FIGURE_5 = (  # 1x1; 3x3 reduce, 3x3; double 3x3 reduce, double 3x3; pooling, projection
    (
        (64, 64, 64, 64, 96, "avg", 32),
        (64, 64, 96, 64, 96, "avg", 64),
    ),
    (
        (224, 64, 96, 96, 128, "avg", 128),
        (192, 96, 128, 96, 128, "avg", 128),
        (160, 128, 160, 128, 160, "avg", 96),
        (96, 128, 192, 160, 192, "avg", 96),
    ),
    (
        (352, 192, 320, 160, 224, "avg", 128),
        (352, 192, 320, 192, 224, "max", 128),
    ),
)
STRIDED = ((128, 160, 64, 96), (128, 192, 192, 256))  # 3c and 4e, which begin a stage
WIDER = {96: 128}  # in 4c and 4d, what the figure says and the Caffe model has

PRESETS = {
    "BNInceptionCaffe": {"variant": "caffe", "conv_bias": True},
    "SEBNInception": {"attention": "squeeze_excitation"},
}


def module(x, widths, convolve, pool, attention, name):
    """One row of figure 5: ``(B, H, W, C) -> (B, H, W, four of the widths)``."""
    ones, reduce, threes, reduce_double, doubles, kind, projection = widths
    x = inception_module(
        x,
        [(ones, 1)],
        [(reduce, 1), (threes, 3)],
        [(reduce_double, 1), (doubles, 3), (doubles, 3)],
        [(kind, 3), (projection, 1)],
        convolve=convolve,
        pool=pool,
        name=name,
    )
    return channel_attention(x, attention, f"{name}_attention")


def strided_module(x, widths, convolve, pool, attention, name):
    """The input's channels stay: ``(B, H, W, C) -> (B, H/2, W/2, C + two of the widths)``."""
    reduce, threes, reduce_double, doubles = widths
    x = inception_module(
        x,
        [(reduce, 1), (threes, 3, 2)],
        [(reduce_double, 1), (doubles, 3), (doubles, 3, 2)],
        [("max", 3, 2)],
        convolve=convolve,
        pool=pool,
        name=name,
    )
    return channel_attention(x, attention, f"{name}_attention")


@register(
    paper="Batch Normalization: Accelerating Deep Network Training by Reducing Internal "
    "Covariate Shift",
    authors="Ioffe, Szegedy",
    year=2015,
    url="https://arxiv.org/abs/1502.03167",
    venue="ICML",
    task="image-classification",
    presets=PRESETS,
    publications={"SEBNInception": PUBLICATION},
    parameters={
        "BNInception": 11_214_888,
        "BNInceptionCaffe": 11_315_272,
        "SEBNInception": 11_843_392,
    },
    reference="pytorchcv",
    xfail={"tiny_builds_are_tiny-paper": "the stem, two modules and one with stride 2"},
    tiny={
        "paper": {
            "depths": (1, 1),
            "alpha": 0.05,
            "separable": True,
            "dropout": 0.1,
            "stem": "cifar",
            "input_shape": (8, 8, 3),
            "classes": 5,
        },
        "caffe": {
            "depths": (1,),
            "alpha": 0.1,
            "variant": "caffe",
            "attention": "squeeze_excitation",
            "input_shape": (None, None, 1),
            "include_top": False,
        },
    },
)
def BNInception(
    depths: Sequence[int] = (2, 4, 2),
    alpha: float = 1.0,
    variant: str = "paper",
    conv_bias: bool = False,
    separable: bool = False,
    dropout: float = 0.0,
    attention: Attention = None,
    stem: str = "imagenet",
    include_top: bool = True,
    weights: str | None = None,
    input_tensor: keras.KerasTensor | None = None,
    input_shape: tuple[int | None, int | None, int] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | None = "softmax",
    name: str = "bn_inception",
) -> Model:
    """BN-Inception, the Inception v2 of the batch normalization paper.

    Args:
        depths: Modules in each stage, the first ones of the paper's figure 5; the second
            and the third stage begin with a module with stride 2 besides.
        alpha: Width multiplier: the factor of all channels.
        variant: ``"paper"``, or ``"caffe"``, the model that most ports descend from: 128
            channels after the pooling of 4c and 4d in place of 96, zeros on all sides of a
            convolution with stride, and counted in the averages. Its convolutions have
            biases too: the preset ``BNInceptionCaffe``.
        conv_bias: Whether convolutions have biases, which normalization makes redundant.
        separable: Whether the first convolution is separable, with 8 maps for each channel
            of the image, as the paper's appendix says theirs was, and the released network
            has it: nothing stands between its two parts. It computes less, not otherwise.
        dropout: Rate before the head.
        attention: What each module's output goes through: ``None``,
            ``"squeeze_excitation"``, or a function ``(x, name) -> x``.
        stem: ``"imagenet"`` (an eighth of the size), or ``"cifar"``: the same layers
            without strides, so that 32x32 pixels reach the stages as 224x224 would.
        include_top: Whether to add pooling and the head.
        weights: ``None`` or the path of a file; a head of other ``classes`` is new,
            another number of channels adapts the first kernel.
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
        ValueError: If the image is too small (under 32 pixels), there are more modules than
            in the figure, or ``variant``, ``attention``, ``stem``, ``pooling`` or
            ``weights`` is none of the above.

    Example:

    >>> model = BNInception(alpha=0.1, stem="cifar", input_shape=(32, 32, 3), classes=10)
    >>> [model.get_layer(f"stage{i}").output.shape[1] for i in (1, 2, 3)]
    [32, 16, 8]
    """
    if variant not in ("paper", "caffe"):
        raise invalid("variant", 'one of {"paper", "caffe"}', variant)
    check_inception(depths, stem, alpha, rows=[len(rows) for rows in FIGURE_5])
    image, finish = image_classifier(
        include_top,
        weights,
        input_tensor,
        input_shape,
        pooling,
        classes,
        classifier_activation,
        name,
        family="BNInception",
        smallest=smallest_side(stem, len(depths) - 1, entrance=8),
    )
    caffe = variant == "caffe"
    unit = functools.partial(convolution_unit, use_bias=conv_bias, alpha=alpha)
    convolve = functools.partial(unit, strided="both" if caffe else "same")
    pool = functools.partial(pooling_unit, count_padding=caffe)
    stride = 2 if stem == "imagenet" else 1

    x = image
    if separable:
        x = layers.DepthwiseConv2D(
            7, stride, "same", depth_multiplier=8, use_bias=False, name="stem_1_depthwise"
        )(x)
        x = convolve(x, 64, 1, name="stem_1")
    else:
        x = convolve(x, 64, 7, stride, name="stem_1")
    x = pool(x, "max", 3, stride, name="stem_pool")
    x = convolve(x, 64, 1, name="stem_2")
    x = convolve(x, 192, 3, name="stem_3")
    x = pool(x, "max", 3, stride, name="stem")
    for stage, (depth, rows) in enumerate(zip(depths, FIGURE_5, strict=False), start=1):
        if stage > 1:
            here = f"stage{stage}_reduction"
            x = strided_module(x, STRIDED[stage - 2], convolve, pool, attention, name=here)
        for index, widths in enumerate(rows[:depth], start=1):
            if caffe:
                widths = (*widths[:-1], WIDER.get(widths[-1], widths[-1]))
            here = f"stage{stage}_module{index}"
            x = module(x, widths, convolve, pool, attention, name=here)
        x = layers.Identity(name=f"stage{stage}")(x)
    return finish(x, functools.partial(global_average, dropout=dropout))
