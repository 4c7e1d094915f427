"""Convolution as mathematics has it; what Keras and the others compute is correlation."""

from typing import Any

from keras import ops


def true_convolution(inputs: Any, kernel: Any, padding: str = "valid") -> Any:
    """Convolve with the kernel turned by half a turn, so that a point becomes the kernel.

    A network learns either as well, since it learns the kernel. The difference shows where
    a kernel is given: a true convolution is commutative and associative.

    Args:
        inputs: Images ``(B, H, W, C)``.
        kernel: Array ``(height, width, C, filters)``.
        padding: ``"valid"`` or ``"same"``.

    Returns:
        Features ``(B, H', W', filters)``.

    Example:

    >>> import numpy as np
    >>> point = np.zeros((1, 3, 3, 1))
    >>> point[0, 1, 1, 0] = 1
    >>> kernel = np.arange(9.0).reshape(3, 3, 1, 1)
    >>> true_convolution(point, kernel, padding="same")[0, :, :, 0].numpy()
    array([[0., 1., 2.],
           [3., 4., 5.],
           [6., 7., 8.]])
    """
    return ops.conv(inputs, ops.flip(kernel, axis=(0, 1)), padding=padding)
