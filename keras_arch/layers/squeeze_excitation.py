"""Squeeze-and-excitation: what an image shows as a whole decides which channels count.

Hu, Shen, Sun. Squeeze-and-Excitation Networks. CVPR 2018. https://arxiv.org/abs/1709.01507

    x -> mean over pixels -> C / ratio -> ReLU -> C -> sigmoid -> a factor for each channel
"""

from collections.abc import Callable
from typing import Any

import keras
from keras import activations, layers

from keras_arch.errors import invalid
from keras_arch.registry import register

PUBLICATION = {
    "paper": "Squeeze-and-Excitation Networks",
    "authors": "Hu, Shen, Sun",
    "year": 2018,
    "url": "https://arxiv.org/abs/1709.01507",
    "venue": "CVPR",
}


@register(
    **PUBLICATION,
    tiny={
        "plain": {"ratio": 2},
        "mobile": {"units": 3, "gate": "hard_sigmoid"},
    },
    inputs=(layers.InputSpec(shape=(None, 4, 4, 6)),),
)
class SqueezeExcitation(layers.Layer):
    """Scales each channel by a gate, which sees the mean of every channel.

    Args:
        ratio: Channels for each unit of the narrow layer.
        units: Units of the narrow layer, instead of ``channels // ratio``.
        activation: Of the narrow layer.
        gate: Activation of the gates.
        **kwargs: ``name``, ``dtype`` and so on of ``keras.layers.Layer``.

    Call arguments:
        inputs: Features of shape ``(B, H, W, C)``.

    Returns:
        Features of shape ``(B, H, W, C)``.

    Raises:
        ValueError: If ``ratio`` leaves no unit, when the layer is built.

    Example:

    >>> layer = SqueezeExcitation(ratio=16)
    >>> layer(keras.ops.ones((1, 7, 7, 64))).shape
    TensorShape([1, 7, 7, 64])
    >>> layer.count_params() == 2 * 64 * 64 // 16 + 64 + 64 // 16
    True
    """

    def __init__(
        self,
        ratio: int = 16,
        units: int | None = None,
        activation: str | Callable | None = "relu",
        gate: str | Callable | None = "sigmoid",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.ratio = ratio
        self.units = units
        self.activation = activations.get(activation)
        self.gate = activations.get(gate)

    def build(self, input_shape):
        channels = input_shape[-1]
        units = channels // self.ratio if self.units is None else self.units
        if units < 1:
            raise invalid("ratio", f"at most the {channels} channels of the input", self.ratio)
        policy = self.dtype_policy
        self.mean = layers.GlobalAveragePooling2D(keepdims=True, dtype=policy, name="mean")
        self.squeeze = layers.Conv2D(
            units, 1, activation=self.activation, dtype=policy, name="squeeze"
        )
        self.excite = layers.Conv2D(channels, 1, activation=self.gate, dtype=policy, name="excite")
        self.squeeze.build((None, 1, 1, channels))
        self.excite.build((None, 1, 1, units))

    def call(self, inputs):
        return inputs * self.excite(self.squeeze(self.mean(inputs)))

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "ratio": self.ratio,
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "gate": activations.serialize(self.gate),
        }


Attention = str | Callable[[keras.KerasTensor, str], keras.KerasTensor] | None


def channel_attention(x: keras.KerasTensor, attention: Attention, name: str) -> keras.KerasTensor:
    """What a family's ``attention`` does with a block's features: ``(B, H, W, C)``, the same.

    Args:
        x: The features.
        attention: ``None`` (nothing), ``"squeeze_excitation"``, or a function ``(x, name)
            -> x``.
        name: Name of the layer.

    Raises:
        ValueError: If ``attention`` is none of the above.
    """
    if attention is None:
        return x
    if attention == "squeeze_excitation":
        return SqueezeExcitation(name=name)(x)
    if not callable(attention):
        expected = '`None`, "squeeze_excitation" or a function `(x, name) -> x`'
        raise invalid("attention", expected, attention)
    return attention(x, name)
