"""The entrance that residual and dense networks share."""

import keras
from keras import layers

from keras_arch.errors import invalid
from keras_arch.layers.convolution import EPSILON, bn_relu, convolution


def check_stem(stem: str) -> None:
    """Refuse a kind of entrance that classifiers do not have.

    Args:
        stem: ``"imagenet"``, or ``"cifar"`` for small images.

    Raises:
        ValueError: If it is neither of the two.
    """
    if stem not in ("imagenet", "cifar"):
        raise invalid("stem", 'one of {"imagenet", "cifar"}', stem)


def smallest_side(stem: str, reductions: int, entrance: int = 4) -> int:
    """The least height and width of an image that every reduction can halve.

    Args:
        stem: ``"imagenet"``, or ``"cifar"``, which keeps the resolution.
        reductions: How often what follows halves it.
        entrance: Stride of the stem for large images.

    Raises:
        ValueError: If ``stem`` is neither of the two.

    Example:

    >>> smallest_side("imagenet", reductions=3), smallest_side("cifar", reductions=3)
    (32, 8)
    """
    check_stem(stem)
    return (entrance if stem == "imagenet" else 1) * 2**reductions


def convolutional_stem(
    x: keras.KerasTensor,
    filters: int,
    stem: str = "imagenet",
    norm: bool = True,
    use_bias: bool = False,
    size: int = 7,
    epsilon: float = EPSILON,
) -> keras.KerasTensor:
    """One convolution, and a quarter of the size: ``(B, H, W, C) -> (B, H/4, W/4, filters)``.

    Args:
        x: The image.
        filters: Channels of the output.
        stem: ``"imagenet"`` (convolution and max pooling, each with stride 2) or
            ``"cifar"`` (3x3 at full size, for small images).
        norm: Whether normalization and ReLU follow the convolution.
        use_bias: Whether the convolution has a bias.
        size: Of the kernel, for large images.
        epsilon: Of the normalization.

    Returns:
        The output of a layer named ``stem``.

    Raises:
        ValueError: If ``stem`` is neither of the two.
    """
    check_stem(stem)
    size, stride = (size, 2) if stem == "imagenet" else (3, 1)
    x = convolution(x, filters, size, stride, use_bias, name="stem_conv")
    if norm:
        x = bn_relu(x, epsilon, name="stem")
    if stem == "cifar":
        return layers.Identity(name="stem")(x)
    x = layers.ZeroPadding2D(1, name="stem_pool_pad")(x)
    return layers.MaxPooling2D(3, strides=2, name="stem")(x)
