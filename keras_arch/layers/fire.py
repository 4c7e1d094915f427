"""Fire module: few channels go in to the expensive 3x3 convolutions.

Iandola, Han, Moskewicz, Ashraf, Dally, Keutzer. SqueezeNet: AlexNet-level accuracy with 50x
fewer parameters and <0.5MB model size. 2016. https://arxiv.org/abs/1602.07360

    x -> 1x1, squeeze -> 1x1, expand/2 ‖ 3x3, expand/2 -> concatenation
"""

import keras
from keras import layers

from keras_arch.layers.convolution import conv_relu


def fire(
    x: keras.KerasTensor, squeeze: int, expand: int, norm: str | None = None, name: str = "fire"
) -> keras.KerasTensor:
    """Squeeze, then expand with two sizes of kernels: ``(B, H, W, C) -> (B, H, W, expand)``.

    Args:
        x: The features.
        squeeze: Channels of the first convolution.
        expand: Channels of the output, one half from 1x1, the other from 3x3 kernels.
        norm: ``None``, or ``"batch"`` for a normalization before each ReLU.
        name: Name of the concatenation, prefix of the other layers' names.
    """
    x = conv_relu(x, squeeze, 1, norm=norm, name=f"{name}_squeeze")
    small = conv_relu(x, expand // 2, 1, norm=norm, name=f"{name}_expand1x1")
    large = conv_relu(x, expand // 2, 3, norm=norm, name=f"{name}_expand3x3")
    return layers.Concatenate(name=name)([small, large])
