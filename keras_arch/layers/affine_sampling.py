"""Sampling an image where a transformed grid points, differentiably.

Jaderberg, Simonyan, Zisserman, Kavukcuoglu. Spatial Transformer Networks. NIPS 2015.
https://arxiv.org/abs/1506.02025

Coordinates are the paper's: (x, y), each -1 at the centre of the first pixel and 1 at that
of the last.
"""

from typing import Any

from keras import ops


def affine_grid(theta: Any, height: int, width: int) -> Any:
    """Say where each pixel of the output looks: ``(B, 2, 3) -> (B, height, width, 2)``.

    Args:
        theta: An affine map of each image, from output to input coordinates.
        height: Height of the output.
        width: Width of the output.

    Returns:
        Coordinates (x, y) in the input, at least float32.

    Example:

    >>> grid = affine_grid(keras.ops.array([[[1.0, 0, 0], [0, 1, 0]]]), 2, 3)
    >>> grid[0, :, :, 0].numpy().tolist()
    [[-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0]]
    """
    theta = ops.convert_to_tensor(theta)
    theta = theta if theta.dtype == "float64" else ops.cast(theta, "float32")
    x, y = (
        ops.cast(ops.linspace(-1.0, 1.0, size) if size > 1 else ops.zeros(1), theta.dtype)
        for size in (width, height)
    )
    x, y = ops.meshgrid(x, y)
    target = ops.stack([x, y, ops.ones_like(x)], axis=-1)
    return ops.einsum("hwk,bck->bhwc", target, theta)


def bilinear_sampler(images: Any, grid: Any) -> Any:
    """Read images at fractional places: ``(B, H, W, C), (B, H', W', 2) -> (B, H', W', C)``.

    The value is the mean of the four pixels around, weighted by nearness. Around the image
    are zeros, so that it fades within one pixel of its border.

    Args:
        images: Images.
        grid: Coordinates (x, y), -1 to 1 within the image.

    Returns:
        The values, in the dtype of the images.

    Example:

    >>> image = keras.ops.array([[[[0.0], [10.0]]]])
    >>> bilinear_sampler(image, keras.ops.array([[[[-0.5, 0.0]]]]))[0, 0, 0, 0].numpy()
    np.float32(2.5)
    """
    images, grid = ops.convert_to_tensor(images), ops.convert_to_tensor(grid)
    batch, height, width, channels = ops.shape(images)
    pixels = ops.reshape(images, (-1, channels))
    first = ops.reshape(ops.arange(batch) * (height * width), (-1, 1, 1))
    # The centre stands between the first pixel and the last.
    half_x, half_y = (ops.cast(size - 1, grid.dtype) / 2 for size in (width, height))
    x, y = grid[..., 0] * half_x + half_x, grid[..., 1] * half_y + half_y
    left, top = ops.floor(x), ops.floor(y)
    total = 0.0
    for row in (top, top + 1):
        for column in (left, left + 1):
            near = (1 - ops.abs(x - column)) * (1 - ops.abs(y - row))
            i, inside_i = _index(row, height)
            j, inside_j = _index(column, width)
            near = ops.where(ops.logical_and(inside_i, inside_j), near, 0)
            value = ops.take(pixels, first + i * width + j, axis=0)
            total = total + ops.expand_dims(ops.cast(near, images.dtype), -1) * value
    return total


def _index(place, size):
    """As an index that exists, and whether it is the place itself."""
    last = ops.cast(size - 1, place.dtype)
    held = ops.clip(place, 0, last)
    return ops.cast(held, "int32"), ops.equal(held, place)
