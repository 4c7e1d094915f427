"""Network in Network: a small perceptron slides over the image, and classes have maps.

Lin, Chen, Yan. Network In Network. ICLR 2014. https://arxiv.org/abs/1312.4400

    32x32 -> mlpconv 96 -> pool -> mlpconv 192 -> pool -> mlpconv 192 -> a map for each class
          -> their means: the logits

No dense layer, so nothing overfits between features and classes: 966,986 weights for
CIFAR-10. The network for ImageNet is the authors' published one.
"""

from collections.abc import Sequence

import keras
from keras import Model, layers

from keras_arch.errors import invalid
from keras_arch.layers import (
    check_norm,
    class_maps,
    image_classifier,
    mlpconv,
    overlapping_pool,
)
from keras_arch.registry import register

PRESETS = {
    "NiNCIFAR100": {"classes": 100},
    "NiNImageNet": {"variant": "imagenet", "classes": 1000},
}

VARIANTS = {  # sizes of the first kernels, widths of each mlpconv
    "cifar10": ((5, 5, 3), ((192, 160, 96), (192, 192, 192), (192, 192))),
    "imagenet": (
        (11, 5, 3, 3),
        ((96, 96, 96), (256, 256, 256), (384, 384, 384), (1024, 1024)),
    ),
}


def pool(x, variant, kind, padding, name):
    """3x3 with stride 2: ``(B, H, W, C) -> (B, H/2, W/2, C)``."""
    if variant == "imagenet":
        return overlapping_pool(x, "across", name=name)
    kind = layers.MaxPooling2D if kind == "max" else layers.AveragePooling2D
    if padding == "both":
        x = layers.ZeroPadding2D(1, name=f"{name}_pad")(x)
        return kind(3, strides=2, name=name)(x)
    return kind(3, strides=2, padding="same", name=name)(x)  # at even sizes only behind


@register(
    paper="Network In Network",
    authors="Lin, Chen, Yan",
    year=2014,
    url="https://arxiv.org/abs/1312.4400",
    venue="ICLR",
    task="image-classification",
    presets=PRESETS,
    parameters={"NiN": 966_986, "NiNCIFAR100": 984_356, "NiNImageNet": 7_595_176},
    reference="pytorchcv",
    tiny={
        "cifar10": {
            "widths": ((4, 4, 4), (4, 4, 4), (4, 4)),
            "input_shape": (9, 8, 3),
            "classes": 5,
        },
        "imagenet": {
            "variant": "imagenet",
            "widths": ((4, 4), (4, 4), (4,), (4, 6)),
            "norm": "batch",
            "input_shape": (75, 70, 1),
            "include_top": False,
        },
    },
)
def NiN(
    variant: str = "cifar10",
    widths: Sequence[Sequence[int]] | None = None,
    norm: str | None = None,
    dropout: float = 0.5,
    padding: str = "behind",
    include_top: bool = True,
    weights: str | None = None,
    input_tensor: keras.KerasTensor | None = None,
    input_shape: tuple[int | None, int | None, int] | None = None,
    pooling: str | None = None,
    classes: int = 10,
    classifier_activation: str | None = "softmax",
    name: str = "nin",
) -> Model:
    """Network in Network.

    ``NiN(padding="both")`` is pytorchcv's port, which also lets the zeros count in averages;
    the authors' poolings round up, with zeros behind the image that no average counts.

    Args:
        variant: ``"cifar10"``, for small images (two poolings, a quarter of their size),
            or ``"imagenet"``, whose first kernel is 11x11 with stride 4.
        widths: Channels of the convolutions of each mlpconv; by default the paper's.
        norm: ``None``, as in the paper, or ``"batch"``, normalization before each ReLU,
            with which narrow ones learn, too.
        dropout: Rate between the mlpconvs, before the last one only for ImageNet.
        padding: Where the zeros of the poolings stand: ``"behind"``, or, for small images,
            ``"both"``, on all sides.
        include_top: Whether to add the maps of the classes, and their means.
        weights: ``None`` or the path of a file; a head of other ``classes`` is new,
            another number of channels adapts the first kernel.
        input_tensor: Keras tensor to use as the image, instead of a new input; an
            ``input_shape`` beside it must be its own.
        input_shape: ``(height, width, channels)``, each size may be ``None``. By default
            32x32 pixels, or 224x224 for ImageNet, any size without the top, RGB.
        pooling: Without the head: ``None`` for the feature map, ``"avg"`` or ``"max"``.
        classes: Size of the output.
        classifier_activation: Activation of the head; ``None`` gives logits, which are
            not negative.
        name: Name of the model.

    Returns:
        A functional ``keras.Model``, ``(B, H, W, C) -> (B, classes)``, with the taps
        ``stem`` (the first mlpconv), ``stage1`` ... ``stageS`` (the others) and ``head``
        (the maps of the classes).

    Raises:
        ValueError: If the image is too small (under 39 pixels for ImageNet), ``widths``
            are not one for each mlpconv, or ``variant``, ``norm``, ``padding``, ``pooling`` or
            ``weights`` is none of the above.

    Example:

    >>> model = NiN(input_shape=(28, 28, 1))
    >>> model.get_layer("stage2").output.shape, model.get_layer("head").output.shape
    ((None, 7, 7, 192), (None, 7, 7, 10))
    """
    if variant not in VARIANTS:
        raise invalid("variant", f"one of {set(VARIANTS)}", variant)
    sizes, published = VARIANTS[variant]
    widths = published if widths is None else widths
    if len(widths) != len(sizes):
        raise invalid("widths", f"{len(sizes)} tuples, one for each mlpconv", widths)
    check_norm(norm)
    small = variant == "cifar10"
    if padding not in (("behind", "both") if small else ("behind",)):
        raise invalid("padding", '"behind", or "both" for small images', padding)
    image, finish = image_classifier(
        include_top,
        weights,
        input_tensor,
        input_shape,
        pooling,
        classes,
        classifier_activation,
        name,
        family="NiN",
        smallest=4 if small else 39,
        size=32 if small else 224,
        variant=variant,
        norm=norm,
    )
    first = (1, "same") if small else (4, "valid")
    x = mlpconv(image, widths[0], sizes[0], *first, norm, name="stem_mlpconv")
    x = layers.Identity(name="stem")(x)
    for stage in range(1, len(sizes)):
        kind = "max" if stage == 1 else "average"
        x = pool(x, variant, kind, padding, name=f"stage{stage}_pool")
        if dropout and (small or stage == len(sizes) - 1):
            x = layers.Dropout(dropout, name=f"stage{stage}_dropout")(x)
        x = mlpconv(x, widths[stage], sizes[stage], norm=norm, name=f"stage{stage}_mlpconv")
        x = layers.Identity(name=f"stage{stage}")(x)
    return finish(x, top=lambda x: x, head=class_maps)
