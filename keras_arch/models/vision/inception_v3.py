"""Inception v3: large kernels as chains of small and one-dimensional ones.

Szegedy, Vanhoucke, Ioffe, Shlens, Wojna. Rethinking the Inception Architecture for Computer
Vision. CVPR 2016. https://arxiv.org/abs/1512.00567

    image -> stem -> 3 x A -> reduction, 4 x B -> reduction, 2 x C -> pooling -> head
                                             |
                                            aux1     only while it learns

    A:  5x5 as two 3x3, 28 % fewer weights
    B:  7x7 as 1x7 and 7x1, 2/7 of the weights
    C:  3x3 as 1x3 and 3x1 side by side, where the map is small and the channels many

``variant="keras"`` is the network that the authors released and ``keras.applications`` has;
``"paper"`` is that of the paper's table 1, which is called Inception v2 there. Its stem has
another end, all three A have 288 channels, and no 5x5 is left. The paper does not say how
wide the branches of its modules are: these are the widths of the released network.
"""

import functools
import itertools
from collections.abc import Sequence

import keras
from keras import Model, layers

from keras_arch.errors import invalid
from keras_arch.layers import (
    channel_attention,
    check_inception,
    convolution_unit,
    convolutions,
    fitting,
    global_average,
    image_classifier,
    inception_branch,
    inception_module,
    numbered,
    pooling_unit,
    require_size,
    smallest_image,
    without_strides,
)
from keras_arch.layers.inception_module import STEM
from keras_arch.layers.squeeze_excitation import Attention
from keras_arch.registry import register

STEMS = {
    "keras": [*STEM, ("max", 3, 2)],
    "paper": [*STEM[:4], (80, 3, 1, "valid"), (192, 3, 2), (288, 3)],
}


def module_a(large, projection):
    """At 35x35: ``(B, H, W, C) -> (B, H, W, 224 + projection)``."""
    return [
        [(64, 1)],
        [(48, 1), (64, large)],
        [(64, 1), (96, 3), (96, 3)],
        [("avg", 3), (projection, 1)],
    ]


def module_b(width):
    """At 17x17: ``(B, H, W, C) -> (B, H, W, 768)``."""
    row, column = (1, 7), (7, 1)
    return [
        [(192, 1)],
        [(width, 1), (width, row), (192, column)],
        [(width, 1), (width, column), (width, row), (width, column), (192, row)],
        [("avg", 3), (192, 1)],
    ]


def module_c():
    """At 8x8: ``(B, H, W, C) -> (B, H, W, 2048)``."""
    fork = [[(384, (1, 3))], [(384, (3, 1))]]
    return [
        [(320, 1)],
        [(384, 1), fork],
        [(448, 1), (384, 3), fork],
        [("avg", 3), (192, 1)],
    ]


REDUCTION_A = [[(384, 3, 2)], [(64, 1), (96, 3), (96, 3, 2)], [("max", 3, 2)]]
REDUCTION_B = [
    [(192, 1), (320, 3, 2)],
    [(192, 1), (192, (1, 7)), (192, (7, 1)), (192, 3, 2)],
    [("max", 3, 2)],
]


def stages(variant, depths=(3, 4, 2)):
    """Name and branches of every module, stage by stage."""
    large, projections = (5, (32, 64, 64)) if variant == "keras" else (3, (64, 64, 64))
    modules = (
        [module_a(large, width) for width in projections],
        [module_b(width) for width in (128, 160, 160, 192)],
        [module_c(), module_c()],
    )
    reductions = ([], [REDUCTION_A], [REDUCTION_B])
    for stage, depth in enumerate(depths, start=1):
        named = [(f"stage{stage}_reduction", module) for module in reductions[stage - 1]]
        for index, module in enumerate(modules[stage - 1][:depth], start=1):
            named.append((f"stage{stage}_module{index}", module))
        yield named


def keras_names():
    """Layers of keras.applications -> ours."""
    places = list(convolutions(STEMS["keras"], "stem"))
    for name, branches in itertools.chain(*stages("keras")):
        for index, branch in enumerate(branches, start=1):
            places += convolutions(branch, f"{name}_branch{index}")
    return numbered(places)


def auxiliary(x, convolve, name):
    """Pooling to 5x5 of 17x17 pixels, 1x1, 5x5: ``(B, H, W, C) -> (B, 768)``."""
    x = layers.AveragePooling2D(fitting(5, x), 3, name=f"{name}_pool")(x)
    x = convolve(x, 128, 1, name=f"{name}_1")
    x = convolve(x, 768, fitting(5, x), 1, "valid", name=f"{name}_2")
    return layers.GlobalAveragePooling2D(name=f"{name}_average")(x)


@register(
    paper="Rethinking the Inception Architecture for Computer Vision",
    authors="Szegedy, Vanhoucke, Ioffe, Shlens, Wojna",
    year=2016,
    url="https://arxiv.org/abs/1512.00567",
    venue="CVPR",
    task="image-classification",
    presets={"InceptionV2": {"variant": "paper", "bn_scale": True}},
    parameters={"InceptionV2": 24_298_312, "InceptionV3": 23_851_784},
    reference="keras.applications",
    rename=keras_names(),
    xfail={"tiny_builds_are_tiny-keras": "the stem, a module A, a reduction and a module B"},
    tiny={
        "keras": {
            "depths": (1, 1),
            "alpha": 0.08,
            "aux": True,
            "dropout": 0.2,
            "input_shape": (43, 43, 3),
            "classes": 5,
        },
        "paper": {
            "depths": (1,),
            "alpha": 0.1,
            "variant": "paper",
            "bn_scale": True,
            "attention": "squeeze_excitation",
            "stem": "cifar",
            "input_shape": (None, None, 1),
            "include_top": False,
            "pooling": "avg",
        },
    },
)
def InceptionV3(
    depths: Sequence[int] = (3, 4, 2),
    alpha: float = 1.0,
    variant: str = "keras",
    bn_scale: bool = False,
    count_padding: bool = False,
    aux: bool = False,
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
    name: str = "inception_v3",
) -> Model:
    """Inception v3, or v2 of the same paper.

    torchvision's and timm's have ``bn_scale=True, count_padding=True``.

    Args:
        depths: Modules A, B and C; the second and the third stage begin with a reduction
            besides.
        alpha: Width multiplier: the factor of all channels.
        variant: ``"keras"``, the released network, or ``"paper"``, that of table 1.
        bn_scale: Whether normalizations have a scale; not in ``keras.applications``, but in
            torchvision.
        count_padding: Whether average poolings count the zeros around a map, which leaves
            its border darker, as in torchvision and timm; TensorFlow leaves them out.
        aux: Whether to add the auxiliary head of the training, at the end of the second
            stage; the images have one size then.
        dropout: Rate before the head.
        attention: What each module's output goes through: ``None``,
            ``"squeeze_excitation"``, or a function ``(x, name) -> x``.
        stem: ``"imagenet"`` (an eighth of the size), or ``"cifar"``: the same layers
            without strides and with zeros around, so that 32x32 pixels reach the stages
            nearly as 299x299 would (32, 15 and 7 pixels, not 35, 17 and 8).
        include_top: Whether to add pooling and the head.
        weights: ``None``, ``"imagenet"`` or the path of a file; a head of other
            ``classes`` is new, another number of channels adapts the first kernel.
        input_tensor: Keras tensor to use as the image, instead of a new input; an
            ``input_shape`` beside it must be its own.
        input_shape: ``(height, width, channels)``; height and width may be ``None``. By
            default 299x299 pixels with the top, any size without, RGB.
        pooling: Without the head: ``None`` for the feature map, ``"avg"`` or ``"max"``.
        classes: Size of the output.
        classifier_activation: Activation of the head; ``None`` gives logits.
        name: Name of the model.

    Returns:
        A functional ``keras.Model``, ``(B, H, W, C) -> (B, classes)``, with the taps
        ``stem``, ``stage1`` ... ``stageS`` and ``head``. With ``aux`` and the top the
        output is a dictionary of ``"head"`` and ``"aux1"``.

    Raises:
        ValueError: If there are more modules than in the paper, no second stage for an
            auxiliary head or no size of the image with it, the image is too small (under
            75 pixels), or ``variant``, ``attention``, ``stem``, ``pooling`` or ``weights``
            is none of the above.

    Example:

    >>> model = InceptionV3(alpha=0.1, stem="cifar", input_shape=(32, 32, 3), classes=10)
    >>> [model.get_layer(f"stage{i}").output.shape[1] for i in (1, 2, 3)]
    [32, 15, 7]
    """
    if variant not in STEMS:
        raise invalid("variant", f"one of {set(STEMS)}", variant)
    check_inception(depths, stem, alpha, rows=(3, 4, 2))
    if aux and len(depths) < 2:
        raise invalid("aux", "False without a second stage", aux)
    image, finish = image_classifier(
        include_top,
        weights,
        input_tensor,
        input_shape,
        pooling,
        classes,
        classifier_activation,
        name,
        family="InceptionV3",
        smallest=smallest_image(stem, len(depths)),
        size=299,
        depths=depths,
        alpha=alpha,
        variant=variant,
        bn_scale=bn_scale,
    )
    if aux and include_top:
        require_size(image, "with `aux`")  # its last convolution fits the map
    convolve = functools.partial(convolution_unit, strided="valid", scale=bn_scale, alpha=alpha)
    pool = functools.partial(pooling_unit, strided="valid", count_padding=count_padding)

    steps = STEMS[variant] if stem == "imagenet" else without_strides(STEMS[variant])
    x = inception_branch(image, steps, convolve, pool, name="stem")
    x = layers.Identity(name="stem")(x)
    heads = {}
    for stage, modules in enumerate(stages(variant, depths), start=1):
        for here, branches in modules:
            x = inception_module(x, *branches, convolve=convolve, pool=pool, name=here)
            x = channel_attention(x, attention, f"{here}_attention")
        x = layers.Identity(name=f"stage{stage}")(x)
        if aux and include_top and stage == 2:
            heads["aux1"] = auxiliary(x, convolve, name="aux1")
    return finish(x, functools.partial(global_average, dropout=dropout), aux=heads)
