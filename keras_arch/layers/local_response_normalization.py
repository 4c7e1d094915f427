"""Local response normalization: neighbouring channels compete for large responses.

Krizhevsky, Sutskever, Hinton. ImageNet Classification with Deep Convolutional Neural Networks.
NeurIPS 2012. https://proceedings.neurips.cc/paper/2012/hash/c399862d3b9d6b76c8436e924a68c45b-Abstract.html

    y_c = x_c / (bias + alpha * sum of x_i^2 over the size channels around c) ^ beta
"""

from typing import Any

from keras import layers, ops

from keras_arch.errors import invalid
from keras_arch.registry import register

PUBLICATION = {
    "paper": "ImageNet Classification with Deep Convolutional Neural Networks",
    "authors": "Krizhevsky, Sutskever, Hinton",
    "year": 2012,
    "url": "https://proceedings.neurips.cc/paper/2012/hash/"
    "c399862d3b9d6b76c8436e924a68c45b-Abstract.html",
    "venue": "NeurIPS",
}


@register(
    **PUBLICATION,
    tiny={"plain": {"size": 3, "alpha": 0.5}},
    inputs=(layers.InputSpec(shape=(None, 4, 4, 5)),),
)
class LocalResponseNormalization(layers.Layer):
    """Divides each response by those of the channels around it, at the same pixel.

    ``alpha`` multiplies the sum of squares, as in the paper and in TensorFlow; Caffe and
    torch multiply their mean, so that the same ``alpha`` weighs ``size`` times less there.

    Args:
        size: Channels that are summed, an odd number; fewer at the two ends.
        bias: What the sum is added to (``k`` in the paper).
        alpha: Factor of the sum.
        beta: Exponent.
        **kwargs: ``name``, ``dtype`` and so on of ``keras.layers.Layer``.

    Call arguments:
        inputs: Features of shape ``(B, ..., C)``.

    Returns:
        Features of shape ``(B, ..., C)``.

    Raises:
        ValueError: If ``size`` is not odd and positive.

    Example:

    >>> layer = LocalResponseNormalization(size=3, bias=1.0, alpha=1.0, beta=1.0)
    >>> layer(keras.ops.ones((1, 4))).numpy()
    array([[0.33333334, 0.25      , 0.25      , 0.33333334]], dtype=float32)
    """

    def __init__(
        self,
        size: int = 5,
        bias: float = 2.0,
        alpha: float = 1e-4,
        beta: float = 0.75,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if size < 1 or size % 2 == 0:
            raise invalid("size", "an odd positive number", size)
        self.size = size
        self.bias = bias
        self.alpha = alpha
        self.beta = beta

    def call(self, inputs):
        x = ops.cast(inputs, "float32")  # the square of 300 is infinite in float16
        rest = [(0, 0)] * (len(x.shape) - 1)
        squares = ops.pad(ops.square(x), [*rest, (self.size // 2, self.size // 2)])
        channels = x.shape[-1]
        total = sum(squares[..., i : i + channels] for i in range(self.size))
        return ops.cast(x * (self.bias + self.alpha * total) ** -self.beta, inputs.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "size": self.size,
            "bias": self.bias,
            "alpha": self.alpha,
            "beta": self.beta,
        }
