"""A small network slides over the image instead of a linear filter.

Lin, Chen, Yan. Network In Network. ICLR 2014. https://arxiv.org/abs/1312.4400

    k x k convolution -> 1x1 -> 1x1, each with ReLU: a perceptron at every pixel
"""

from collections.abc import Callable, Sequence

import keras
from keras import layers

from keras_arch.layers.convolution import conv_relu


def mlpconv(
    x: keras.KerasTensor,
    widths: Sequence[int],
    size: int,
    stride: int = 1,
    padding: str = "same",
    norm: str | None = None,
    name: str = "mlpconv",
) -> keras.KerasTensor:
    """One convolution, then 1x1 ones: ``(B, H, W, C) -> (B, H/stride, W/stride, widths[-1])``.

    Args:
        x: The features.
        widths: Channels of each convolution.
        size: Height and width of the first one's kernel.
        stride: Of the first one.
        padding: Of the first one, ``"same"`` or ``"valid"``.
        norm: ``None``, or ``"batch"`` for a normalization before each ReLU.
        name: Prefix of the layers' names.
    """
    for index, width in enumerate(widths, start=1):
        if index > 1:
            size, stride, padding = 1, 1, "same"
        x = conv_relu(x, width, size, stride, padding, norm, name=f"{name}_{index}")
    return x


def class_maps(
    classes: int, activation: str | None, dtype: str, name: str
) -> Callable[[keras.KerasTensor], keras.KerasTensor]:
    """A head without a dense layer, for ``finish(x, head=class_maps)`` of a classifier.

    Each class has a map, which a 1x1 convolution with ReLU draws, and its mean is the
    class's logit: ``(B, H, W, C) -> (B, classes)``.

    Args:
        classes: Number of the maps.
        activation: Of their means.
        dtype: Of the layers.
        name: Name of the convolution.
    """

    def head(x: keras.KerasTensor) -> keras.KerasTensor:
        x = layers.Conv2D(classes, 1, activation="relu", dtype=dtype, name=name)(x)
        x = layers.GlobalAveragePooling2D(dtype=dtype, name=f"{name}_pool")(x)
        return layers.Activation(activation, dtype=dtype, name=f"{name}_activation")(x)

    return head
