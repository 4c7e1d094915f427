"""Channel shuffle: what one group computed reaches every group of the next layer.

Zhang, Zhou, Lin, Sun. ShuffleNet: An Extremely Efficient Convolutional Neural Network for
Mobile Devices. CVPR 2018. https://arxiv.org/abs/1707.01083

    groups of n channels, side by side: a1 a2 a3 | b1 b2 b3  ->  a1 b1 a2 b2 a3 b3
"""

from typing import Any

from keras import layers, ops

from keras_arch.errors import invalid
from keras_arch.registry import register

PUBLICATION = {
    "paper": "ShuffleNet: An Extremely Efficient Convolutional Neural Network for Mobile Devices",
    "authors": "Zhang, Zhou, Lin, Sun",
    "year": 2018,
    "url": "https://arxiv.org/abs/1707.01083",
    "venue": "CVPR",
}


@register(
    **PUBLICATION,
    tiny={"plain": {"groups": 3}},
    inputs=(layers.InputSpec(shape=(None, 2, 3, 12)),),
)
class ChannelShuffle(layers.Layer):
    """Takes the first channel of every group, then the second of every group, and so on.

    ``ChannelShuffle(channels // groups)`` undoes it.

    Args:
        groups: Groups of channels.
        **kwargs: ``name``, ``dtype`` and so on of ``keras.layers.Layer``.

    Call arguments:
        inputs: Features of shape ``(B, ..., C)``.

    Returns:
        The same channels in another order, ``(B, ..., C)``.

    Raises:
        ValueError: If the channels do not divide into the groups, when the layer is built.

    Example:

    >>> ChannelShuffle(2)(keras.ops.arange(6.0)[None]).numpy().tolist()
    [[0.0, 3.0, 1.0, 4.0, 2.0, 5.0]]
    """

    def __init__(self, groups: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.groups = groups

    def build(self, input_shape):
        if input_shape[-1] % self.groups:
            expected = f"a divisor of the {input_shape[-1]} channels of the input"
            raise invalid("groups", expected, self.groups)

    def call(self, inputs):
        shape = ops.shape(inputs)
        x = ops.reshape(inputs, (*shape[:-1], self.groups, shape[-1] // self.groups))
        return ops.reshape(ops.swapaxes(x, -1, -2), shape)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "groups": self.groups}
