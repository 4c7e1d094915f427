"""What a kernel, or a stack of kernels, does to waves.

Before training, the 15x15 kernel of one random convolution is white noise, and that of seven
random 3x3 convolutions in a row is a smooth blob around the middle: the same field, another
prior.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_arch.errors import invalid


def effective_kernel(kernels: Sequence[Any]) -> np.ndarray:
    """Return the one kernel that does what several linear convolutions do in a row.

    Exact for stride 1 and no activation in between, away from the edges.

    Args:
        kernels: Arrays ``(height, width, channels_in, channels_out)``, the first one first.

    Returns:
        Array ``(height, width, channels_in, channels_out)``, float64; a side is the sum of
        the sides, less one for each kernel but the first.

    Raises:
        ValueError: If a kernel does not read as many channels as the one before it gives.

    Example:

    >>> effective_kernel([np.ones((3, 3, 2, 4)), np.ones((3, 3, 4, 2))]).shape
    (5, 5, 2, 2)
    """
    found, *rest = (np.asarray(kernel, "float64") for kernel in kernels)
    for kernel in rest:
        if kernel.shape[2] != found.shape[3]:
            raise invalid("kernels", f"one that reads {found.shape[3]} channels", kernel.shape)
        height, width = (a + b - 1 for a, b in zip(found.shape[:2], kernel.shape[:2], strict=True))
        whole = np.zeros((height, width, found.shape[2], kernel.shape[3]))
        for y, x in np.ndindex(kernel.shape[:2]):
            whole[y : y + found.shape[0], x : x + found.shape[1]] += found @ kernel[y, x]
        found = whole
    return found


def kernel_spectrum(kernel: Any, size: int | None = None) -> np.ndarray:
    """Return the power of each wave in a kernel: the squared absolute Fourier transform.

    Args:
        kernel: Array ``(height, width, ...)``.
        size: Height and width of the spectrum; by default those of the kernel, else at
            least as large: zeros are put around it.

    Returns:
        Array ``(height, width, ...)``, float64; the constant wave stands first.

    Raises:
        ValueError: If ``size`` is smaller than the kernel.

    Example:

    >>> kernel_spectrum(np.ones((2, 2, 1, 1)))[..., 0, 0]
    array([[16.,  0.],
           [ 0.,  0.]])
    """
    kernel = np.asarray(kernel, "float64")
    if size is not None and size < max(kernel.shape[:2]):
        raise invalid("size", f"at least the kernel's {kernel.shape[:2]}", size)
    shape = kernel.shape[:2] if size is None else (size, size)
    return np.abs(np.fft.fft2(kernel, s=shape, axes=(0, 1))) ** 2


def spectral_flatness(kernel: Any) -> np.ndarray:
    """Return the geometric mean of a kernel's spectrum over its arithmetic mean.

    One for a single point, ``exp(-0.577)`` = 0.561 for white noise of many points, zero if
    some wave is missing.

    Args:
        kernel: Array ``(height, width, ...)``.

    Returns:
        Array ``(...)``, of 0 to 1.

    Example:

    >>> float(spectral_flatness([[0.0, 0, 0], [0, 2, 0], [0, 0, 0]]))
    1.0
    """
    power = kernel_spectrum(kernel)
    with np.errstate(divide="ignore"):
        return np.exp(np.log(power).mean(axis=(0, 1))) / power.mean(axis=(0, 1))
