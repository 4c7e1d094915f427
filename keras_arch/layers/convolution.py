"""A convolution and its normalization, in the two orders that deep networks know.

``conv_bn`` convolves, then normalizes; ``bn_relu_conv`` is its pre-activation form. What a
family does otherwise stands upon it: ``conv_bn_relu``, rectified; ``conv_bn_act``, of mobile
networks, with any activation; ``conv_relu``, where a normalization is a matter of choice;
``convolution_unit``, as a step of an Inception module.
"""

from typing import Any

import keras
from keras import layers

from keras_arch.errors import invalid

Size = int | tuple[int, int]
NORM = {"momentum": 0.99, "epsilon": 1.001e-5}  # of keras.applications, for equal outputs
EPSILON = NORM["epsilon"]


def check_padding(padding: str) -> None:
    """Refuse what ``pad_strided`` does not know.

    Args:
        padding: ``"same"``, ``"behind"`` or ``"both"``.

    Raises:
        ValueError: If it is none of the three.
    """
    if padding not in ("same", "behind", "both"):
        raise invalid("padding", 'one of {"same", "behind", "both"}', padding)


def pad_strided(
    x: keras.KerasTensor, size: Size, padding: str = "same", name: str = "pad"
) -> keras.KerasTensor:
    """Zeros for a window with stride 2, which then pads no more: ``(B, H, W, C)``, larger.

    Args:
        x: The features.
        size: Height and width of the window, odd.
        padding: ``"both"``, ``size // 2`` on all sides (PyTorch); ``"behind"``, one fewer
            above and on the left; or ``"same"``, as TensorFlow does: behind for an even
            height or width, both for an odd one. One not known when the model is built
            counts as even, as in ``keras.applications``.
        name: Name of the layer.

    Raises:
        ValueError: If ``padding`` is none of the three.
    """
    check_padding(padding)

    def zeros(side, window):
        odd = side is not None and side % 2 == 1
        before = padding == "both" or (padding == "same" and odd)
        return window // 2 - (not before), window // 2

    windows = (size, size) if isinstance(size, int) else size
    return layers.ZeroPadding2D(tuple(map(zeros, x.shape[1:3], windows)), name=name)(x)


def convolution(
    x: keras.KerasTensor,
    filters: int,
    size: Size,
    stride: int = 1,
    use_bias: bool = False,
    groups: int = 1,
    padding: str = "both",
    kernel_initializer: Any = "glorot_uniform",
    kernel_regularizer: Any = None,
    name: str = "conv",
) -> keras.KerasTensor:
    """Convolution: ``(B, H, W, C) -> (B, H/stride, W/stride, filters)``.

    Args:
        x: The features.
        filters: Channels of the output.
        size: Of the kernel; ``(1, 7)`` is a row of seven.
        stride: Of the convolution.
        use_bias: Whether it has a bias.
        groups: Of channels, which do not see each other.
        padding: ``"same"``, ``"valid"``, or ``"both"``: zeros on all sides alike, where
            Keras's "same" pads, for a stride, more behind than before.
        kernel_initializer: Law of the kernel.
        kernel_regularizer: Penalty on the kernel.
        name: Name of the layer.
    """
    if padding == "both":
        padding = "same"
        if stride > 1 and size != 1:
            x, padding = pad_strided(x, size, "both", name=f"{name}_pad"), "valid"
    return layers.Conv2D(
        filters,
        size,
        stride,
        padding,
        groups=groups,
        use_bias=use_bias,
        kernel_initializer=kernel_initializer,
        kernel_regularizer=kernel_regularizer,
        name=name,
    )(x)


def batch_norm(
    x: keras.KerasTensor,
    epsilon: float = EPSILON,
    momentum: float = NORM["momentum"],
    scale: bool = True,
    name: str = "bn",
) -> keras.KerasTensor:
    """Normalize each channel: ``(B, H, W, C) -> (B, H, W, C)``."""
    settings = {"momentum": momentum, "epsilon": epsilon, "scale": scale, "name": name}
    return layers.BatchNormalization(**settings)(x)


def bn_relu(
    x: keras.KerasTensor, epsilon: float = EPSILON, name: str = "bn_relu"
) -> keras.KerasTensor:
    """Normalize and rectify: ``(B, H, W, C) -> (B, H, W, C)``."""
    return layers.ReLU(name=f"{name}_relu")(batch_norm(x, epsilon, name=f"{name}_bn"))


def check_norm(norm: str | None) -> None:
    """Refuse what ``conv_relu`` does not know.

    Args:
        norm: ``None`` or ``"batch"``.

    Raises:
        ValueError: If it is neither of the two.
    """
    if norm not in (None, "batch"):
        raise invalid("norm", 'one of {None, "batch"}', norm)


def conv_relu(
    x: keras.KerasTensor,
    filters: int,
    size: Size,
    stride: int = 1,
    padding: str = "same",
    norm: str | None = None,
    groups: int = 1,
    kernel_initializer: Any = "glorot_uniform",
    bias_initializer: Any = "zeros",
    name: str = "conv",
) -> keras.KerasTensor:
    """Convolution with bias and ReLU: ``(B, H, W, C) -> (B, H/stride, W/stride, filters)``.

    Args:
        x: The features.
        filters: Channels of the output.
        size: Of the kernel.
        stride: Of the convolution.
        padding: ``"same"`` or ``"valid"``.
        norm: ``None``, or ``"batch"`` for a normalization between the two.
        groups: Of channels, which do not see each other.
        kernel_initializer: Law of the kernel.
        bias_initializer: Law of the bias, which a normalization takes away again.
        name: Name of the layer that ends it, prefix of the others' names.
    """
    if norm is None:
        return layers.Conv2D(
            filters,
            size,
            stride,
            padding,
            groups=groups,
            activation="relu",
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            name=name,
        )(x)
    x = conv_bn(
        x,
        filters,
        size,
        stride,
        True,
        groups,
        padding,
        kernel_initializer=kernel_initializer,
        name=name,
    )
    return layers.ReLU(name=name)(x)


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
    size: Size,
    stride: int = 1,
    use_bias: bool = False,
    groups: int = 1,
    padding: str = "both",
    epsilon: float = EPSILON,
    momentum: float = NORM["momentum"],
    scale: bool = True,
    kernel_initializer: Any = "glorot_uniform",
    kernel_regularizer: Any = None,
    name: str = "conv_bn",
) -> keras.KerasTensor:
    """Normalized convolution: ``(B, H, W, C) -> (B, H/stride, W/stride, filters)``."""
    x = convolution(
        x,
        filters,
        size,
        stride,
        use_bias,
        groups,
        padding,
        kernel_initializer,
        kernel_regularizer,
        name=f"{name}_conv",
    )
    return batch_norm(x, epsilon, momentum, scale, name=f"{name}_bn")


def conv_bn_relu(
    x: keras.KerasTensor,
    filters: int,
    size: Size,
    stride: int = 1,
    use_bias: bool = False,
    groups: int = 1,
    padding: str = "both",
    epsilon: float = EPSILON,
    scale: bool = True,
    kernel_initializer: Any = "glorot_uniform",
    kernel_regularizer: Any = None,
    name: str = "conv_bn_relu",
) -> keras.KerasTensor:
    """Normalized and rectified: ``(B, H, W, C) -> (B, H/stride, W/stride, filters)``."""
    x = conv_bn(
        x,
        filters,
        size,
        stride,
        use_bias,
        groups,
        padding,
        epsilon,
        scale=scale,
        kernel_initializer=kernel_initializer,
        kernel_regularizer=kernel_regularizer,
        name=name,
    )
    return layers.ReLU(name=f"{name}_relu")(x)
