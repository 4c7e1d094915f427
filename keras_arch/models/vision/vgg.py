"""VGG: stacks of 3x3 convolutions, so that depth replaces large kernels.

Simonyan, Zisserman. Very Deep Convolutional Networks for Large-Scale Image Recognition.
ICLR 2015. https://arxiv.org/abs/1409.1556

    image -> [convolutions -> max pooling] x 5 -> 4096 -> 4096 -> head

Three 3x3 layers see 7x7 pixels with 27 C^2 weights instead of 49 C^2. Most weights stand
behind the last pooling: 25088 x 4096 of VGG16's 138 million. Read as a convolution
(``window=7``), that layer answers at every place of an image of any size.
"""

from collections.abc import Sequence

import keras
from keras import Model, layers

from keras_arch.errors import invalid
from keras_arch.layers import (
    LocalResponseNormalization,
    channel_attention,
    check_depth,
    check_norm,
    check_stages,
    check_stem,
    conv_relu,
    fully_connected,
    image_classifier,
)
from keras_arch.layers.squeeze_excitation import PUBLICATION, Attention
from keras_arch.registry import register

PRESETS = {  # configurations A, A-LRN, B, C, D and E of table 1
    "VGG11": {"depths": (1, 1, 2, 2, 2)},
    "VGG11LRN": {"depths": (1, 1, 2, 2, 2), "lrn": True},
    "VGG13": {"depths": (2, 2, 2, 2, 2)},
    "VGG16C": {"depths": (2, 2, 3, 3, 3), "kernels": (3, 3, 1, 1, 1)},
    "VGG16": {"depths": (2, 2, 3, 3, 3)},
    "VGG19": {"depths": (2, 2, 4, 4, 4)},
    "SEVGG16": {
        "depths": (2, 2, 3, 3, 3),
        "norm": "batch",
        "attention": "squeeze_excitation",
    },
}

KERAS_NAMES = {  # layers of keras.applications -> ours
    r"^block(\d)_conv(\d)$": r"stage\1_conv\2",
    r"^predictions$": "head",
}


@register(
    paper="Very Deep Convolutional Networks for Large-Scale Image Recognition",
    authors="Simonyan, Zisserman",
    year=2015,
    url="https://arxiv.org/abs/1409.1556",
    venue="ICLR",
    task="image-classification",
    presets=PRESETS,
    parameters={
        "VGG11": 132_863_336,
        "VGG11LRN": 132_863_336,
        "VGG13": 133_047_848,
        "VGG16C": 133_638_952,
        "VGG16": 138_357_544,
        "VGG19": 143_667_240,
        "SEVGG16": 138_605_232,
    },
    publications={"SEVGG16": PUBLICATION},
    reference="keras.applications",
    rename=KERAS_NAMES,
    tiny={
        "plain": {
            "depths": (1, 2),
            "widths": (4, 5),
            "kernels": (3, 1),
            "units": (7, 6),
            "dropout": 0.5,
            "input_shape": (8, 8, 3),
            "classes": 5,
        },
        "norm": {
            "depths": (2, 1),
            "widths": (4, 5),
            "norm": "batch",
            "stem": "cifar",
            "input_shape": (None, None, 1),
            "include_top": False,
        },
        "attention": {
            "depths": (1,),
            "widths": (96,),
            "lrn": True,
            "attention": "squeeze_excitation",
            "window": 3,
            "units": (6,),
            "input_shape": (8, 7, 3),
            "classes": 5,
        },
    },
)
def VGG(
    depths: Sequence[int] = (2, 2, 3, 3, 3),
    widths: Sequence[int] = (64, 128, 256, 512, 512),
    kernels: Sequence[int] | None = None,
    units: Sequence[int] = (4096, 4096),
    dropout: float = 0.0,
    norm: str | None = None,
    lrn: bool = False,
    window: int | None = None,
    attention: Attention = None,
    stem: str = "imagenet",
    include_top: bool = True,
    weights: str | None = None,
    input_tensor: keras.KerasTensor | None = None,
    input_shape: tuple[int | None, int | None, int] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | None = "softmax",
    name: str = "vgg",
) -> Model:
    """Very deep network of small convolutions.

    Args:
        depths: Convolutions in each stage.
        widths: Channels of each stage.
        kernels: Size of the last convolution of each stage, 3 by default; configuration C
            has 1 in its last three stages.
        units: Widths of the fully connected layers.
        dropout: Rate after each of them: 0.5 in the paper, 0 in ``keras.applications``.
        norm: ``None`` or ``"batch"``, normalization after each convolution, with which the
            deep ones learn from scratch.
        lrn: Whether local response normalization follows the first convolution
            (configuration A-LRN, which was no better than A).
        window: Size of the map that the first fully connected layer reads as a
            convolution, 7 for the networks of the paper: any image from 224 pixels is then
            answered at every place, and the paper averages these answers. ``None`` is
            the whole map of one size. The weights are the same.
        attention: ``None``, ``"squeeze_excitation"`` or a function ``(x, name) -> x``, at
            the end of every convolution. The squeeze-and-excitation paper puts it after
            the non-linearity there and trains with ``norm="batch"`` (``SEVGG16``); it
            does not say that the ratio is another than its usual 16.
        stem: ``"imagenet"``, or ``"cifar"``: the first stage keeps its resolution, which
            leaves something of images from 16 pixels.
        include_top: Whether to add the fully connected layers and the head.
        weights: ``None``, ``"imagenet"`` or the path of a file; a head of other
            ``classes`` is new, another number of channels adapts the first kernel.
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
        ``stem`` (the first convolution), ``stage1`` ... ``stageS`` and ``head``; with a
        ``window`` ``(B, H, W, C) -> (B, H', W', classes)``.

    Raises:
        ValueError: If the image is too small (under 32 pixels for VGG16), the stages
            differ in number, a ``window`` has no ``units``, or ``norm``, ``attention``,
            ``stem``, ``pooling`` or ``weights`` is none of the above.

    Example:

    >>> model = VGG(depths=(1, 2), widths=(8, 16), units=(32,), input_shape=(28, 28, 1), classes=10)
    >>> model.get_layer("stage2").output.shape
    (None, 7, 7, 16)
    """
    kernels = [3] * len(depths) if kernels is None else kernels
    check_stages(depths, widths=widths, kernels=kernels)
    check_stem(stem)
    check_norm(norm)
    if window is not None and not (include_top and units and window > 0):
        raise invalid("window", "`None`, or a positive number with the top and `units`", window)
    check_depth(depths, layers_each=4)  # convolution, normalization, ReLU, attention
    smallest = 2 ** (len(depths) - (stem == "cifar")) * (window or 1)
    image, finish = image_classifier(
        include_top,
        weights,
        input_tensor,
        input_shape,
        pooling,
        classes,
        classifier_activation,
        name,
        family="VGG",
        smallest=smallest,
        depths=depths,
        widths=widths,
        kernels=None if set(kernels) == {3} else kernels,  # the published ones
        units=units,
        norm=norm,
    )
    x = image
    for stage, (depth, width, last) in enumerate(zip(depths, widths, kernels, strict=True), 1):
        for index in range(1, depth + 1):
            size = last if index == depth else 3
            here = f"stage{stage}_conv{index}"
            x = conv_relu(x, width, size, norm=norm, name=here)
            x = channel_attention(x, attention, name=f"{here}_attention")
            if stage == index == 1:
                x = layers.Identity(name="stem")(x)
                if lrn:
                    x = LocalResponseNormalization(name="stem_lrn")(x)
        if stage == 1 and stem == "cifar":
            x = layers.Identity(name="stage1")(x)
        else:
            x = layers.MaxPooling2D(2, name=f"stage{stage}")(x)
    return finish(x, top=lambda x: fully_connected(x, units, dropout, window))
