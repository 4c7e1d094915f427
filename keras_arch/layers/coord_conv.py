"""CoordConv: a convolution that knows where it is.

Liu, Lehman, Molino, Petroski Such, Frank, Sergeev, Yosinski. An Intriguing Failing of
Convolutional Neural Networks and the CoordConv Solution. NeurIPS 2018.
https://arxiv.org/abs/1807.03247

    features ++ row ++ column (++ distance from the centre) -> convolution
"""

from typing import Any

import keras
from keras import layers, ops

from keras_arch.errors import invalid
from keras_arch.registry import register


def add_coords(x: Any, with_r: bool = False) -> Any:
    """Append where each pixel is: ``(B, H, W, C) -> (B, H, W, C + 2)``, or ``C + 3``.

    Args:
        x: The features.
        with_r: Whether to append the distance from the centre of the image too. It is the
            paper's; the authors' code measures it from (0.5, 0.5) in these coordinates.

    Returns:
        The features, the row and the column, each -1 to 1 from first to last, and ``r``.

    Example:

    >>> add_coords(keras.ops.zeros((1, 3, 2, 1)))[0, :, :, 1].numpy().tolist()
    [[-1.0, -1.0], [0.0, 0.0], [1.0, 1.0]]
    """
    ones = ops.ones_like(x[..., :1], dtype="float32")  # half precision counts to 256 only
    coords = []
    for axis in (1, 2):
        count = ops.cumsum(ones, axis=axis) - 1
        last = ops.max(count, axis=axis, keepdims=True)
        coords.append(ops.where(last > 0, 2 * count / ops.maximum(last, 1) - 1, 0.0))
    if with_r:
        coords.append(ops.sqrt(coords[0] ** 2 + coords[1] ** 2))
    return ops.concatenate([x, *(ops.cast(one, x.dtype) for one in coords)], axis=-1)


@register(
    paper="An Intriguing Failing of Convolutional Neural Networks and the CoordConv Solution",
    authors="Liu, Lehman, Molino, Petroski Such, Frank, Sergeev, Yosinski",
    year=2018,
    url="https://arxiv.org/abs/1807.03247",
    venue="NeurIPS",
    tiny={
        "plain": {"filters": 4, "kernel_size": 3},
        "r": {"filters": 2, "kernel_size": 1, "strides": 2, "with_r": True},
    },
    inputs=(layers.InputSpec(shape=(None, 6, 5, 3)),),
)
class CoordConv2D(layers.Conv2D):
    """``keras.layers.Conv2D`` of the features and their coordinates.

    It costs ``2 * kernel_size ** 2 * filters`` weights more, 3 with ``r``; where those are
    zero, it is the convolution.

    Args:
        filters: Channels of the output.
        kernel_size: Height and width of the kernel.
        with_r: Whether the distance from the centre is a coordinate too.
        **kwargs: As of ``keras.layers.Conv2D``, by keyword.

    Call arguments:
        inputs: Features of shape ``(B, H, W, C)``.

    Returns:
        Features of shape ``(B, H', W', filters)``.

    Example:

    >>> layer = CoordConv2D(8, 1)
    >>> tuple(layer(keras.ops.zeros((1, 32, 32, 1))).shape), layer.count_params()
    ((1, 32, 32, 8), 32)
    """

    def __init__(
        self, filters: int, kernel_size: int | tuple[int, int], with_r: bool = False, **kwargs: Any
    ):
        super().__init__(filters, kernel_size, **kwargs)
        if self.data_format != "channels_last":
            raise invalid("data_format", '"channels_last"', self.data_format)
        if self.groups != 1:
            raise invalid("groups", "1, since every kernel sees the coordinates", self.groups)
        self.with_r = with_r

    def build(self, input_shape):
        *rest, channels = input_shape
        super().build((*rest, channels + 2 + self.with_r))
        self.input_spec = keras.layers.InputSpec(ndim=4, axes={-1: channels})

    def call(self, inputs):
        return super().call(add_coords(inputs, self.with_r))

    def get_config(self):
        return {**super().get_config(), "with_r": self.with_r}
