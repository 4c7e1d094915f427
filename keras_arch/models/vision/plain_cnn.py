"""Plain CNN: as deep as a residual network, without its shortcuts.

Xie, Xiong, Pu. All You Need is Beyond a Good Init: Exploring Better Solution for Training
Extremely Deep Convolutional Neural Networks with Orthonormality and Modulation. CVPR 2017.
https://arxiv.org/abs/1703.01827

    image -> [3x3 convolution -> normalization -> ReLU] x (6n + 2 - 1), in three stages
          -> pooling -> head

Kernels are drawn orthonormal and kept so by ``regularizers.Orthonormality``; at 110 layers
``callbacks.ErrorModulation`` keeps the errors' size from layer to layer as well.
"""

import functools
from collections.abc import Sequence
from typing import Any

import keras
from keras import Model, initializers, layers

from keras_arch.layers import (
    check_depth,
    check_stages,
    conv_bn_relu,
    global_average,
    image_classifier,
    pad_strided,
    smallest_side,
)
from keras_arch.registry import register
from keras_arch.regularizers import Orthonormality

PRESETS = {  # with the parameters of ResNet's of the same depth, option A
    "PlainCNN20CIFAR": {"depths": (6, 6, 6)},
    "PlainCNN44CIFAR": {"depths": (14, 14, 14)},
    "PlainCNN56CIFAR": {"depths": (18, 18, 18)},
    "PlainCNN110CIFAR": {"depths": (36, 36, 36)},
}


def plain_layer(x, filters, stride, initializer, orthonormality, size=3, *, name):
    """Conv-BN-ReLU: ``(B, H, W, C) -> (B, H/stride, W/stride, filters)``."""
    if stride > 1:
        x = pad_strided(x, size, "both", name=f"{name}_pad")
    return conv_bn_relu(
        x,
        filters,
        size,
        stride,
        padding="valid" if stride > 1 else "same",
        kernel_initializer=initializers.get(initializer).clone(),
        kernel_regularizer=Orthonormality(orthonormality) if orthonormality else None,
        name=name,
    )


@register(
    paper="All You Need is Beyond a Good Init: Exploring Better Solution for Training "
    "Extremely Deep Convolutional Neural Networks with Orthonormality and Modulation",
    authors="Xie, Xiong, Pu",
    year=2017,
    url="https://arxiv.org/abs/1703.01827",
    venue="CVPR",
    task="image-classification",
    presets=PRESETS,
    parameters={
        "PlainCNN20CIFAR": 271_098,
        "PlainCNN44CIFAR": 661_754,
        "PlainCNN56CIFAR": 857_082,
        "PlainCNN110CIFAR": 1_736_058,
    },
    tiny={
        "plain": {"depths": (2, 2), "widths": (4, 6), "input_shape": (8, 8, 3), "classes": 5},
        "features": {
            "depths": (1, 1, 1),
            "widths": (4, 5, 6),
            "orthonormality": 0.0,
            "input_shape": (None, None, 1),
            "include_top": False,
            "pooling": "avg",
        },
    },
)
def PlainCNN(
    depths: Sequence[int] = (14, 14, 14),
    widths: Sequence[int] = (16, 32, 64),
    initializer: Any = "orthogonal",
    orthonormality: float = 1e-4,
    dropout: float = 0.0,
    stem: str = "cifar",
    include_top: bool = True,
    weights: str | None = None,
    input_tensor: keras.KerasTensor | None = None,
    input_shape: tuple[int | None, int | None, int] = (32, 32, 3),
    pooling: str | None = None,
    classes: int = 10,
    classifier_activation: str | None = "softmax",
    name: str = "plain_cnn",
) -> Model:
    """Deep chain of normalized convolutions.

    Args:
        depths: Convolutions in each stage; ``(2n, 2n, 2n)`` makes 6n + 2 layers.
        widths: Channels of each stage; the stem has those of the first.
        initializer: Law of the kernels, as a name or an initializer of Keras.
        orthonormality: Weight of the penalty on kernels that are not orthonormal
            (``regularizers.Orthonormality``), which stands in the place of weight decay.
        dropout: Rate before the head.
        stem: ``"cifar"`` (3x3, full size) or ``"imagenet"`` (7x7, a quarter of the size).
        include_top: Whether to add pooling and the head.
        weights: ``None`` or the path of a file; a head of other ``classes`` is new,
            another number of channels adapts the first kernel.
        input_tensor: Keras tensor to use as the image, instead of a new input; an
            ``input_shape`` beside it must be its own.
        input_shape: ``(height, width, channels)``; height and width may be ``None``.
        pooling: Without the head: ``None`` for the feature map, ``"avg"`` or ``"max"``.
        classes: Size of the output.
        classifier_activation: Activation of the head; ``None`` gives logits.
        name: Name of the model.

    Returns:
        A functional ``keras.Model``, ``(B, H, W, C) -> (B, classes)``, with the taps
        ``stem``, ``stage1`` ... ``stageS`` and ``head``.

    Raises:
        ValueError: If the image is too small (under 4 pixels), the stages differ in number,
            the network is too deep for Keras, or ``pooling`` or ``weights`` is none of the
            above.

    Example:

    >>> model = PlainCNN(depths=(2, 2), widths=(8, 16), classes=10)
    >>> model.get_layer("stage2").output.shape
    (None, 16, 16, 16)
    """
    check_stages(depths, widths=widths)
    check_depth(depths, layers_each=3)
    image, finish = image_classifier(
        include_top,
        weights,
        input_tensor,
        input_shape,
        pooling,
        classes,
        classifier_activation,
        name,
        family="PlainCNN",
        smallest=smallest_side(stem, len(depths) - 1),
    )
    size, stride = (7, 2) if stem == "imagenet" else (3, 1)
    x = plain_layer(image, widths[0], stride, initializer, orthonormality, size, name="stem")
    if stem == "imagenet":
        x = layers.MaxPooling2D(3, strides=2, padding="same", name="stem_pool")(x)
    x = layers.Identity(name="stem")(x)
    for stage, (depth, width) in enumerate(zip(depths, widths, strict=True), start=1):
        for index in range(1, depth + 1):
            stride = 2 if stage > 1 and index == 1 else 1
            here = f"stage{stage}_{index}"
            x = plain_layer(x, width, stride, initializer, orthonormality, name=here)
        x = layers.Identity(name=f"stage{stage}")(x)
    return finish(x, top=functools.partial(global_average, dropout=dropout))
