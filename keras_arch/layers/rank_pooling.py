"""Global weighted rank pooling: the best place counts most, the next one less, and so on.

Kolesnikov, Lampert. Seed, Expand and Constrain: Three Principles for Weakly-Supervised
Image Segmentation. ECCV 2016. https://arxiv.org/abs/1603.06098

    y = sum_j decay^j x_(j) / sum_j decay^j        x_(0) >= x_(1) >= ...
"""

from typing import Any

from keras import layers, ops

from keras_arch.errors import invalid
from keras_arch.registry import register


@register(
    paper="Seed, Expand and Constrain: Three Principles for Weakly-Supervised Image Segmentation",
    authors="Kolesnikov, Lampert",
    year=2016,
    url="https://arxiv.org/abs/1603.06098",
    venue="ECCV",
    tiny={"plain": {"decay": 0.9}},
    inputs=(layers.InputSpec(shape=(None, 5, 6, 3)),),
)
class GlobalWeightedRankPooling2D(layers.Layer):
    """Mean of a map with weights that decay from its largest value to its smallest.

    With decay 0 it is the maximum, with 1 the mean. Max pooling trains one place and leads
    to objects seen too small, mean pooling all alike and to objects too large. The paper
    takes 0.996 for classes that are in the image and 0.999 for the background, on maps of
    41x41, and the maximum for classes that are not.

    Args:
        decay: Of the weight from each value to the next smaller one, 0 to 1.
        **kwargs: ``name``, ``dtype`` and so on of ``keras.layers.Layer``.

    Call arguments:
        inputs: Features of shape ``(B, H, W, C)``.

    Returns:
        Features of shape ``(B, C)``.

    Raises:
        ValueError: If the decay is not in [0, 1].

    Example:

    >>> x = keras.ops.reshape(keras.ops.array([0.0, 4.0, 2.0]), (1, 1, 3, 1))
    >>> [float(GlobalWeightedRankPooling2D(d)(x)[0, 0]) for d in (0.0, 0.5, 1.0)]
    [4.0, 2.857142925262451, 2.0]
    """

    def __init__(self, decay: float = 0.996, **kwargs: Any):
        super().__init__(**kwargs)
        if not 0 <= decay <= 1:
            raise invalid("decay", "a number in [0, 1]", decay)
        self.decay = decay

    def call(self, inputs):
        _, height, width, channels = ops.shape(inputs)
        places = height * width
        x = ops.sort(ops.reshape(inputs, (-1, places, channels)), axis=1)  # largest last
        rank = ops.cast(places - 1 - ops.arange(places), "float32")
        weights = ops.power(ops.cast(self.decay, "float32"), rank)
        weights = ops.cast(weights / ops.sum(weights), x.dtype)
        return ops.sum(ops.expand_dims(weights, -1) * x, axis=1)

    def compute_output_shape(self, input_shape):
        return input_shape[0], input_shape[-1]

    def get_config(self):
        return {**super().get_config(), "decay": self.decay}
