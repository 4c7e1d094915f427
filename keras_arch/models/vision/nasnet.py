"""NASNet-A: two cells found by a search on small images, repeated for large ones.

Zoph, Vasudevan, Shlens, Le. Learning Transferable Architectures for Scalable Image
Recognition. CVPR 2018. https://arxiv.org/abs/1707.07012

    image -> stem -> [normal cell] x N -> reduction -> [normal] x N -> reduction
          -> [normal] x N -> ReLU -> pooling -> head

A normal cell of ``F`` filters gives ``6 F`` channels, a reduction cell ``4 F``, and ``F``
doubles with each reduction: NASNet-A (4 @ 1056) has N = 4 and ends with 6 * 176 channels.
For large images two reduction cells, of F/4 and F/2 filters, belong to the stem. What a
cell computes is data, the genotype, so that another search can bring its own.
"""

import functools
from collections.abc import Sequence

import keras
from keras import Model, layers

from keras_arch.errors import invalid
from keras_arch.layers import (
    batch_norm,
    channel_attention,
    check_depth,
    check_genotype,
    check_stages,
    global_average,
    image_classifier,
    linear_rates,
    nasnet_normal_cell,
    nasnet_reduction_cell,
    require_size,
    smallest_side,
)
from keras_arch.layers.depthwise import EPSILON
from keras_arch.layers.nasnet_cell import MOMENTUM, NORMAL_A, REDUCTION_A, Genotype
from keras_arch.layers.squeeze_excitation import Attention
from keras_arch.registry import register

PRESETS = {
    "NASNetMobile": {  # 4 @ 1056
        "depths": (4, 4, 4),
        "widths": (44, 88, 176),
        "stem_width": 32,
        "skip_reduction": False,
        "default_size": 224,
    },
    "NASNetLarge": {  # 6 @ 4032
        "depths": (6, 6, 6),
        "widths": (168, 336, 672),
        "stem_width": 96,
        "skip_reduction": True,
        "default_size": 331,
    },
    "NASNetCIFAR": {  # 6 @ 768
        "depths": (6, 6, 6),
        "widths": (32, 64, 128),
        "stem_width": 96,
        "skip_reduction": False,
        "stem": "cifar",
        "input_shape": (32, 32, 3),
        "classes": 10,
    },
}

KERAS_NAMES = {  # layers of keras.applications -> ours
    r"^stem_(conv|bn)1$": r"stem_\1",
    r"^(.+)_stem_(\d)$": r"stem_cell\2_\1",
    r"^(.+)_reduce_[46]$": r"reduction1_\1",
    r"^(.+)_reduce_(8|12)$": r"reduction2_\1",
    r"^(?!stem|reduction\d)(.+)_(\d+)$": r"cell\2_\1",
    r"_adjust_conv_projection$": "_previous_conv",
    r"_adjust_conv_(\d)$": r"_previous_conv\1",
    r"_adjust_bn$": "_previous_bn",
    r"_(normal|reduction)_(conv|bn)_1$": r"_x_\2",
    r"_separable_conv_(\d)_(normal|reduction)_(left|right)(\d)$": r"_block\4_\3_conv\1",
    r"_separable_conv_(\d)_bn_(normal|reduction)_(left|right)(\d)$": r"_block\4_\3_bn\1",
    r"^(stem_cell\d|reduction\d)_block4_left_": r"\1_block5_left_",
    r"^predictions$": "head",
}


def auxiliary(x):
    """What the auxiliary head reads: ``(B, H, W, C) -> (B, 768)``."""
    x = layers.ReLU(name="aux1_relu")(x)
    x = layers.AveragePooling2D(5, strides=3, name="aux1_pool")(x)
    for index, (filters, size) in enumerate([(128, 1), (768, x.shape[1:3])], start=1):
        x = layers.Conv2D(filters, size, use_bias=False, name=f"aux1_conv{index}")(x)
        x = batch_norm(x, EPSILON, MOMENTUM, name=f"aux1_bn{index}")
        x = layers.ReLU(name=f"aux1_relu{index}")(x)
    return layers.Flatten(name="aux1_flat")(x)


# Cells of one block, for tests: the paper's have over 40 layers each.
SMALL = {
    "normal": (((("identity", "x"), ("average_3x3", "previous")),), ("previous", 1)),
    "reduction": (((("max_3x3", "x"), ("separable_3x3", "previous")),), (1,)),
}


@register(
    paper="Learning Transferable Architectures for Scalable Image Recognition",
    authors="Zoph, Vasudevan, Shlens, Le",
    year=2018,
    url="https://arxiv.org/abs/1707.07012",
    venue="CVPR",
    task="image-classification",
    presets=PRESETS,
    parameters={"NASNetMobile": 5_326_716, "NASNetLarge": 88_949_818},
    reference="keras.applications",
    rename=KERAS_NAMES,
    tiny={
        "normal": {
            "depths": (1,),
            "widths": (4,),
            "stem_width": 6,
            "dropout": 0.3,
            "stem": "cifar",
            "input_shape": (7, 7, 3),
            "classes": 5,
        },
        "imagenet": {
            "depths": (1,),
            "widths": (8,),
            "stem_width": 4,
            **SMALL,
            "input_shape": (33, 33, 3),
            "include_top": False,
        },
        "reduction": {
            "depths": (1, 1),
            "widths": (4, 8),
            "stem_width": 6,
            **SMALL,
            "skip_reduction": False,
            "stochastic_depth": 0.2,
            "stem": "cifar",
            "input_shape": (None, None, 1),
            "include_top": False,
            "pooling": "max",
        },
    },
)
def NASNet(
    depths: Sequence[int] = (6, 6, 6),
    widths: Sequence[int] = (168, 336, 672),
    stem_width: int = 96,
    skip_reduction: bool = True,
    normal: Genotype = NORMAL_A,
    reduction: Genotype = REDUCTION_A,
    dropout: float = 0.0,
    stochastic_depth: float = 0.0,
    attention: Attention = None,
    stem: str = "imagenet",
    aux: bool = False,
    default_size: int = 331,
    include_top: bool = True,
    weights: str | None = None,
    input_tensor: keras.KerasTensor | None = None,
    input_shape: tuple[int | None, int | None, int] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | None = "softmax",
    name: str = "nasnet",
) -> Model:
    """Network of two repeated cells, given as data.

    Args:
        depths: Normal cells in each stage; a reduction cell stands before each stage but
            the first.
        widths: Filters of the cells of each stage, a sixth of its channels.
        stem_width: Channels of the first convolution.
        skip_reduction: Whether the cell behind a reduction reads, beside its output, what
            the reduction had for its previous cell (large), or its input (mobile, CIFAR).
        normal: Genotype of the normal cells: blocks, and the states of the output.
        reduction: Genotype of the reduction cells.
        dropout: Rate before the head: 0 in ``keras.applications``, 0.5 in the authors' code.
        stochastic_depth: How often, in the last cell, the result of an operation is left
            out in training, for each sample by itself, and linearly less in the cells
            before it. The paper (scheduled drop path, 0.3 for the large network, 0.4 for
            CIFAR) lets it grow from 0 during training; here it stays.
        attention: Of the output of each cell: ``None``, ``"squeeze_excitation"`` or a
            function ``(x, name) -> x``.
        stem: ``"imagenet"`` (a convolution and two reduction cells, an eighth of the size),
            or ``"cifar"`` (a convolution, full size).
        aux: Whether the model has the paper's second head, ``aux1``, on the features before
            the last reduction. It has two outputs then, for training, and images of one
            size.
        default_size: Height and width of the image by default, with the top.
        include_top: Whether to add pooling and the head.
        weights: ``None``, ``"imagenet"`` or the path of a file; a head of other
            ``classes`` is new, another number of channels adapts the first kernel.
        input_tensor: Keras tensor to use as the image, instead of a new input; an
            ``input_shape`` beside it must be its own.
        input_shape: ``(height, width, channels)``; height and width may be ``None``
            without the top. By default 331x331 pixels with the top (224x224 for
            NASNetMobile), any size without, RGB.
        pooling: Without the head: ``None`` for the feature map, ``"avg"`` or ``"max"``.
        classes: Size of the output.
        classifier_activation: Activation of the head; ``None`` gives logits.
        name: Name of the model.

    Returns:
        A functional ``keras.Model``, ``(B, H, W, C) -> (B, classes)``, with the taps
        ``stem``, ``stage1`` ... ``stageS`` and ``head``; with ``aux`` its output is a
        dictionary of ``head`` and ``aux1``.

    Raises:
        ValueError: If the image is too small (under 32 pixels), the stages differ in
            number, a genotype is wrong, there is no place for ``aux`` or no size of the image
            with it, or ``stochastic_depth``, ``attention``, ``stem``, ``pooling`` or
            ``weights`` is none of the above.

    Example:

    >>> model = NASNet((1,), (4,), stem_width=8, stem="cifar", input_shape=(8, 8, 1), classes=10)
    >>> model.get_layer("stage1").output.shape
    (None, 8, 8, 24)
    """
    check_stages(depths, widths=widths)
    check_genotype("normal", normal)
    check_genotype("reduction", reduction)
    check_depth(depths, layers_each=3)  # on the way of every second cell
    if stem == "imagenet" and widths[0] < 4:
        raise invalid("widths", "at least 4 filters, of which the stem has a quarter", widths)
    if aux and len(depths) < 2:
        raise invalid("aux", "`False` without a reduction between stages", aux)
    smallest = smallest_side(stem, len(depths) - 1, entrance=8)
    cells = sum(depths) + len(depths) - 1 + (2 if stem == "imagenet" else 0)
    rates = iter(linear_rates(stochastic_depth, cells))
    image, finish = image_classifier(
        include_top,
        weights,
        input_tensor,
        input_shape,
        pooling,
        classes,
        classifier_activation,
        name,
        family="NASNet",
        smallest=smallest // 2 * 5 if aux else smallest,  # its pooling is 5x5
        size=default_size,
        depths=depths,
        widths=widths,
        stem_width=stem_width,
        skip_reduction=skip_reduction,
        normal=normal,
        reduction=reduction,
        attention=attention,
        stem=stem,
    )
    if aux and include_top:
        require_size(image, "with `aux`")  # its last convolution is as large as the map
    stride, padding = (2, "valid") if stem == "imagenet" else (1, "same")
    x = layers.Conv2D(
        stem_width,
        3,
        stride,
        padding,
        use_bias=False,
        kernel_initializer="he_normal",  # as in keras.applications
        name="stem_conv",
    )(image)
    x = batch_norm(x, EPSILON, MOMENTUM, name="stem_bn")
    reduce = functools.partial(nasnet_reduction_cell, genotype=reduction)
    keep = functools.partial(nasnet_normal_cell, genotype=normal)

    def cell(make, x, previous, filters, halve, name):
        x = make(x, previous, filters, halve, drop_path=next(rates), name=name)
        return channel_attention(x, attention, f"{name}_attention")

    previous, halve = None, False
    if stem == "imagenet":
        for index, filters in enumerate((widths[0] // 4, widths[0] // 2), start=1):
            y = cell(reduce, x, previous, filters, halve, name=f"stem_cell{index}")
            x, previous, halve = y, x, True
    x = layers.Identity(name="stem")(x)
    heads: dict[str, keras.KerasTensor] = {}
    number = 0  # of the cell, as in keras.applications
    for stage, (depth, width) in enumerate(zip(depths, widths, strict=True), start=1):
        if stage > 1:
            y = cell(reduce, x, previous, width, halve, name=f"reduction{stage - 1}")
            x, previous, halve = y, previous if skip_reduction else x, True
            number += stage == 2
        for _ in range(depth):
            y = cell(keep, x, previous, width, halve, name=f"cell{number}")
            x, previous, halve = y, x, False
            number += 1
        x = layers.Identity(name=f"stage{stage}")(x)
        if aux and include_top and stage == len(depths) - 1:
            heads["aux1"] = auxiliary(x)
    x = layers.ReLU(name="final_relu")(x)
    return finish(x, functools.partial(global_average, dropout=dropout), aux=heads)
