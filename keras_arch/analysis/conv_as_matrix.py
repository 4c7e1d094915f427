"""A convolution is a matrix: Toeplitz along a sequence, doubly block Toeplitz over an image.

    y[o] = sum_t kernel[t] x[stride * o + t - before]   <->   vec(y) = M vec(x)

Each row holds the kernel once, at its place, and zeros; a step down moves it by the stride.
The transpose is the transposed convolution.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_arch.errors import invalid


def conv_as_matrix(
    kernel: Any, input_shape: Sequence[int], strides: int = 1, padding: str = "valid"
) -> np.ndarray:
    """Return the matrix of a convolution of Keras, without its bias.

    Args:
        kernel: Array ``(*window, channels_in, channels_out)`` of a convolution over one,
            two or three axes.
        input_shape: ``(*extents, channels_in)`` of one input.
        strides: Distance of the windows along every axis.
        padding: ``"valid"`` or ``"same"``.

    Returns:
        Array ``(outputs, inputs)``, float64, where both are flattened as ``reshape`` does:
        the channels change fastest. The block of channel ``i`` to ``o`` is
        ``M[o::channels_out, i::channels_in]``.

    Raises:
        ValueError: If the shapes do not fit, or ``padding`` is none of both.

    Example:

    >>> kernel = np.array([1.0, 2, 3]).reshape(3, 1, 1)
    >>> conv_as_matrix(kernel, (5, 1))
    array([[1., 2., 3., 0., 0.],
           [0., 1., 2., 3., 0.],
           [0., 0., 1., 2., 3.]])
    """
    kernel = np.asarray(kernel, "float64")
    *window, inputs, outputs = kernel.shape
    *extents, channels = input_shape
    if len(extents) != len(window) or channels != inputs:
        raise invalid("input_shape", f"{len(window)} extents and {inputs} channels", input_shape)
    if padding not in ("valid", "same"):
        raise invalid("padding", 'one of {"valid", "same"}', padding)
    sizes = list(zip(extents, window, strict=True))
    if padding == "valid":
        out = [(extent - size) // strides + 1 for extent, size in sizes]
        before = [0] * len(sizes)
    else:
        out = [-(-extent // strides) for extent in extents]
        total = [
            max((count - 1) * strides + size - extent, 0)
            for count, (extent, size) in zip(out, sizes, strict=True)
        ]
        before = [missing // 2 for missing in total]
    if min(out) < 1:
        raise invalid("input_shape", f"extents of at least {tuple(window)}", input_shape)
    matrix = np.zeros((*out, outputs, *extents, inputs))
    for place in np.ndindex(*out):
        for tap in np.ndindex(*window):
            source = tuple(strides * p + t - b for p, t, b in zip(place, tap, before, strict=True))
            if all(0 <= s < extent for s, extent in zip(source, extents, strict=True)):
                matrix[(*place, slice(None), *source)] = kernel[tap].T
    return matrix.reshape(np.prod(out) * outputs, -1)
