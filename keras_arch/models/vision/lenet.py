"""LeNet-5: convolutions and subsampling by turns, then a code for each class.

LeCun, Bottou, Bengio, Haffner. Gradient-Based Learning Applied to Document Recognition.
Proceedings of the IEEE 1998. http://yann.lecun.com/exdb/publis/pdf/lecun-98.pdf

    32x32 -> C1 6@28x28 -> S2 6@14x14 -> C3 16@10x10 -> S4 16@5x5 -> C5 120 -> F6 84 -> 10

The original has 60,000 trainable weights and 340,908 connections: each map of C3 reads
only some of S2 (60 kernels), a subsampling layer has two weights a map, and the output is
the distance to a fixed code of each class. Full connections and a softmax make it 61,750,
and max pooling, today's usual form, 61,706.
"""

import keras
from keras import Model, layers

from keras_arch.activations import lecun_tanh
from keras_arch.errors import invalid
from keras_arch.layers import (
    PartialConv2D,
    RBFOutput,
    TrainableSubsampling,
    centred,
    flatten,
    image_classifier,
)
from keras_arch.registry import register

WHITE, INK = -0.1, 1.175  # of pixels in [0, 1]: a digit then has mean 0 and variance 1
FIELD = 32  # the paper centres digits of 28x28 in it, so that strokes may end near an edge

TABLE_I = (  # the maps of S2 that each map of C3 reads: three or four neighbours, pairs, all
    *[[(first + i) % 6 for i in range(3)] for first in range(6)],
    *[[(first + i) % 6 for i in range(4)] for first in range(6)],
    *[[0, 1, 3, 4], [1, 2, 4, 5], [0, 2, 3, 5]],
    [0, 1, 2, 3, 4, 5],
)


def original(x):
    """C1 to C5 of the paper: ``(B, 32, 32, C) -> (B, 1, 1, 120)``."""
    x = layers.Rescaling(INK - WHITE, WHITE, name="scaled")(x)
    x = layers.Conv2D(6, 5, activation=lecun_tanh, name="stem")(x)
    x = TrainableSubsampling(2, lecun_tanh, name="stage1")(x)
    x = PartialConv2D(TABLE_I, 5, activation=lecun_tanh, name="stage2_conv")(x)
    x = TrainableSubsampling(2, lecun_tanh, name="stage2")(x)
    return layers.Conv2D(120, 5, activation=lecun_tanh, name="stage3")(x)


def full(x):
    """The same with full connections: ``(B, 32, 32, C) -> (B, 1, 1, 120)``."""
    x = layers.Rescaling(INK - WHITE, WHITE, name="scaled")(x)
    x = layers.Conv2D(6, 5, activation=lecun_tanh, name="stem")(x)
    x = TrainableSubsampling(2, lecun_tanh, name="stage1")(x)
    x = layers.Conv2D(16, 5, activation=lecun_tanh, name="stage2_conv")(x)
    x = TrainableSubsampling(2, lecun_tanh, name="stage2")(x)
    return layers.Conv2D(120, 5, activation=lecun_tanh, name="stage3")(x)


def modern(x):
    """The same with full connection and max pooling: ``(B, 32, 32, C) -> (B, 1, 1, 120)``."""
    x = layers.Conv2D(6, 5, activation="relu", name="stem")(x)
    x = layers.MaxPooling2D(2, name="stage1")(x)
    x = layers.Conv2D(16, 5, activation="relu", name="stage2_conv")(x)
    x = layers.MaxPooling2D(2, name="stage2")(x)
    return layers.Conv2D(120, 5, activation="relu", name="stage3")(x)


VARIANTS = {  # features, activation of F6, output
    "original": (original, lecun_tanh, RBFOutput),
    "full": (full, lecun_tanh, layers.Dense),
    "modern": (modern, "relu", layers.Dense),
}


@register(
    paper="Gradient-Based Learning Applied to Document Recognition",
    authors="LeCun, Bottou, Bengio, Haffner",
    year=1998,
    url="http://yann.lecun.com/exdb/publis/pdf/lecun-98.pdf",
    journal="Proceedings of the IEEE",
    task="image-classification",
    parameters={"LeNet5": 60_840},  # with the 840 of the codes, which are not trained
    tiny={
        "original": {"input_shape": (12, 9, 2), "classes": 3},
        "full": {"variant": "full", "classes": 3},
        "modern": {"variant": "modern", "classes": 3},
        "features": {"input_shape": (36, 32, 1), "include_top": False, "pooling": "avg"},
    },
)
def LeNet5(
    variant: str = "original",
    include_top: bool = True,
    weights: str | None = None,
    input_tensor: keras.KerasTensor | None = None,
    input_shape: tuple[int | None, int | None, int] = (32, 32, 1),
    pooling: str | None = None,
    classes: int = 10,
    classifier_activation: str | None = "softmax",
    name: str = "lenet5",
) -> Model:
    """LeNet-5, of the paper or as it is built today.

    The original ends in Euclidean radial basis functions around fixed codes. Their outputs
    carry a minus sign here (``layers.RBFOutput``): with ``classifier_activation=None`` the
    model gives the paper's penalties times -1, and with ``"softmax"`` the posterior that
    they stand for, so that it trains with cross-entropy as any other classifier does; from
    the penalties ``losses.MaximumAPosteriori``, the paper's criterion, learns more.
    Distances in 84 dimensions make steep logits: Adam at its usual rates learns well, SGD
    needs small steps. For ten classes the codes are drawings of the digits.

    Args:
        variant: ``"original"``: partial connections, trained subsampling, scaled tanh,
            fixed codes; ``"full"``: full connections and softmax, the rest as it was;
            ``"modern"``: full connections, max pooling, ReLU, softmax.
        include_top: Whether to add F6 and the head.
        weights: ``None`` or the path of a file; a head of other ``classes`` is new,
            another number of channels adapts the first kernel.
        input_tensor: Keras tensor to use as the image, instead of a new input; an
            ``input_shape`` beside it must be its own.
        input_shape: ``(height, width, channels)``; what is smaller than 32x32 is centred
            in a field of zeros of that size. Without the top ``None`` is any size from 32.
            Pixels are in ``[0, 1]`` and ink is 1; all but the modern form scale them as
            the paper does, white to -0.1 and ink to 1.175.
        pooling: Without the head: ``None`` for the feature map, ``"avg"`` or ``"max"``.
        classes: Size of the output.
        classifier_activation: Activation of the head; ``None`` gives logits.
        name: Name of the model.

    Returns:
        A functional ``keras.Model``, ``(B, H, W, C) -> (B, classes)``, with the taps
        ``stem`` (C1), ``stage1`` (S2), ``stage2`` (S4), ``stage3`` (C5) and ``head``.

    Raises:
        ValueError: If ``variant``, ``pooling`` or ``weights`` is none of the above.

    Example:

    >>> model = LeNet5(input_shape=(28, 28, 1))
    >>> model.get_layer("stage2").output.shape
    (None, 5, 5, 16)
    """
    if variant not in VARIANTS:
        raise invalid("variant", f"one of {set(VARIANTS)}", variant)
    features, activation, head = VARIANTS[variant]

    def top(x):
        return layers.Dense(84, activation, name="f6")(flatten(x))

    image, finish = image_classifier(
        include_top,
        weights,
        input_tensor,
        input_shape,
        pooling,
        classes,
        classifier_activation,
        name,
        family="LeNet5",
    )
    x = features(centred(image, FIELD))
    return finish(x, top=top, head=head)
