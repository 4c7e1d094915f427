"""The end of the first deep classifiers: wide dense layers over all of the feature map.

Read as a convolution of the map's size, the first of them also takes larger images and
answers at every place where the network fits.

Simonyan, Zisserman. Very Deep Convolutional Networks for Large-Scale Image Recognition.
ICLR 2015. https://arxiv.org/abs/1409.1556 (section 3.2)
"""

from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import activations, initializers, layers, ops

from keras_arch.errors import invalid
from keras_arch.layers.classifier import flatten
from keras_arch.layers.depth import check_depth
from keras_arch.registry import register


def fully_connected(
    x: keras.KerasTensor,
    units: Sequence[int],
    dropout: float = 0.0,
    window: int | None = None,
    kernel_initializer: Any = "glorot_uniform",
    bias_initializer: Any = "zeros",
) -> keras.KerasTensor:
    """Dense layers with ReLU, ``fc1``, ``fc2``, ...: ``(B, H, W, C) -> (B, units[-1])``.

    Args:
        x: The features.
        units: Widths of the layers.
        dropout: Rate after each of them.
        window: Size of the map that the first layer reads, as a convolution, so that the
            result is a map, ``(B, H - window + 1, W - window + 1, units[-1])``; by default
            all of it, flattened. The weights are the same.
        kernel_initializer: Law of the kernels.
        bias_initializer: Law of the biases.

    Raises:
        ValueError: If the map has no fixed size and there is no ``window``, or there are too
            many ``units`` for Keras.
    """
    laws = {"kernel_initializer": kernel_initializer, "bias_initializer": bias_initializer}
    if units:
        check_depth((len(units),), 2, "units", units)  # with its dropout
    if window is None:
        x = flatten(x)
    for index, width in enumerate(units, start=1):
        if index == 1 and window is not None:
            x = SlidingDense(width, window, "relu", **laws, name="fc1")(x)
        else:
            x = layers.Dense(width, "relu", **laws, name=f"fc{index}")(x)
        if dropout:
            x = layers.Dropout(dropout, name=f"fc{index}_dropout")(x)
    return x


@register(
    paper="Very Deep Convolutional Networks for Large-Scale Image Recognition",
    authors="Simonyan, Zisserman",
    year=2015,
    url="https://arxiv.org/abs/1409.1556",
    venue="ICLR",
    tiny={"plain": {"units": 4, "window": 3, "activation": "relu"}},
    inputs=(layers.InputSpec(shape=(None, 5, 4, 2)),),
)
class SlidingDense(layers.Layer):
    """A dense layer over a window of the map, at every place of the window.

    Its weights are those of ``Flatten`` and ``Dense`` over one window, in their shapes, so
    that each takes the other's.

    Args:
        units: Channels of the output.
        window: Height and width of the window.
        activation: Activation of the output.
        kernel_initializer: Law of the kernel.
        bias_initializer: Law of the bias.
        **kwargs: ``name``, ``dtype`` and so on of ``keras.layers.Layer``.

    Call arguments:
        inputs: Features of shape ``(B, H, W, C)``.

    Returns:
        Features of shape ``(B, H - window + 1, W - window + 1, units)``.

    Raises:
        ValueError: If the map is smaller than the window, when the layer is built.

    Example:

    >>> layer = SlidingDense(10, window=7)
    >>> layer(keras.ops.ones((1, 8, 8, 4))).shape, layer.count_params() == 7 * 7 * 4 * 10 + 10
    (TensorShape([1, 2, 2, 10]), True)
    """

    def __init__(
        self,
        units: int,
        window: int,
        activation: str | Callable | None = None,
        kernel_initializer: str | Callable | None = "glorot_uniform",
        bias_initializer: str | Callable | None = "zeros",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.units = units
        self.window = window
        self.activation = activations.get(activation)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)

    def build(self, input_shape):
        _, *sizes, channels = input_shape
        if any(size is not None and size < self.window for size in sizes):
            raise invalid("window", f"at most the map's {sizes}", self.window)
        self.kernel = self.add_weight(
            shape=(self.window**2 * channels, self.units),
            initializer=self.kernel_initializer,
            name="kernel",
        )
        self.bias = self.add_weight(
            shape=(self.units,), initializer=self.bias_initializer, name="bias"
        )

    def call(self, inputs):
        shape = (self.window, self.window, inputs.shape[-1], self.units)
        x = ops.conv(inputs, ops.reshape(self.kernel, shape), padding="valid")
        return self.activation(x + self.bias)

    def compute_output_shape(self, input_shape):
        batch, *sizes, _ = input_shape
        sizes = [size and size - self.window + 1 for size in sizes]
        return (batch, *sizes, self.units)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "window": self.window,
            "activation": activations.serialize(self.activation),
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
        }
