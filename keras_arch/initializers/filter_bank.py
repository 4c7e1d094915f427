"""Filters that were drawn, not learned: edges, blobs, blur, identity.

Marr, Hildreth. Theory of Edge Detection. Proceedings of the Royal Society B 1980.
https://doi.org/10.1098/rspb.1980.0020

    sobel                  laplacian        gaussian                 delta
    -1 0 1    -1 -2 -1     0  1  0          exp(-r^2 / 2 sigma^2)    0 0 0
    -2 0 2     0  0  0     1 -4  1          of sum 1                 0 1 0
    -1 0 1     1  2  1     0  1  0                                   0 0 0
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import initializers, ops

from keras_arch.errors import invalid
from keras_arch.registry import register


def _offsets(height, width):
    """Rows and columns counted from the middle."""
    return np.ogrid[-(height // 2) : height // 2 + 1, -(width // 2) : width // 2 + 1]


def _binomial(size):
    """A row of Pascal's triangle: a blur."""
    row = np.ones(1)
    for _ in range(size - 1):
        row = np.convolve(row, [1, 1])
    return row


def _sobel(height, width):
    """Slope along the width and along the height, each blurred along the other."""
    slope_x, slope_y = (np.convolve(_binomial(size - 2), [-1, 0, 1]) for size in (width, height))
    return [np.outer(_binomial(height), slope_x), np.outer(slope_y, _binomial(width))]


def _laplacian(height, width):
    """Sum of both second differences."""
    y, x = _offsets(height, width)
    distance = abs(y) + abs(x)
    return [np.where(distance == 0, -4.0, np.where(distance == 1, 1.0, 0.0))]


def _delta(height, width):
    """One at the middle."""
    y, x = _offsets(height, width)
    return [((y == 0) & (x == 0)).astype(float)]


@register(
    paper="Theory of Edge Detection",
    authors="Marr, Hildreth",
    year=1980,
    url="https://doi.org/10.1098/rspb.1980.0020",
    journal="Proceedings of the Royal Society B",
    tiny={
        "sobel": {"kind": "sobel"},
        "laplacian": {"kind": "laplacian"},
        "gaussian": {"kind": "gaussian", "sigma": 2.0},
        "delta": {"kind": "delta"},
    },
)
class FilterBank(initializers.Initializer):
    """Initializer of convolution kernels with the classical filters of images.

    Output ``o`` gets filter ``o`` of the bank, which begins again when it ends, on every
    input channel: a convolution sums its colours, and a depthwise one filters each. Keras
    correlates, so what a kernel answers most to looks like the kernel.

    Args:
        kind: ``"sobel"`` (slopes along width and height, by turns), ``"laplacian"``,
            ``"gaussian"`` or ``"delta"`` (the identity, depthwise or of one channel).
        sigma: Width of the Gaussian, in pixels.

    Raises:
        ValueError: If ``kind`` is none of the above or ``sigma`` is not positive; when
            called, if the shape is not ``(height, width, channels_in, channels_out)`` of
            odd height and width, of at least 3 for the edges.

    Example:

    >>> kernel = FilterBank("sobel")((3, 3, 1, 2))
    >>> kernel[:, :, 0, 0].numpy()
    array([[-1.,  0.,  1.],
           [-2.,  0.,  2.],
           [-1.,  0.,  1.]], dtype=float32)
    """

    def __init__(self, kind: str = "sobel", sigma: float = 1.0):
        if kind not in ("sobel", "laplacian", "gaussian", "delta"):
            raise invalid("kind", 'one of {"sobel", "laplacian", "gaussian", "delta"}', kind)
        if sigma <= 0:
            raise invalid("sigma", "a positive width", sigma)
        self.kind = kind
        self.sigma = sigma

    def __call__(self, shape: Sequence[int], dtype: str | None = None):
        least = 3 if self.kind in ("sobel", "laplacian") else 1
        if len(shape) != 4 or any(size % 2 == 0 or size < least for size in shape[:2]):
            expected = f"(height, width, inputs, outputs), height and width odd and from {least}"
            raise invalid("shape", expected, tuple(shape))
        height, width, inputs, outputs = shape
        bank = self._bank(height, width)
        filters = np.stack([bank[index % len(bank)] for index in range(outputs)], axis=-1)
        kernel = np.repeat(filters[:, :, None], inputs, axis=2)
        return ops.convert_to_tensor(kernel, dtype or keras.config.floatx())

    def _bank(self, height, width):
        if self.kind == "gaussian":
            y, x = _offsets(height, width)
            bell = np.exp(-(y**2 + x**2) / (2 * self.sigma**2))
            return [bell / bell.sum()]
        return {"sobel": _sobel, "laplacian": _laplacian, "delta": _delta}[self.kind](height, width)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"kind": self.kind, "sigma": self.sigma}
