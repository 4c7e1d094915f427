"""Highway layers: a gate decides what is transformed and what is carried on as it is.

Srivastava, Greff, Schmidhuber. Training Very Deep Networks.
NeurIPS 2015. https://arxiv.org/abs/1507.06228

    y = T(x) * H(x) + (1 - T(x)) * x        T: a layer with sigmoid and a negative bias

While the bias keeps the gate nearly closed, a layer is nearly the identity, and so is a
stack of any depth.
"""

from collections.abc import Callable
from typing import Any

import keras
from keras import activations, initializers, layers

from keras_arch.registry import register

PUBLICATION = {
    "paper": "Training Very Deep Networks",
    "authors": "Srivastava, Greff, Schmidhuber",
    "year": 2015,
    "url": "https://arxiv.org/abs/1507.06228",
    "venue": "NeurIPS",
}


class _Highway(layers.Layer):
    """What both share; a subclass makes a layer that keeps the shape of its input."""

    def __init__(
        self,
        activation: str | Callable | None = "relu",
        gate_bias: float = -2.0,
        kernel_initializer: str | keras.initializers.Initializer = "he_normal",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.activation = activations.get(activation)
        self.gate_bias = gate_bias
        self.kernel_initializer = initializers.get(kernel_initializer)

    def _same_shape(self, channels, **settings):
        raise NotImplementedError

    def build(self, input_shape):
        settings = {"kernel_initializer": self.kernel_initializer, "dtype": self.dtype_policy}
        bias = initializers.Constant(self.gate_bias)
        self.transform = self._same_shape(
            input_shape[-1], activation=self.activation, name="transform", **settings
        )
        again = self.kernel_initializer  # one instance would give both kernels the same values
        settings["kernel_initializer"] = type(again).from_config(again.get_config())
        self.gate = self._same_shape(
            input_shape[-1], activation="sigmoid", bias_initializer=bias, name="gate", **settings
        )
        self.transform.build(input_shape)
        self.gate.build(input_shape)

    def call(self, inputs):
        gate = self.gate(inputs)
        return gate * self.transform(inputs) + (1 - gate) * inputs

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "activation": activations.serialize(self.activation),
            "gate_bias": self.gate_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
        }


@register(
    **PUBLICATION,
    tiny={"plain": {}, "tanh": {"activation": "tanh", "gate_bias": -1.0}},
    inputs=(layers.InputSpec(shape=(None, 5)),),
)
class HighwayDense(_Highway):
    """Fully connected highway layer, with as many units as its input has.

    Args:
        activation: Of what is transformed.
        gate_bias: Bias of the gate at the start: -1 to -4, the deeper the network the less.
        kernel_initializer: Of both kernels.
        **kwargs: ``name``, ``dtype`` and so on of ``keras.layers.Layer``.

    Call arguments:
        inputs: Features of shape ``(B, ..., D)``.

    Returns:
        Features of shape ``(B, ..., D)``.

    Example:

    >>> layer = HighwayDense(gate_bias=-3.0)
    >>> layer(keras.ops.ones((2, 50))).shape
    TensorShape([2, 50])
    >>> layer.count_params()
    5100
    """

    def _same_shape(self, channels, **settings):
        return layers.Dense(channels, **settings)


@register(
    **PUBLICATION,
    tiny={"plain": {"kernel_size": 3}, "tanh": {"kernel_size": (1, 2), "activation": "tanh"}},
    inputs=(layers.InputSpec(shape=(None, 4, 4, 3)),),
)
class HighwayConv2D(_Highway):
    """Convolutional highway layer, with as many channels as its input has.

    Args:
        kernel_size: Of both convolutions.
        activation: Of what is transformed.
        gate_bias: Bias of the gate at the start: -1 to -4, the deeper the network the less.
        kernel_initializer: Of both kernels.
        **kwargs: ``name``, ``dtype`` and so on of ``keras.layers.Layer``.

    Call arguments:
        inputs: Features of shape ``(B, H, W, C)``.

    Returns:
        Features of shape ``(B, H, W, C)``.

    Example:

    >>> HighwayConv2D(3)(keras.ops.ones((1, 8, 8, 4))).shape
    TensorShape([1, 8, 8, 4])
    """

    def __init__(
        self,
        kernel_size: int | tuple[int, int],
        activation: str | Callable | None = "relu",
        gate_bias: float = -2.0,
        kernel_initializer: str | keras.initializers.Initializer = "he_normal",
        **kwargs: Any,
    ):
        super().__init__(activation, gate_bias, kernel_initializer, **kwargs)
        self.kernel_size = kernel_size

    def _same_shape(self, channels, **settings):
        return layers.Conv2D(channels, self.kernel_size, padding="same", **settings)

    def get_config(self):
        return {**super().get_config(), "kernel_size": self.kernel_size}
