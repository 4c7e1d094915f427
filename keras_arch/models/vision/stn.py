"""Spatial transformer network: it turns the image upright before it reads it.

Jaderberg, Simonyan, Zisserman, Kavukcuoglu. Spatial Transformer Networks. NIPS 2015.
https://arxiv.org/abs/1506.02025

    image -> localization: [5x5 convolution -> max pooling] x 2 -> features -> transformer
          -> [convolution -> max pooling] x 2 -> head

Nobody tells the localization network where to look: the gradient of the classifier's loss
passes through the sampler. It begins by looking at the whole image.
"""

from collections.abc import Sequence

import keras
from keras import Model, layers

from keras_arch.errors import invalid
from keras_arch.layers import SpatialTransformer, flatten, image_classifier, require_size
from keras_arch.registry import register


def localization(x, widths, units):
    """What the transformer decides by: ``(B, H, W, C) -> (B, units)``."""
    for index, width in enumerate(widths, start=1):
        x = layers.Conv2D(
            width, 5, padding="same", activation="relu", name=f"localization_conv{index}"
        )(x)
        x = layers.MaxPooling2D(2, name=f"localization_pool{index}")(x)
    require_size(x, "with a transformer")
    x = layers.Flatten(name="localization_flatten")(x)
    return layers.Dense(units, "relu", name="localization_fc")(x)


@register(
    paper="Spatial Transformer Networks",
    authors="Jaderberg, Simonyan, Zisserman, Kavukcuoglu",
    year=2015,
    url="https://arxiv.org/abs/1506.02025",
    venue="NIPS",
    task="image-classification",
    tiny={
        "affine": {
            "widths": (4, 5),
            "kernels": (3, 3),
            "localization_widths": (3, 4),
            "units": 6,
            "dropout": 0.5,
            "input_shape": (12, 9, 2),
            "classes": 3,
        },
        "attention": {
            "widths": (4,),
            "kernels": (3,),
            "localization_widths": (3,),
            "units": 6,
            "transform": "attention",
            "size": (6, 6),
            "input_shape": (8, 8, 1),
            "include_top": False,
        },
    },
    xfail={
        "gradients": "the transformer begins as the identity, with weights of zero, so what "
        "leads to them gets a gradient from the second step on"
    },
)
def STN(
    widths: Sequence[int] = (32, 32),
    kernels: Sequence[int] = (9, 7),
    localization_widths: Sequence[int] = (20, 20),
    units: int = 20,
    transform: str | None = "affine",
    size: Sequence[int] | None = None,
    dropout: float = 0.0,
    include_top: bool = True,
    weights: str | None = None,
    input_tensor: keras.KerasTensor | None = None,
    input_shape: tuple[int | None, int | None, int] = (28, 28, 1),
    pooling: str | None = None,
    classes: int = 10,
    classifier_activation: str | None = "softmax",
    name: str = "stn",
) -> Model:
    """Convolutional network behind a spatial transformer, in the paper's size for digits.

    Train the transformer with a rate of a tenth of the classifier's, or small: a transform
    that once has left the image finds nothing to learn from.

    Args:
        widths: Channels of each stage of the classifier.
        kernels: Size of the convolution of each stage.
        localization_widths: Channels of each stage of the localization network.
        units: Features by which the transformer decides.
        transform: ``"affine"``, ``"attention"`` (a scale and a translation), or ``None``:
            the same classifier without a transformer.
        size: Height and width that the classifier sees; ``None`` for those of the image.
        dropout: Rate before the head.
        include_top: Whether to add the head.
        weights: ``None`` or the path of a file; a head of other ``classes`` is new,
            another number of channels adapts the first kernel.
        input_tensor: Keras tensor to use as the image, instead of a new input; an
            ``input_shape`` beside it must be its own.
        input_shape: ``(height, width, channels)``; height and width may be ``None`` without
            the top and the transformer.
        pooling: Without the head: ``None`` for the feature map, ``"avg"`` or ``"max"``.
        classes: Size of the output.
        classifier_activation: Activation of the head; ``None`` gives logits.
        name: Name of the model.

    Returns:
        A functional ``keras.Model``, ``(B, H, W, C) -> (B, classes)``, with the taps
        ``transformer`` (what the classifier sees), ``stem`` (its first convolution),
        ``stage1`` ... ``stageS`` and ``head``.

    Raises:
        ValueError: If the image is too small (under 4 pixels), the stages differ in number,
            or ``transform``, ``pooling`` or ``weights`` is none of the above.

    Example:

    >>> model = STN(size=(20, 20))
    >>> model.get_layer("transformer").output.shape, model.get_layer("stage2").output.shape
    ((None, 20, 20, 1), (None, 5, 5, 32))
    """
    if len(kernels) != len(widths):
        raise invalid("kernels", f"{len(widths)} sizes, one for each stage", kernels)
    if transform not in ("affine", "attention", None):
        raise invalid("transform", 'one of {"affine", "attention", None}', transform)
    stages = 2 ** len(widths)
    if size is not None and min(size) < stages:
        raise invalid("size", f"height and width of at least {stages}", size)
    smallest = stages if size is None else 1
    image, finish = image_classifier(
        include_top,
        weights,
        input_tensor,
        input_shape,
        pooling,
        classes,
        classifier_activation,
        name,
        family="STN",
        smallest=max(smallest, 2 ** len(localization_widths) if transform else 1),
    )
    x = image
    if transform is not None:
        features = localization(x, localization_widths, units)
        x = SpatialTransformer(size, transform, name="transformer")((x, features))
    for stage, (width, kernel) in enumerate(zip(widths, kernels, strict=True), start=1):
        x = layers.Conv2D(
            width, kernel, padding="same", activation="relu", name=f"stage{stage}_conv"
        )(x)
        if stage == 1:
            x = layers.Identity(name="stem")(x)
        x = layers.MaxPooling2D(2, name=f"stage{stage}")(x)

    def top(x):
        x = flatten(x)
        return layers.Dropout(dropout, name="dropout")(x) if dropout else x

    return finish(x, top=top)
