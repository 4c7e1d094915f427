"""A bias for each unit, where the weights of a map are shared.

LeCun, Boser, Denker, Henderson, Howard, Hubbard, Jackel. Backpropagation Applied to
Handwritten Zip Code Recognition. Neural Computation 1989.
https://doi.org/10.1162/neco.1989.1.4.541
"""

from collections.abc import Callable
from typing import Any

from keras import activations, constraints, initializers, layers, regularizers

from keras_arch.errors import invalid
from keras_arch.registry import register


@register(
    paper="Backpropagation Applied to Handwritten Zip Code Recognition",
    authors="LeCun, Boser, Denker, Henderson, Howard, Hubbard, Jackel",
    year=1989,
    url="https://doi.org/10.1162/neco.1989.1.4.541",
    journal="Neural Computation",
    tiny={"plain": {"activation": "tanh"}},
    inputs=(layers.InputSpec(shape=(None, 3, 4, 2)),),
)
class UnitBias(layers.Layer):
    """``activation(inputs + bias)``, where the bias has the shape of one input.

    Args:
        activation: Activation of the output.
        bias_initializer: Law of the biases.
        bias_regularizer: Regularizer of the biases.
        bias_constraint: Constraint of the biases.
        **kwargs: ``name``, ``dtype`` and so on of ``keras.layers.Layer``.

    Call arguments:
        inputs: Features of shape ``(B, ...)``, of a fixed size.

    Returns:
        Features of the same shape.

    Raises:
        ValueError: If the input has no fixed size, when the layer is built.

    Example:

    >>> layer = UnitBias()
    >>> tuple(layer(keras.ops.ones((1, 8, 8, 12))).shape), layer.count_params()
    ((1, 8, 8, 12), 768)
    """

    def __init__(
        self,
        activation: str | Callable | None = None,
        bias_initializer: str | Callable | None = "zeros",
        bias_regularizer: str | Callable | None = None,
        bias_constraint: str | Callable | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.activation = activations.get(activation)
        self.bias_initializer = initializers.get(bias_initializer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.bias_constraint = constraints.get(bias_constraint)

    def build(self, input_shape):
        if None in input_shape[1:]:
            raise invalid("input_shape", "a fixed size, for a bias of each unit", input_shape)
        self.bias = self.add_weight(
            shape=input_shape[1:],
            initializer=self.bias_initializer,
            regularizer=self.bias_regularizer,
            constraint=self.bias_constraint,
            name="bias",
        )

    def call(self, inputs):
        return self.activation(inputs + self.bias)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "activation": activations.serialize(self.activation),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "bias_constraint": constraints.serialize(self.bias_constraint),
        }
