"""Inception v4: the modules of v3 made uniform, behind a stem that forks as they do.

Szegedy, Ioffe, Vanhoucke, Alemi. Inception-v4, Inception-ResNet and the Impact of Residual
Connections on Learning. AAAI 2017. https://arxiv.org/abs/1602.07261

    image -> stem -> 4 x A -> reduction, 7 x B -> reduction, 3 x C -> pooling -> head

Three times the stem shrinks the map along two branches at once. 35, 17 and 8 of 299 pixels,
with 384, 1024 and 1536 channels, and 12.3 G multiply-adds.
"""

import functools
from collections.abc import Sequence

import keras
from keras import Model, layers

from keras_arch.layers import (
    channel_attention,
    check_inception,
    convolution_unit,
    global_average,
    image_classifier,
    inception_branch,
    inception_module,
    pooling_unit,
    smallest_image,
    without_strides,
)
from keras_arch.layers.inception_module import STEM
from keras_arch.layers.squeeze_excitation import Attention
from keras_arch.registry import register

ROW, COLUMN = (1, 7), (7, 1)
FORK = [[(256, (1, 3))], [(256, (3, 1))]]

FORKED_STEM = [
    *STEM[:3],
    [[("max", 3, 2)], [(96, 3, 2)]],
    [
        [(64, 1), (96, 3, 1, "valid")],
        [(64, 1), (64, ROW), (64, COLUMN), (96, 3, 1, "valid")],
    ],
    [[(192, 3, 2)], [("max", 3, 2)]],
]
MODULES = (  # A, B, C: of 384, 1024 and 1536 channels
    [
        [(96, 1)],
        [(64, 1), (96, 3)],
        [(64, 1), (96, 3), (96, 3)],
        [("avg", 3), (96, 1)],
    ],
    [
        [(384, 1)],
        [(192, 1), (224, ROW), (256, COLUMN)],
        [(192, 1), (192, COLUMN), (224, ROW), (224, COLUMN), (256, ROW)],
        [("avg", 3), (128, 1)],
    ],
    [
        [(256, 1)],
        [(384, 1), FORK],
        [(384, 1), (448, (3, 1)), (512, (1, 3)), FORK],
        [("avg", 3), (256, 1)],
    ],
)
REDUCTIONS = (  # before B and C
    [[(384, 3, 2)], [(192, 1), (224, 3), (256, 3, 2)], [("max", 3, 2)]],
    [
        [(192, 1), (192, 3, 2)],
        [(256, 1), (256, ROW), (320, COLUMN), (320, 3, 2)],
        [("max", 3, 2)],
    ],
)


@register(
    paper="Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning",
    authors="Szegedy, Ioffe, Vanhoucke, Alemi",
    year=2017,
    url="https://arxiv.org/abs/1602.07261",
    venue="AAAI",
    task="image-classification",
    parameters={"InceptionV4": 42_742_984},
    reference="timm",
    xfail={"tiny_builds_are_tiny": "the stem, a module A, a reduction and a module B"},
    tiny={
        "plain": {
            "depths": (1, 1),
            "alpha": 0.25,
            "bn_scale": False,
            "attention": "squeeze_excitation",
            "stem": "cifar",
            "input_shape": (8, 8, 3),
            "classes": 5,
        },
    },
)
def InceptionV4(
    depths: Sequence[int] = (4, 7, 3),
    alpha: float = 1.0,
    bn_scale: bool = True,
    dropout: float = 0.2,
    attention: Attention = None,
    stem: str = "imagenet",
    include_top: bool = True,
    weights: str | None = None,
    input_tensor: keras.KerasTensor | None = None,
    input_shape: tuple[int | None, int | None, int] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | None = "softmax",
    name: str = "inception_v4",
) -> Model:
    """Inception v4.

    Args:
        depths: Modules A, B and C; the second and the third stage begin with a reduction
            besides.
        alpha: Width multiplier: the factor of all channels.
        bn_scale: Whether normalizations have a scale; not in the authors' release.
        dropout: Rate before the head.
        attention: What each module's output goes through: ``None``,
            ``"squeeze_excitation"``, or a function ``(x, name) -> x``.
        stem: ``"imagenet"`` (an eighth of the size), or ``"cifar"``: the same layers
            without strides and with zeros around, so that 32x32 pixels reach the stages
            nearly as 299x299 would (32, 15 and 7 pixels, not 35, 17 and 8).
        include_top: Whether to add pooling and the head.
        weights: ``None`` or the path of a file; a head of other ``classes`` is new,
            another number of channels adapts the first kernel.
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
        ``stem``, ``stage1`` ... ``stageS`` and ``head``.

    Raises:
        ValueError: If there are more than three stages, the image is too small (under 75
            pixels), or ``attention``, ``stem``, ``pooling`` or ``weights`` is none of the
            above.

    Example:

    >>> model = InceptionV4((1, 1, 1), alpha=0.1, stem="cifar", input_shape=(32, 32, 3))
    >>> [model.get_layer(f"stage{i}").output.shape[1] for i in (1, 2, 3)]
    [32, 15, 7]
    """
    check_inception(depths, stem, alpha)
    image, finish = image_classifier(
        include_top,
        weights,
        input_tensor,
        input_shape,
        pooling,
        classes,
        classifier_activation,
        name,
        family="InceptionV4",
        smallest=smallest_image(stem, len(depths)),
        size=299,
    )
    convolve = functools.partial(convolution_unit, strided="valid", scale=bn_scale, alpha=alpha)
    pool = functools.partial(pooling_unit, strided="valid")

    def module(x, branches, name):
        x = inception_module(x, *branches, convolve=convolve, pool=pool, name=name)
        return channel_attention(x, attention, f"{name}_attention")

    steps = FORKED_STEM if stem == "imagenet" else without_strides(FORKED_STEM)
    x = inception_branch(image, steps, convolve, pool, name="stem")
    x = layers.Identity(name="stem")(x)
    for stage, depth in enumerate(depths, start=1):
        if stage > 1:
            x = module(x, REDUCTIONS[stage - 2], name=f"stage{stage}_reduction")
        for index in range(1, depth + 1):
            x = module(x, MODULES[stage - 1], name=f"stage{stage}_module{index}")
        x = layers.Identity(name=f"stage{stage}")(x)
    return finish(x, functools.partial(global_average, dropout=dropout))
