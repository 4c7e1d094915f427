"""Dense blocks: each layer reads the feature maps of all layers before it.

Huang, Liu, van der Maaten, Weinberger. Densely Connected Convolutional Networks.
CVPR 2017. https://arxiv.org/abs/1608.06993
"""

import keras
from keras import layers

from keras_arch.layers.convolution import bn_relu_conv


def dense_block(
    x: keras.KerasTensor,
    depth: int,
    growth: int,
    bottleneck: int = 4,
    dropout: float = 0.0,
    name: str = "dense",
) -> keras.KerasTensor:
    """Each layer appends channels: ``(B, H, W, C) -> (B, H, W, C + depth * growth)``.

    Args:
        x: The features.
        depth: Number of layers.
        growth: Channels each layer appends.
        bottleneck: Width of the 1x1 convolution before each 3x3 one, in multiples of
            ``growth``; 0 for none.
        dropout: Rate after each layer.
        name: Prefix of the layers' names.
    """
    for index in range(1, depth + 1):
        layer = f"{name}_layer{index}"
        y = x
        if bottleneck:
            y = bn_relu_conv(y, bottleneck * growth, 1, name=f"{layer}_squeeze")
        y = bn_relu_conv(y, growth, 3, name=f"{layer}_grow")
        if dropout:
            y = layers.Dropout(dropout, name=f"{layer}_dropout")(y)
        x = layers.Concatenate(name=f"{layer}_concat")([x, y])
    return x


def transition_block(
    x: keras.KerasTensor, compression: float = 0.5, name: str = "transition"
) -> keras.KerasTensor:
    """Compress and halve: ``(B, H, W, C) -> (B, H/2, W/2, compression * C)``."""
    x = bn_relu_conv(x, int(x.shape[-1] * compression), 1, name=name)
    return layers.AveragePooling2D(2, name=f"{name}_pool")(x)
