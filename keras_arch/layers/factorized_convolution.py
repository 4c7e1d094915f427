"""One large convolution as a stack of 3x3 ones.

Simonyan, Zisserman. Very Deep Convolutional Networks for Large-Scale Image Recognition.
ICLR 2015. https://arxiv.org/abs/1409.1556

Seven layers see 15x15 pixels with ``7 * 9 = 63 C^2`` weights instead of ``225 C^2``. What
both can express without an activation in between is alike; what they are before training
is not: see ``keras_arch.analysis.kernel_spectrum``.
"""

import keras
from keras import layers

from keras_arch.errors import invalid


def factorized_conv(
    x: keras.KerasTensor,
    filters: int,
    size: int = 15,
    activation: str | None = "relu",
    use_bias: bool = True,
    name: str = "factorized_conv",
) -> keras.KerasTensor:
    """As many 3x3 convolutions as see ``size`` pixels: ``(B, H, W, C) -> (B, H, W, filters)``.

    Args:
        x: The features.
        filters: Channels of each convolution.
        size: Height and width of the field that they see together: odd, at least 3.
        activation: Activation of each convolution.
        use_bias: Whether each convolution has a bias.
        name: Beginning of their names, ``<name>1`` to ``<name>7`` for a size of 15.

    Raises:
        ValueError: If no stack sees that size.

    Example:

    >>> image = keras.Input((32, 32, 8))
    >>> keras.Model(image, factorized_conv(image, 8, use_bias=False)).count_params() // 8**2
    63
    """
    if size < 3 or size % 2 == 0:
        raise invalid("size", "an odd number of at least 3", size)
    for index in range(1, size // 2 + 1):
        x = layers.Conv2D(
            filters,
            3,
            padding="same",
            activation=activation,
            use_bias=use_bias,
            name=f"{name}{index}",
        )(x)
    return x
