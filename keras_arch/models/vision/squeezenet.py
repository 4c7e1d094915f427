"""SqueezeNet: AlexNet's accuracy with a fiftieth of its weights.

Iandola, Han, Moskewicz, Ashraf, Dally, Keutzer. SqueezeNet: AlexNet-level accuracy with 50x
fewer parameters and <0.5MB model size. 2016. https://arxiv.org/abs/1602.07360

    227x227 -> 7x7/2, 96 -> pool -> fire 2-4 -> pool -> fire 5-8 -> pool -> fire 9
            -> a map for each class -> their means        maps of 111, 55, 27 and 13 pixels

Most kernels are 1x1, few channels reach the 3x3 ones, and pooling comes late. Every second
fire module is wider by ``width``; 1,248,424 weights. Version 1.1, which the authors
published later, has 2.3 times fewer multiplications: a 3x3 stem, and pools earlier.
"""

import keras
from keras import Model, layers

from keras_arch.errors import invalid
from keras_arch.layers import (
    check_norm,
    check_stem,
    class_maps,
    conv_relu,
    fire,
    image_classifier,
    overlapping_pool,
)
from keras_arch.registry import register

PRESETS = {"SqueezeNet11": {"version": "1.1"}}

VERSIONS = {  # channels and kernel of the stem, fire modules between the poolings
    "1.0": (96, 7, (3, 4, 1)),
    "1.1": (64, 3, (2, 2, 4)),
}


def bypassed(x, squeeze, expand, bypass, norm, name):
    """A fire module, and what passes by it: ``(B, H, W, C) -> (B, H, W, expand)``."""
    past = x
    x = fire(x, squeeze, expand, norm, name=name)
    if bypass == "complex" and past.shape[-1] != expand:
        past = conv_relu(past, expand, 1, norm=norm, name=f"{name}_bypass")
    if bypass is None or past.shape[-1] != expand:
        return x
    return layers.Add(name=f"{name}_add")([past, x])


@register(
    paper="SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model size",
    authors="Iandola, Han, Moskewicz, Ashraf, Dally, Keutzer",
    year=2016,
    url="https://arxiv.org/abs/1602.07360",
    task="image-classification",
    presets=PRESETS,
    parameters={"SqueezeNet": 1_248_424, "SqueezeNet11": 1_235_496},
    reference="torchvision",
    tiny={
        "plain": {"width": 16, "squeeze_ratio": 0.5, "input_shape": (40, 37, 3), "classes": 5},
        "complex": {
            "version": "1.1",
            "bypass": "complex",
            "width": 8,
            "squeeze_ratio": 0.5,
            "stem": "cifar",
            "input_shape": (9, 12, 1),
            "include_top": False,
        },
        "simple": {
            "version": "1.1",
            "bypass": "simple",
            "width": 8,
            "squeeze_ratio": 0.5,
            "input_shape": (17, 18, 2),
            "include_top": False,
        },
    },
)
def SqueezeNet(
    version: str = "1.0",
    bypass: str | None = None,
    width: int = 128,
    squeeze_ratio: float = 0.125,
    norm: str | None = None,
    dropout: float = 0.5,
    stem: str = "imagenet",
    include_top: bool = True,
    weights: str | None = None,
    input_tensor: keras.KerasTensor | None = None,
    input_shape: tuple[int | None, int | None, int] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | None = "softmax",
    name: str = "squeezenet",
) -> Model:
    """SqueezeNet.

    torchvision's and pytorchcv's are these networks for images of 224 pixels
    (``input_shape``), of which version 1.0 makes maps of 109, 54, 27 and 13 pixels, not those
    of the paper's table; windows of their poolings reach across the edge (``ceil_mode``), as
    here. pytorchcv and tf2cv call the one with ``bypass="simple"`` SqueezeResNet.

    Args:
        version: ``"1.0"``, the paper's, or ``"1.1"``.
        bypass: What passes by a fire module and is added to its output: ``None``;
            ``"simple"``, its input, where the widths are equal (modules 3, 5, 7 and 9);
            ``"complex"``, by the others a 1x1 convolution, whose ReLU the paper neither
            names nor excludes.
        width: Channels of the first two fire modules, and how many every second pair of
            them adds.
        squeeze_ratio: Squeezed channels as a fraction of a module's.
        norm: ``None``, as in the paper, or ``"batch"``, normalization before each ReLU,
            with which narrow ones learn, too.
        dropout: Rate before the maps of the classes.
        stem: ``"imagenet"`` (half the size) or ``"cifar"`` (3x3, full size).
        include_top: Whether to add the maps of the classes, and their means.
        weights: ``None`` or the path of a file; a head of other ``classes`` is new,
            another number of channels adapts the first kernel.
        input_tensor: Keras tensor to use as the image, instead of a new input; an
            ``input_shape`` beside it must be its own.
        input_shape: ``(height, width, channels)``, each size may be ``None``. By default
            227x227 pixels with the top, any size without, RGB.
        pooling: Without the head: ``None`` for the feature map, ``"avg"`` or ``"max"``.
        classes: Size of the output.
        classifier_activation: Activation of the head; ``None`` gives logits, which are
            not negative.
        name: Name of the model.

    Returns:
        A functional ``keras.Model``, ``(B, H, W, C) -> (B, classes)``, with the taps
        ``stem``, ``stage1``, ``stage2``, ``stage3`` and ``head`` (the maps of the classes).

    Raises:
        ValueError: If the image is too small (under 21 pixels), or ``version``,
            ``bypass``, ``norm``, ``stem``, ``pooling`` or ``weights`` is none of the above.

    Example:

    >>> model = SqueezeNet(width=32, stem="cifar", input_shape=(32, 32, 1), classes=10)
    >>> model.get_layer("stage1").output.shape, model.get_layer("head").output.shape
    ((None, 16, 16, 64), (None, 4, 4, 10))
    """
    if version not in VERSIONS:
        raise invalid("version", f"one of {set(VERSIONS)}", version)
    if bypass not in (None, "simple", "complex"):
        raise invalid("bypass", 'one of {None, "simple", "complex"}', bypass)
    check_norm(norm)
    check_stem(stem)
    filters, size, depths = VERSIONS[version]
    image, finish = image_classifier(
        include_top,
        weights,
        input_tensor,
        input_shape,
        pooling,
        classes,
        classifier_activation,
        name,
        family="SqueezeNet",
        smallest=8 if stem == "cifar" else 14 + size,
        size=227,
        version=version,
        norm=norm,
    )
    window = (3, 1, "same") if stem == "cifar" else (size, 2, "valid")
    x = conv_relu(image, filters, *window, norm=norm, name="stem")
    module = 0
    for stage, depth in enumerate(depths, start=1):
        x = overlapping_pool(x, "across", name=f"stage{stage}_pool")
        for _ in range(depth):
            expand = width * (1 + module // 2)
            squeeze = max(round(squeeze_ratio * expand), 1)
            x = bypassed(x, squeeze, expand, bypass, norm, name=f"fire{module + 2}")
            module += 1
        x = layers.Identity(name=f"stage{stage}")(x)

    def top(x):
        return layers.Dropout(dropout, name="head_dropout")(x) if dropout else x

    return finish(x, top=top, head=class_maps)
