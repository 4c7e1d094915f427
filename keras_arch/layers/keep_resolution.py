"""Small images: the first reductions are left out, so that something is left to reduce."""

from collections.abc import Sequence

from keras_arch.layers.stem import check_stem


def keep_resolution(strides: Sequence[int], stem: str, reductions: int = 2) -> tuple[int, ...]:
    """Strides of a network from its stem on, for this kind of ``stem``.

    Args:
        strides: For large images, in the order of the layers.
        stem: ``"imagenet"`` (as they are), or ``"cifar"`` for small images: the first
            reductions become strides of 1.
        reductions: How many: 2 leave a quarter of the whole stride, 8 instead of 32.

    Raises:
        ValueError: If ``stem`` is neither of the two.

    Example:

    >>> keep_resolution((2, 1, 2, 2), "cifar")
    (1, 1, 1, 2)
    """
    check_stem(stem)
    if stem == "imagenet":
        return tuple(strides)
    strided = [index for index, stride in enumerate(strides) if stride > 1][:reductions]
    return tuple(1 if index in strided else stride for index, stride in enumerate(strides))
