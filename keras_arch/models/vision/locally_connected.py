"""Locally connected nets: windows as in a convolutional network, without shared weights.

LeCun. Generalization and Network Design Strategies. Connectionism in Perspective 1989.
http://yann.lecun.com/exdb/publis/pdf/lecun-89.pdf
Taigman, Yang, Ranzato, Wolf. DeepFace: Closing the Gap to Human-Level Performance in Face
Verification. CVPR 2014. https://doi.org/10.1109/CVPR.2014.220

    image -> [locally connected] x S -> [dense] -> head

By default Net-3 of 1989, 16x16 -> 8x8 -> 4x4 -> 10, with one unit at each place and 1,226
weights, each used once. DeepFace has aligned faces, in which each place means something
else: after a convolutional entrance, 73 of its 119 million weights are local.
"""

from collections.abc import Sequence

import keras
from keras import Model, layers

from keras_arch.activations import lecun_tanh
from keras_arch.errors import invalid
from keras_arch.layers import LocallyConnected2D, check_depth, flatten, image_classifier
from keras_arch.registry import register

PRESETS = {
    "DeepFace": {
        "widths": (16, 16, 16),
        "kernels": (9, 7, 5),
        "strides": (1, 2, 1),
        "padding": "valid",
        "units": (4096,),
        "activation": "relu",
        "dropout": 0.5,
        "stem": "deepface",
        "input_shape": (152, 152, 3),
        "classes": 4030,
    },
}


def smallest(kernels, strides, padding, stem):
    """The least height of an image of which every layer has something left."""
    least = 1
    for size, stride in zip(reversed(kernels), reversed(strides), strict=True):
        least = (least - 1) * stride + size if padding == "valid" else least * stride
    return least if stem is None else 10 + 2 * (least + 8) - 1


def deepface_stem(x):
    """C1, M2 and C3 of DeepFace: ``(B, 152, 152, C) -> (B, 63, 63, 16)``."""
    x = layers.Conv2D(32, 11, activation="relu", name="stem_conv1")(x)
    x = layers.MaxPooling2D(3, strides=2, padding="same", name="stem_pool")(x)
    return layers.Conv2D(16, 9, activation="relu", name="stem")(x)


def fully_connected(x, units, activation, dropout):
    """``(B, H, W, C) -> (B, units[-1])``."""
    x = flatten(x)
    for index, width in enumerate(units, start=1):
        x = layers.Dense(width, activation, name=f"fc{index}")(x)
        if dropout:
            x = layers.Dropout(dropout, name=f"fc{index}_dropout")(x)
    return x


@register(
    paper="Generalization and Network Design Strategies",
    authors="LeCun",
    year=1989,
    url="http://yann.lecun.com/exdb/publis/pdf/lecun-89.pdf",
    venue="Connectionism in Perspective",
    task="image-classification",
    presets=PRESETS,
    publications={
        "DeepFace": {
            "paper": "DeepFace: Closing the Gap to Human-Level Performance in Face Verification",
            "authors": "Taigman, Yang, Ranzato, Wolf",
            "year": 2014,
            "url": "https://doi.org/10.1109/CVPR.2014.220",
            "venue": "CVPR",
        }
    },
    parameters={"LocallyConnectedNet": 1_226, "DeepFace": 118_923_774},
    tiny={
        "plain": {"input_shape": (12, 11, 2), "widths": (2, 3), "classes": 3},
        "deepface": {
            **PRESETS["DeepFace"],
            "widths": (6, 4),
            "kernels": (3, 3),
            "strides": (1, 2),
            "units": (12,),
            "dropout": 0.1,
            "input_shape": (38, 36, 1),
            "classes": 3,
        },
        "features": {"input_shape": (8, 8, 1), "include_top": False},
    },
)
def LocallyConnectedNet(
    widths: Sequence[int] = (1, 1),
    kernels: Sequence[int] = (3, 5),
    strides: Sequence[int] = (2, 2),
    padding: str = "same",
    units: Sequence[int] = (),
    activation: str | None = "lecun_tanh",
    dropout: float = 0.0,
    stem: str | None = None,
    include_top: bool = True,
    weights: str | None = None,
    input_tensor: keras.KerasTensor | None = None,
    input_shape: tuple[int, int, int] = (16, 16, 1),
    pooling: str | None = None,
    classes: int = 10,
    classifier_activation: str | None = "softmax",
    name: str = "locally_connected_net",
) -> Model:
    """Network of locally connected layers.

    Args:
        widths: Channels of each locally connected layer.
        kernels: Size of their windows.
        strides: Distances of their windows.
        padding: ``"same"``, with zeros around, or ``"valid"``.
        units: Widths of the fully connected layers.
        activation: Activation of all of them: ``"lecun_tanh"`` or one of Keras.
        dropout: Rate after each fully connected layer.
        stem: ``None``, or ``"deepface"``: two convolutions and a pooling between them.
        include_top: Whether to add the fully connected layers and the head.
        weights: ``None`` or the path of a file; a head of other ``classes`` is new.
        input_tensor: Keras tensor to use as the image, instead of a new input; an
            ``input_shape`` beside it must be its own.
        input_shape: ``(height, width, channels)``, all known, for each place has weights
            of its own.
        pooling: Without the head: ``None`` for the feature map, ``"avg"`` or ``"max"``.
        classes: Size of the output.
        classifier_activation: Activation of the head; ``None`` gives logits.
        name: Name of the model.

    Returns:
        A functional ``keras.Model``, ``(B, H, W, C) -> (B, classes)``, with the taps
        ``stem`` (the image itself where there is none), ``stage1`` ... ``stageS`` and
        ``head``.

    Raises:
        ValueError: If the sizes differ in number, the image is too small or of unknown
            size, or ``stem``, ``padding``, ``pooling`` or ``weights`` is none of the above.

    Example:

    >>> LocallyConnectedNet().count_params()
    1226
    """
    for argument, values in (("kernels", kernels), ("strides", strides)):
        if len(values) != len(widths):
            raise invalid(argument, f"{len(widths)} sizes, one for each layer", values)
    check_depth((len(widths),), 1, "widths", widths)
    if units:
        check_depth((len(units),), 2, "units", units)  # with its dropout
    if stem not in (None, "deepface"):
        raise invalid("stem", 'one of {None, "deepface"}', stem)
    if padding not in ("valid", "same"):
        raise invalid("padding", 'one of {"valid", "same"}', padding)
    image, finish = image_classifier(
        include_top,
        weights,
        input_tensor,
        input_shape,
        pooling,
        classes,
        classifier_activation,
        name,
        family="LocallyConnectedNet",
        smallest=smallest(kernels, strides, padding, stem),
    )
    function = lecun_tanh if activation == "lecun_tanh" else activation
    x = layers.Identity(name="stem")(image) if stem is None else deepface_stem(image)
    shapes = zip(widths, kernels, strides, strict=True)
    for stage, (width, size, stride) in enumerate(shapes, start=1):
        x = LocallyConnected2D(width, size, stride, padding, function, name=f"stage{stage}")(x)
    return finish(x, top=lambda x: fully_connected(x, units, function, dropout))
