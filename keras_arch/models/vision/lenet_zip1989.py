"""The zip code network of 1989: shared weights, strides instead of subsampling layers.

LeCun, Boser, Denker, Henderson, Howard, Hubbard, Jackel. Backpropagation Applied to
Handwritten Zip Code Recognition. Neural Computation 1989.
https://doi.org/10.1162/neco.1989.1.4.541

    16x16 -> H1 12@8x8, stride 2 -> H2 12@4x4, stride 2 -> H3 30 -> 10

Kernels of 5x5 are shared, biases are not, each unit has its own: 12 * 25 + 768 weights in
H1, 12 * 8 * 25 + 192 in H2, whose maps read 8 of the 12 below, 5,790 and 310 behind; 9,760
carry 64,660 connections. Beyond the edge every map goes on with the background, -1.
"""

import keras
from keras import Model, layers

from keras_arch.activations import lecun_tanh
from keras_arch.layers import (
    ConstantPadding2D,
    PartialConv2D,
    UnitBias,
    centred,
    flatten,
    image_classifier,
)
from keras_arch.registry import register

FIELD, BACKGROUND = 16, -1.0
TABLE = tuple(  # the paper does not tell its scheme: each map of H1 is read by 8 of H2
    tuple(sorted((first + i) % 12 for i in range(8))) for first in range(12)
)


@register(
    paper="Backpropagation Applied to Handwritten Zip Code Recognition",
    authors="LeCun, Boser, Denker, Henderson, Howard, Hubbard, Jackel",
    year=1989,
    url="https://doi.org/10.1162/neco.1989.1.4.541",
    journal="Neural Computation",
    task="image-classification",
    parameters={"LeNetZip1989": 9_760},
    tiny={
        "plain": {"input_shape": (12, 16, 1), "classes": 3},
        "features": {"input_shape": (17, 20, 3), "include_top": False, "pooling": "avg"},
    },
)
def LeNetZip1989(
    include_top: bool = True,
    weights: str | None = None,
    input_tensor: keras.KerasTensor | None = None,
    input_shape: tuple[int, int, int] = (16, 16, 1),
    pooling: str | None = None,
    classes: int = 10,
    classifier_activation: str | None = "softmax",
    name: str = "lenet_zip1989",
) -> Model:
    """The network of 1989 that reads zip codes.

    As in the paper its units are scaled tanh; the ten output units are, too, with
    ``classifier_activation=activations.lecun_tanh``, and learn targets of plus and minus
    one by squares.

    Args:
        include_top: Whether to add H3 and the head.
        weights: ``None`` or the path of a file; a head of other ``classes`` is new,
            another number of channels adapts the first kernel.
        input_tensor: Keras tensor to use as the image, instead of a new input; an
            ``input_shape`` beside it must be its own.
        input_shape: ``(height, width, channels)``, all known, for each unit has a bias of
            its own; what is smaller than 16x16 is centred in a field of that size. Pixels
            are in ``[0, 1]``, of which the network makes -1 to 1, and ink is 1.
        pooling: Without the head: ``None`` for the feature map, ``"avg"`` or ``"max"``.
        classes: Size of the output.
        classifier_activation: Activation of the head; ``None`` gives logits.
        name: Name of the model.

    Returns:
        A functional ``keras.Model``, ``(B, H, W, C) -> (B, classes)``, with the taps
        ``stem`` (H1), ``stage1`` (H2) and ``head``.

    Raises:
        ValueError: If the height or width is unknown, or ``pooling`` or ``weights`` is none
            of the above.

    Example:

    >>> LeNetZip1989().get_layer("stage1").output.shape
    (None, 4, 4, 12)
    """
    image, finish = image_classifier(
        include_top,
        weights,
        input_tensor,
        input_shape,
        pooling,
        classes,
        classifier_activation,
        name,
        family="LeNetZip1989",
    )
    x = layers.Rescaling(2.0, -1.0, name="scaled")(centred(image, FIELD))
    x = ConstantPadding2D(2, BACKGROUND, name="stem_pad")(x)
    x = layers.Conv2D(12, 5, strides=2, use_bias=False, name="stem_conv")(x)
    x = UnitBias(lecun_tanh, name="stem")(x)
    x = ConstantPadding2D(2, BACKGROUND, name="stage1_pad")(x)
    x = PartialConv2D(TABLE, 5, strides=2, use_bias=False, name="stage1_conv")(x)
    x = UnitBias(lecun_tanh, name="stage1")(x)
    return finish(x, top=lambda x: layers.Dense(30, lecun_tanh, name="h3")(flatten(x)))
