"""GoogLeNet: modules of parallel kernels, thin 1x1 convolutions before the costly ones.

Szegedy, Liu, Jia, Sermanet, Reed, Anguelov, Erhan, Vanhoucke, Rabinovich. Going Deeper with
Convolutions. CVPR 2015. https://arxiv.org/abs/1409.4842

    image -> stem -> 3a, 3b -> 4a -> 4b, 4c, 4d -> 4e -> 5a, 5b -> pooling -> head
                               |                |
                              aux1             aux2       only while it learns

The stem divides the resolution by 8, a pooling before each further stage by 2: 28, 14 and 7
of 224 pixels. 7.0 million parameters and 1.58 G multiply-adds; each auxiliary head has 3.2
million parameters more. Through all the 5x5 a unit of the last map sees 27 + 2 * 32 + 16 +
5 * 64 + 32 + 2 * 128 = 715 pixels each way, more than the image has.
"""

from collections.abc import Callable, Sequence
from functools import partial

import keras
from keras import Model, layers

from keras_arch.errors import invalid
from keras_arch.layers import (
    LocalResponseNormalization,
    channel_attention,
    check_inception,
    convolution_unit,
    fitting,
    flatten,
    global_average,
    image_classifier,
    inception_module,
    pooling_unit,
    smallest_side,
)
from keras_arch.layers.squeeze_excitation import Attention
from keras_arch.registry import register

TABLE_1 = (  # 1x1; 3x3 reduce, 3x3; 5x5 reduce, 5x5; pooling's projection
    ((64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64)),
    (
        (192, 96, 208, 16, 48, 64),
        (160, 112, 224, 24, 64, 64),
        (128, 128, 256, 24, 64, 64),
        (112, 144, 288, 32, 64, 64),
        (256, 160, 320, 32, 128, 128),
    ),
    ((256, 160, 320, 32, 128, 128), (384, 192, 384, 48, 128, 128)),
)


def response_norm(x, name):
    """As in AlexNet, whose constants the paper does not repeat: ``(B, H, W, C)``, the same."""
    return LocalResponseNormalization(size=5, bias=2.0, alpha=1e-4, beta=0.75, name=name)(x)


def paper_pool(x, name):
    """To 4x4 of 14x14 pixels: ``(B, H, W, C) -> (B, H', W', C)``."""
    return layers.AveragePooling2D(fitting(5, x), 3, name=name)(x)


def adaptive_pool(x, name):
    """To 4x4 of any size: ``(B, H, W, C) -> (B, 4, 4, C)``."""
    return layers.AdaptiveAveragePooling2D(4, name=name)(x)


def auxiliary(x, pool, convolve, units, dropout, name):
    """Pooling to 4x4, 1x1, fully connected: ``(B, H, W, C) -> (B, units)``."""
    x = convolve(pool(x, name=f"{name}_pool"), 128, 1, name=name)
    x = layers.Dense(units, "relu", name=f"{name}_fc")(flatten(x, name=f"{name}_flatten"))
    return layers.Dropout(AUX_DROPOUT, name=f"{name}_dropout")(x) if dropout else x


AUX_DROPOUT = 0.7  # of the paper, and of torchvision, whatever that of the head
VARIANTS: dict[str, tuple[Callable, int, tuple[int, int], Callable]] = {
    # convolutions, second kernel, poolings before the stages, that of the auxiliary heads
    "paper": (partial(convolution_unit, norm=False, use_bias=True), 5, (3, 3), paper_pool),
    "bn": (convolution_unit, 3, (3, 2), adaptive_pool),
}


def module(x, widths, large, convolve, attention, name):
    """One row of table 1: ``(B, H, W, C) -> (B, H, W, four of the widths)``."""
    ones, reduce3, threes, reduce5, fives, projection = widths
    x = inception_module(
        x,
        [(ones, 1)],
        [(reduce3, 1), (threes, 3)],
        [(reduce5, 1), (fives, large)],
        [("max", 3), (projection, 1)],
        convolve=convolve,
        name=name,
    )
    return channel_attention(x, attention, f"{name}_attention")


@register(
    paper="Going Deeper with Convolutions",
    authors="Szegedy, Liu, Jia, Sermanet, Reed, Anguelov, Erhan, Vanhoucke, Rabinovich",
    year=2015,
    url="https://arxiv.org/abs/1409.4842",
    venue="CVPR",
    task="image-classification",
    parameters={"GoogLeNet": 6_998_552},
    reference="torchvision",
    tiny={
        "paper": {
            "depths": (1, 3),
            "alpha": 0.05,
            "aux": True,
            "stem": "cifar",
            "input_shape": (8, 8, 3),
            "classes": 5,
        },
        "bn": {
            "depths": (1, 1),
            "alpha": 0.05,
            "variant": "bn",
            "input_shape": (None, None, 1),
            "include_top": False,
            "pooling": "avg",
        },
    },
)
def GoogLeNet(
    depths: Sequence[int] = (2, 5, 2),
    alpha: float = 1.0,
    variant: str = "paper",
    aux: bool = False,
    dropout: float = 0.4,
    attention: Attention = None,
    stem: str = "imagenet",
    include_top: bool = True,
    weights: str | None = None,
    input_tensor: keras.KerasTensor | None = None,
    input_shape: tuple[int | None, int | None, int] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | None = "softmax",
    name: str = "googlenet",
) -> Model:
    """GoogLeNet, or Inception v1.

    Args:
        depths: Modules in each stage, the first ones of the paper's table 1.
        alpha: Width multiplier: the factor of all channels.
        variant: ``"paper"``, or ``"bn"``, which is torchvision's: batch normalization
            instead of biases and response normalization, and, by a mistake that its weights
            have made permanent, kernels of 3x3 where the paper has 5x5.
        aux: Whether to add the two auxiliary heads of the training, which read the first
            and the last but one module of the second stage (4a and 4d).
        dropout: Rate before the head; 0 for none at all. With any, the auxiliary heads have
            the paper's 0.7.
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
        ``stem``, ``stage1`` ... ``stageS`` and ``head``. With ``aux`` and the top the
        output is a dictionary of ``"head"``, ``"aux1"`` and ``"aux2"``.

    Raises:
        ValueError: If the image is too small (under 32 pixels), there are more modules than
            in the table, too few for auxiliary heads, or ``variant``, ``attention``,
            ``stem``, ``pooling`` or ``weights`` is none of the above.

    Example:

    >>> model = GoogLeNet(alpha=0.1, stem="cifar", input_shape=(32, 32, 3), classes=10)
    >>> [model.get_layer(f"stage{i}").output.shape[1] for i in (1, 2, 3)]
    [32, 16, 8]
    """
    if variant not in VARIANTS:
        raise invalid("variant", f"one of {set(VARIANTS)}", variant)
    check_inception(depths, stem, alpha, rows=[len(rows) for rows in TABLE_1])
    if aux and (len(depths) < 2 or depths[1] < 3):
        raise invalid("aux", "False where the second stage has under three modules", aux)
    image, finish = image_classifier(
        include_top,
        weights,
        input_tensor,
        input_shape,
        pooling,
        classes,
        classifier_activation,
        name,
        family="GoogLeNet",
        smallest=smallest_side(stem, len(depths) - 1, entrance=8),
    )
    unit, large, poolings, aux_pool = VARIANTS[variant]
    convolve = partial(unit, alpha=alpha)
    stride = 2 if stem == "imagenet" else 1

    x = convolve(image, 64, 7, stride, "both", name="stem_1")
    x = pooling_unit(x, "max", 3, stride, name="stem_pool")
    if variant == "paper":
        x = response_norm(x, name="stem_norm1")
    x = convolve(x, 64, 1, name="stem_2")
    x = convolve(x, 192, 3, name="stem_3")
    if variant == "paper":
        x = response_norm(x, name="stem_norm2")
    x = pooling_unit(x, "max", 3, stride, name="stem")
    heads: dict[str, keras.KerasTensor] = {}
    for stage, depth in enumerate(depths, start=1):
        if stage > 1:
            x = pooling_unit(x, "max", poolings[stage - 2], 2, name=f"stage{stage}_pool")
        for index, widths in enumerate(TABLE_1[stage - 1][:depth], start=1):
            here = f"stage{stage}_module{index}"
            x = module(x, widths, large, convolve, attention, name=here)
            if aux and include_top and stage == 2 and index in (1, depth - 1):
                head = f"aux{len(heads) + 1}"
                units = max(1, round(1024 * alpha))
                heads[head] = auxiliary(x, aux_pool, convolve, units, dropout, name=head)
        x = layers.Identity(name=f"stage{stage}")(x)
    return finish(x, partial(global_average, dropout=dropout), aux=heads)
