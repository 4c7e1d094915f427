"""The shortcut without parameters: new channels are zeros.

He, Zhang, Ren, Sun. Deep Residual Learning for Image Recognition.
CVPR 2016. https://arxiv.org/abs/1512.03385
"""

from typing import Any

from keras import layers, ops

from keras_arch.errors import invalid
from keras_arch.registry import register


@register(
    paper="Deep Residual Learning for Image Recognition",
    authors="He, Zhang, Ren, Sun",
    year=2016,
    url="https://arxiv.org/abs/1512.03385",
    venue="CVPR",
    tiny={"plain": {"channels": 7}},
    inputs=(layers.InputSpec(shape=(None, 4, 4, 3)),),
)
class PadChannels(layers.Layer):
    """Appends channels of zeros until there are ``channels`` (option A of the paper).

    Args:
        channels: Channels of the output.
        **kwargs: ``name``, ``dtype`` and so on of ``keras.layers.Layer``.

    Call arguments:
        inputs: Features of shape ``(B, ..., C)``.

    Returns:
        Features of shape ``(B, ..., channels)``.

    Raises:
        ValueError: If the input has more channels, when the layer is built.

    Example:

    >>> PadChannels(4)(keras.ops.ones((1, 2))).numpy()
    array([[1., 1., 0., 0.]], dtype=float32)
    """

    def __init__(self, channels: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.channels = channels

    def build(self, input_shape):
        if input_shape[-1] > self.channels:
            expected = f"at least the {input_shape[-1]} of the input"
            raise invalid("channels", expected, self.channels)

    def call(self, inputs):
        new = self.channels - inputs.shape[-1]
        return ops.pad(inputs, [(0, 0)] * (len(inputs.shape) - 1) + [(0, new)])

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.channels)

    def get_config(self):
        return {**super().get_config(), "channels": self.channels}
