"""A convolution and its normalization, in the two orders that deep networks know.

``conv_bn`` convolves, then normalizes; ``bn_relu_conv`` is its pre-activation form.
"""

import keras
from keras import layers

NORM = {"momentum": 0.99, "epsilon": 1.001e-5}  # of keras.applications, for equal outputs
EPSILON = NORM["epsilon"]


def convolution(
    x: keras.KerasTensor,
    filters: int,
    size: int,
    stride: int = 1,
    use_bias: bool = False,
    groups: int = 1,
    name: str = "conv",
) -> keras.KerasTensor:
    """Zeros on all sides alike: ``(B, H, W, C) -> (B, H/stride, W/stride, filters)``."""
    padding = "same"
    if stride > 1 and size > 1:  # where Keras's "same" pads more behind than before
        x = layers.ZeroPadding2D(size // 2, name=f"{name}_pad")(x)
        padding = "valid"
    settings = {"groups": groups, "use_bias": use_bias, "name": name}
    return layers.Conv2D(filters, size, stride, padding, **settings)(x)


def batch_norm(
    x: keras.KerasTensor, epsilon: float = EPSILON, name: str = "bn"
) -> keras.KerasTensor:
    """Normalize each channel: ``(B, H, W, C) -> (B, H, W, C)``."""
    return layers.BatchNormalization(momentum=NORM["momentum"], epsilon=epsilon, name=name)(x)


def bn_relu(
    x: keras.KerasTensor, epsilon: float = EPSILON, name: str = "bn_relu"
) -> keras.KerasTensor:
    """Normalize and rectify: ``(B, H, W, C) -> (B, H, W, C)``."""
    return layers.ReLU(name=f"{name}_relu")(batch_norm(x, epsilon, name=f"{name}_bn"))


def bn_relu_conv(
    x: keras.KerasTensor,
    filters: int,
    size: int,
    stride: int = 1,
    use_bias: bool = False,
    groups: int = 1,
    epsilon: float = EPSILON,
    name: str = "bn_relu_conv",
) -> keras.KerasTensor:
    """Pre-activation convolution: ``(B, H, W, C) -> (B, H/stride, W/stride, filters)``."""
    x = bn_relu(x, epsilon, name=name)
    return convolution(x, filters, size, stride, use_bias, groups, name=f"{name}_conv")


def conv_bn(
    x: keras.KerasTensor,
    filters: int,
    size: int,
    stride: int = 1,
    use_bias: bool = False,
    groups: int = 1,
    epsilon: float = EPSILON,
    name: str = "conv_bn",
) -> keras.KerasTensor:
    """Normalized convolution: ``(B, H, W, C) -> (B, H/stride, W/stride, filters)``."""
    x = convolution(x, filters, size, stride, use_bias, groups, name=f"{name}_conv")
    return batch_norm(x, epsilon, name=f"{name}_bn")
