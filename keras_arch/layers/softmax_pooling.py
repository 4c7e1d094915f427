"""Softmax pooling: between the mean and the maximum, with a gradient for every place.

Boureau, Ponce, LeCun. A Theoretical Analysis of Feature Pooling in Visual Recognition.
ICML 2010. https://icml.cc/Conferences/2010/papers/638.pdf

    y = sum_i w_i x_i        w = softmax(x / temperature)
"""

from typing import Any

from keras import layers, ops

from keras_arch.errors import invalid
from keras_arch.registry import register


@register(
    paper="A Theoretical Analysis of Feature Pooling in Visual Recognition",
    authors="Boureau, Ponce, LeCun",
    year=2010,
    url="https://icml.cc/Conferences/2010/papers/638.pdf",
    venue="ICML",
    tiny={"windows": {"pool_size": 2, "temperature": 0.5}, "whole": {}},
    inputs=(layers.InputSpec(shape=(None, 5, 6, 3)),),
)
class SoftmaxPooling2D(layers.Layer):
    """Mean of a window, weighted by the softmax of its values, channel by channel.

    Towards temperature 0 it is the maximum, towards infinity the mean; between them all
    places are used, and trained.

    Args:
        temperature: Above zero.
        pool_size: Height and width of the windows, which do not overlap, and are cut off
            at the end where they do not fit; ``None`` for one window, the whole map.
        **kwargs: ``name``, ``dtype`` and so on of ``keras.layers.Layer``.

    Call arguments:
        inputs: Features of shape ``(B, H, W, C)``.

    Returns:
        Features of shape ``(B, H // pool_size, W // pool_size, C)``, or ``(B, C)`` for the
        whole map.

    Raises:
        ValueError: If the temperature or the size is not positive.

    Example:

    >>> x = keras.ops.reshape(keras.ops.array([0.0, 1.0, 2.0, 3.0]), (1, 2, 2, 1))
    >>> [round(float(SoftmaxPooling2D(t)(x)[0, 0]), 3) for t in (1e-3, 1.0, 1e3)]
    [3.0, 2.493, 1.501]
    """

    def __init__(self, temperature: float = 1.0, pool_size: int | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        if not temperature > 0:
            raise invalid("temperature", "a number above zero", temperature)
        if pool_size is not None and pool_size < 1:
            raise invalid("pool_size", "a positive integer, or `None`", pool_size)
        self.temperature = temperature
        self.pool_size = pool_size

    def call(self, inputs):
        x, axes = inputs, (1, 2)
        if self.pool_size is not None:
            size = self.pool_size
            _, height, width, channels = ops.shape(inputs)
            rows, columns = height // size, width // size
            x = x[:, : rows * size, : columns * size]
            x, axes = ops.reshape(x, (-1, rows, size, columns, size, channels)), (2, 4)
        # float32: what is near the maximum decides
        weights = ops.softmax(ops.cast(x, "float32") / self.temperature, axis=axes)
        return ops.sum(ops.cast(weights, x.dtype) * x, axis=axes)

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        if self.pool_size is None:
            return batch, channels
        sides = (side if side is None else side // self.pool_size for side in (height, width))
        return (batch, *sides, channels)

    def get_config(self):
        return {
            **super().get_config(),
            "temperature": self.temperature,
            "pool_size": self.pool_size,
        }
