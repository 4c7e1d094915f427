"""A field around a small image, so that strokes may end near the edge of no window."""

import keras
from keras import layers


def centred(x: keras.KerasTensor, size: int) -> keras.KerasTensor:
    """In a field of zeros, where it is smaller: ``(B, H, W, C) -> (B, size, size, C)``.

    Args:
        x: The image; a side of at least ``size``, or of an unknown length, stays as it is.
        size: Least height and width.

    Example:

    >>> centred(keras.Input((28, 28, 1)), 32).shape
    (None, 32, 32, 1)
    """
    missing = [max(size - (extent or size), 0) for extent in x.shape[1:3]]
    if not any(missing):
        return x
    return layers.ZeroPadding2D([(n // 2, n - n // 2) for n in missing], name="field")(x)
