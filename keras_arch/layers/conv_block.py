"""The block of the typical convolutional network: convolutions, then a pooling.

    x -> [k x k convolution -> ReLU] x n -> max pooling

Two convolutions of 3x3 and a pooling of 2 see 6x6 pixels, with stride 2.
"""

import keras
from keras import layers


def conv_block(
    x: keras.KerasTensor,
    filters: int,
    n: int = 2,
    size: int = 3,
    activation: str | None = "relu",
    pool: int = 2,
    name: str = "conv_block",
) -> keras.KerasTensor:
    """``(B, H, W, C) -> (B, H / pool, W / pool, filters)``.

    Args:
        x: The features.
        filters: Channels of each convolution.
        n: Number of convolutions.
        size: Height and width of their kernels.
        activation: Activation of each convolution.
        pool: Size and stride of the pooling.
        name: Name of the pooling, and the beginning of the others' names.

    Example:

    >>> conv_block(keras.Input((32, 32, 3)), 16).shape
    (None, 16, 16, 16)
    """
    for index in range(1, n + 1):
        x = layers.Conv2D(
            filters, size, padding="same", activation=activation, name=f"{name}_conv{index}"
        )(x)
    return layers.MaxPooling2D(pool, name=name)(x)
