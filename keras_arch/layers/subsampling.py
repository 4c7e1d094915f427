"""Pooling with a coefficient and a bias that are learned, one of each a map.

LeCun, Bottou, Bengio, Haffner. Gradient-Based Learning Applied to Document Recognition.
Proceedings of the IEEE 1998. http://yann.lecun.com/exdb/publis/pdf/lecun-98.pdf
"""

from collections.abc import Callable
from typing import Any

from keras import activations, initializers, layers, ops

from keras_arch.registry import register


@register(
    paper="Gradient-Based Learning Applied to Document Recognition",
    authors="LeCun, Bottou, Bengio, Haffner",
    year=1998,
    url="http://yann.lecun.com/exdb/publis/pdf/lecun-98.pdf",
    journal="Proceedings of the IEEE",
    tiny={"plain": {"pool_size": 2}},
    inputs=(layers.InputSpec(shape=(None, 6, 6, 3)),),
)
class TrainableSubsampling(layers.Layer):
    """Sum of each window, scaled and shifted: ``activation(gamma * sum + beta)``.

    Args:
        pool_size: Height and width of the windows, which do not overlap.
        activation: Activation of the output.
        gamma_initializer: Law of the coefficients; by default one over the size of a
            window, so that the layer starts as average pooling.
        beta_initializer: Law of the biases.
        **kwargs: ``name``, ``dtype`` and so on of ``keras.layers.Layer``.

    Call arguments:
        inputs: Features of shape ``(B, H, W, C)``.

    Returns:
        Features of shape ``(B, H / pool_size, W / pool_size, C)``.

    Example:

    >>> layer = TrainableSubsampling(2)
    >>> layer(keras.ops.ones((1, 28, 28, 6))).shape, layer.count_params()
    (TensorShape([1, 14, 14, 6]), 12)
    """

    def __init__(
        self,
        pool_size: int = 2,
        activation: str | Callable | None = None,
        gamma_initializer: str | Callable | None = None,
        beta_initializer: str | Callable | None = "zeros",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.pool_size = pool_size
        self.activation = activations.get(activation)
        self.gamma_initializer = initializers.get(
            gamma_initializer or initializers.Constant(1 / pool_size**2)
        )
        self.beta_initializer = initializers.get(beta_initializer)

    def build(self, input_shape):
        maps = (input_shape[-1],)
        self.gamma = self.add_weight(shape=maps, initializer=self.gamma_initializer, name="gamma")
        self.beta = self.add_weight(shape=maps, initializer=self.beta_initializer, name="beta")

    def call(self, inputs):
        mean = ops.average_pool(inputs, self.pool_size, self.pool_size)
        return self.activation(self.gamma * mean * self.pool_size**2 + self.beta)

    def get_config(self):
        return {
            **super().get_config(),
            "pool_size": self.pool_size,
            "activation": activations.serialize(self.activation),
            "gamma_initializer": initializers.serialize(self.gamma_initializer),
            "beta_initializer": initializers.serialize(self.beta_initializer),
        }
