"""Highway CNN: convolutional highway layers, stage by stage.

Srivastava, Greff, Schmidhuber. Training Very Deep Networks.
NeurIPS 2015. https://arxiv.org/abs/1507.06228

    image -> [3x3 convolution -> highway layer x (depth - 1) -> max pooling] x S -> head

A highway layer keeps its channels; the convolution that begins a stage changes them.
"""

import functools
from collections.abc import Callable, Sequence

import keras
from keras import Model, layers

from keras_arch.layers import (
    HighwayConv2D,
    check_depth,
    check_stages,
    global_average,
    image_classifier,
    smallest_side,
)
from keras_arch.layers.highway import PUBLICATION
from keras_arch.registry import register


@register(
    **PUBLICATION,
    task="image-classification",
    parameters={"HighwayCNN": 509_194},
    tiny={
        "plain": {"depths": (2, 2), "widths": (3, 4), "input_shape": (8, 8, 3), "classes": 3},
        "features": {
            "depths": (2, 1),
            "widths": (3, 4),
            "activation": "tanh",
            "input_shape": (8, 8, 1),
            "include_top": False,
        },
    },
)
def HighwayCNN(
    depths: Sequence[int] = (6, 6, 6),
    widths: Sequence[int] = (16, 32, 64),
    activation: str | Callable | None = "relu",
    gate_bias: float = -2.0,
    dropout: float = 0.0,
    stem: str = "cifar",
    include_top: bool = True,
    weights: str | None = None,
    input_tensor: keras.KerasTensor | None = None,
    input_shape: tuple[int | None, int | None, int] | None = None,
    pooling: str | None = None,
    classes: int = 10,
    classifier_activation: str | None = "softmax",
    name: str = "highwaycnn",
) -> Model:
    """Convolutional highway network; by default 19 layers, in the widths of CIFAR's ResNets.

    Args:
        depths: Layers of each stage, the plain convolution included.
        widths: Channels of each stage.
        activation: Of what is transformed.
        gate_bias: Bias of the gates at the start: -1 to -4, the deeper the less.
        dropout: Rate before the head.
        stem: ``"cifar"`` (3x3, full size) or ``"imagenet"`` (7x7, a quarter of the size).
        include_top: Whether to add pooling and the head.
        weights: ``None`` or the path of a file; a head of other ``classes`` is new, another
            number of channels adapts the first kernel.
        input_tensor: Keras tensor to use as the image, instead of a new input; an
            ``input_shape`` beside it must be its own.
        input_shape: ``(height, width, channels)``; height and width may be ``None``
            without the top. By default 32x32 pixels with the top, any size without, RGB.
        pooling: Without the head: ``None`` for the feature map, ``"avg"`` or ``"max"``.
        classes: Size of the output.
        classifier_activation: Activation of the head; ``None`` gives logits.
        name: Name of the model.

    Returns:
        A functional ``keras.Model``, ``(B, H, W, C) -> (B, classes)``, with the taps
        ``stem`` (the first convolution), ``stage1`` ... ``stageS`` and ``head``.

    Raises:
        ValueError: If the stages differ in number, are too deep for Keras or leave nothing
            of the image, or ``stem``, ``pooling`` or ``weights`` is none of the above.

    Example:

    >>> model = HighwayCNN(depths=(2, 2), widths=(8, 16))
    >>> model.get_layer("stage2").output.shape
    (None, 16, 16, 16)
    """
    check_stages(depths, widths=widths)
    check_depth(depths, layers_each=1)
    image, finish = image_classifier(
        include_top,
        weights,
        input_tensor,
        input_shape,
        pooling,
        classes,
        classifier_activation,
        name,
        family="HighwayCNN",
        smallest=smallest_side(stem, len(depths) - 1),
        size=32,
        depths=depths,
        widths=widths,
    )
    x = image
    for stage, (depth, width) in enumerate(zip(depths, widths, strict=True), start=1):
        if stage > 1:
            x = layers.MaxPooling2D(2, name=f"stage{stage}_pool")(x)
        large = stage == 1 and stem == "imagenet"
        x = layers.Conv2D(
            width,
            7 if large else 3,
            2 if large else 1,
            padding="same",
            activation=activation,
            kernel_initializer="he_normal",
            name="stem" if stage == 1 else f"stage{stage}_conv",
        )(x)
        if large:
            x = layers.MaxPooling2D(2, name="stem_pool")(x)
        for index in range(1, depth):
            here = f"stage{stage}_highway{index}"
            x = HighwayConv2D(3, activation, gate_bias, name=here)(x)
        x = layers.Identity(name=f"stage{stage}")(x)
    return finish(x, top=functools.partial(global_average, dropout=dropout))
