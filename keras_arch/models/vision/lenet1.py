"""LeNet-1: the first network of shared weights and subsampling layers.

LeCun, Boser, Denker, Henderson, Howard, Hubbard, Jackel. Handwritten Digit Recognition with
a Back-Propagation Network. NIPS 1989.
https://papers.nips.cc/paper/1989/hash/53c3bce66e43be4f209556518c2fcb54-Abstract.html

    28x28 -> H1 4@24x24 -> H2 4@12x12 -> H3 12@8x8 -> H4 12@4x4 -> 10

2,578 trainable weights carry 98,442 connections: H1 has 104, each averaging map one factor
and one bias, and the maps of H3 read one or two of H2 through 20 kernels.
"""

import keras
from keras import Model, layers

from keras_arch.activations import lecun_tanh
from keras_arch.layers import (
    PartialConv2D,
    TrainableSubsampling,
    centred,
    flatten,
    image_classifier,
)
from keras_arch.registry import register

FIELD = 28  # the paper puts digits of 16x16 in its middle

HALF = ((0,), (0, 1), (0, 1), (1,), (0, 1), (0, 1))
TABLE = (*HALF, *(tuple(2 + source for source in row) for row in HALF))  # H2 that H3 reads


@register(
    paper="Handwritten Digit Recognition with a Back-Propagation Network",
    authors="LeCun, Boser, Denker, Henderson, Howard, Hubbard, Jackel",
    year=1989,
    url="https://papers.nips.cc/paper/1989/hash/53c3bce66e43be4f209556518c2fcb54-Abstract.html",
    venue="NIPS",
    task="image-classification",
    parameters={"LeNet1": 2_578},
    tiny={
        "plain": {"input_shape": (16, 16, 1), "classes": 3},
        "features": {"input_shape": (20, 30, 3), "include_top": False, "pooling": "max"},
    },
)
def LeNet1(
    include_top: bool = True,
    weights: str | None = None,
    input_tensor: keras.KerasTensor | None = None,
    input_shape: tuple[int | None, int | None, int] = (28, 28, 1),
    pooling: str | None = None,
    classes: int = 10,
    classifier_activation: str | None = "softmax",
    name: str = "lenet1",
) -> Model:
    """LeNet-1, of the paper.

    The ten output units of the paper are scaled tanh and learn targets of plus and minus
    one by squares: ``classifier_activation=activations.lecun_tanh``.

    Args:
        include_top: Whether to add the head.
        weights: ``None`` or the path of a file; a head of other ``classes`` is new,
            another number of channels adapts the first kernel.
        input_tensor: Keras tensor to use as the image, instead of a new input; an
            ``input_shape`` beside it must be its own.
        input_shape: ``(height, width, channels)``; what is smaller than 28x28 is centred
            in a field of zeros of that size. Without the top ``None`` is any size from 28.
            Pixels are in ``[0, 1]``, of which the network makes -1 to 1, and ink is 1.
        pooling: Without the head: ``None`` for the feature map, ``"avg"`` or ``"max"``.
        classes: Size of the output.
        classifier_activation: Activation of the head; ``None`` gives logits.
        name: Name of the model.

    Returns:
        A functional ``keras.Model``, ``(B, H, W, C) -> (B, classes)``, with the taps
        ``stem`` (H1), ``stage1`` (H2), ``stage2`` (H4) and ``head``.

    Raises:
        ValueError: If ``pooling`` or ``weights`` is none of the above.

    Example:

    >>> model = LeNet1(input_shape=(16, 16, 1))
    >>> model.get_layer("stage2").output.shape, model.count_params()
    ((None, 4, 4, 12), 2578)
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
        family="LeNet1",
    )
    x = layers.Rescaling(2.0, -1.0, name="scaled")(centred(image, FIELD))
    x = layers.Conv2D(4, 5, activation=lecun_tanh, name="stem")(x)
    x = TrainableSubsampling(2, lecun_tanh, name="stage1")(x)
    x = PartialConv2D(TABLE, 5, activation=lecun_tanh, name="stage2_conv")(x)
    x = TrainableSubsampling(2, lecun_tanh, name="stage2")(x)
    return finish(x, top=flatten)
