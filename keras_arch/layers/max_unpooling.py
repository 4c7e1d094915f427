"""Max pooling that remembers where each maximum stood, and its way back.

Zeiler, Fergus. Visualizing and Understanding Convolutional Networks.
ECCV 2014. https://arxiv.org/abs/1311.2901

    pooled, switches = MaxPoolWithIndices2D(2)(x)      which pixel of each window was largest
    MaxUnpool2D((H, W))([y, switches])                 each value at its place, zeros elsewhere
"""

from typing import Any

from keras import layers, ops

from keras_arch.errors import invalid
from keras_arch.registry import register

PUBLICATION = {
    "paper": "Visualizing and Understanding Convolutional Networks",
    "authors": "Zeiler, Fergus",
    "year": 2014,
    "url": "https://arxiv.org/abs/1311.2901",
    "venue": "ECCV",
}


def _pair(value):
    return (value, value) if isinstance(value, int) else tuple(value)


@register(
    **PUBLICATION,
    tiny={
        "plain": {"pool_size": 2},
        "overlapping": {"pool_size": 3, "strides": 2, "padding": "same"},
    },
    inputs=(layers.InputSpec(shape=(None, 6, 7, 3)),),
)
class MaxPoolWithIndices2D(layers.Layer):
    """Max pooling that also says where in the image each maximum stood.

    Args:
        pool_size: Height and width of the windows, one number or two.
        strides: Distance of the windows, by default ``pool_size``.
        padding: ``"valid"`` or ``"same"``, as in ``keras.layers.MaxPooling2D``.
        **kwargs: ``name``, ``dtype`` and so on of ``keras.layers.Layer``.

    Call arguments:
        inputs: Features of shape ``(B, H, W, C)``.

    Returns:
        The maxima, ``(B, H', W', C)``, and their indices ``row * W + column``, int32, of the
        same shape; of equal maxima the first.

    Raises:
        ValueError: If ``padding`` is neither of the two.

    Example:

    >>> x = keras.ops.reshape(keras.ops.arange(16.0), (1, 4, 4, 1))
    >>> pooled, indices = MaxPoolWithIndices2D(2)(x)
    >>> pooled[0, :, :, 0].numpy().tolist(), indices[0, :, :, 0].numpy().tolist()
    ([[5.0, 7.0], [13.0, 15.0]], [[5, 7], [13, 15]])
    """

    def __init__(
        self,
        pool_size: int | tuple[int, int] = 2,
        strides: int | tuple[int, int] | None = None,
        padding: str = "valid",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if padding not in ("valid", "same"):
            raise invalid("padding", 'one of {"valid", "same"}', padding)
        self.pool_size = _pair(pool_size)
        self.strides = self.pool_size if strides is None else _pair(strides)
        self.padding = padding

    def call(self, inputs):
        pooled = ops.max_pool(inputs, self.pool_size, self.strides, self.padding)
        sizes, counts = ops.shape(inputs)[1:3], ops.shape(pooled)[1:3]
        before, pads = [0, 0], [(0, 0)] * 4
        if self.padding == "same":
            for axis in (0, 1):
                reach = (counts[axis] - 1) * self.strides[axis] + self.pool_size[axis]
                missing = reach - sizes[axis]  # a number, or a tensor where sizes are unknown
                missing = max(missing, 0) if isinstance(missing, int) else ops.maximum(missing, 0)
                before[axis] = missing // 2
                pads[axis + 1] = (missing // 2, missing - missing // 2)
        padded = ops.pad(inputs, pads, constant_values=-float("inf"))
        rows, columns = (
            [
                slice(i, i + (counts[axis] - 1) * self.strides[axis] + 1, self.strides[axis])
                for i in range(self.pool_size[axis])
            ]
            for axis in (0, 1)
        )
        window = ops.stack([padded[:, r, c] for r in rows for c in columns])
        first = ops.cast(ops.argmax(window, axis=0), "int32")
        width = self.pool_size[1]
        row = ops.arange(counts[0])[:, None, None] * self.strides[0] - before[0] + first // width
        column = ops.arange(counts[1])[:, None] * self.strides[1] - before[1] + first % width
        return pooled, row * sizes[1] + column

    def compute_output_spec(self, inputs):
        spec = ops.max_pool(inputs, self.pool_size, self.strides, self.padding)
        return spec, ops.cast(spec, "int32")

    def get_config(self):
        return {
            **super().get_config(),
            "pool_size": self.pool_size,
            "strides": self.strides,
            "padding": self.padding,
        }


@register(
    **PUBLICATION,
    tiny={"plain": {"size": (4, 5)}},
    inputs=(
        layers.InputSpec(shape=(None, 2, 2, 3)),
        layers.InputSpec(dtype="int32", shape=(None, 2, 2, 3)),
    ),
)
class MaxUnpool2D(layers.Layer):
    """Puts values back where maxima stood, zeros elsewhere.

    What several windows took from one place is added up there, so that unpooling is the
    adjoint of pooling: the gradient of max pooling, for any signal.

    Args:
        size: Height and width of the output, those of what was pooled.
        **kwargs: ``name``, ``dtype`` and so on of ``keras.layers.Layer``.

    Call arguments:
        inputs: Values ``(B, H', W', C)`` and indices ``(B, H', W', C)``, as
            ``MaxPoolWithIndices2D`` gives them.

    Returns:
        Features of shape ``(B, H, W, C)``.

    Example:

    >>> values = keras.ops.ones((1, 1, 1, 1))
    >>> MaxUnpool2D((2, 2))([values, 2 * keras.ops.ones((1, 1, 1, 1), "int32")])[0, :, :, 0]
    <tf.Tensor: shape=(2, 2), dtype=float32, numpy=
    array([[0., 0.],
           [1., 0.]], dtype=float32)>
    """

    def __init__(self, size: tuple[int, int], **kwargs: Any):
        super().__init__(**kwargs)
        self.size = _pair(size)

    def call(self, inputs):
        values, indices = inputs
        batch, _, _, channels = ops.shape(values)
        pixels = self.size[0] * self.size[1]
        maps = ops.arange(batch)[:, None, None, None] * channels + ops.arange(channels)
        places = maps * pixels + indices
        summed = ops.segment_sum(
            ops.reshape(values, (-1,)), ops.reshape(places, (-1,)), batch * channels * pixels
        )
        return ops.transpose(ops.reshape(summed, (batch, channels, *self.size)), (0, 2, 3, 1))

    def compute_output_shape(self, input_shape):
        values, _ = input_shape
        return (values[0], *self.size, values[-1])

    def get_config(self):
        return {**super().get_config(), "size": self.size}
