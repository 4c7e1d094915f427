"""A convolution whose output maps each read only some of the input maps.

LeCun, Bottou, Bengio, Haffner. Gradient-Based Learning Applied to Document Recognition.
Proceedings of the IEEE 1998. http://yann.lecun.com/exdb/publis/pdf/lecun-98.pdf
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from keras import activations, initializers, layers, ops

from keras_arch.errors import invalid
from keras_arch.registry import register


@register(
    paper="Gradient-Based Learning Applied to Document Recognition",
    authors="LeCun, Bottou, Bengio, Haffner",
    year=1998,
    url="http://yann.lecun.com/exdb/publis/pdf/lecun-98.pdf",
    journal="Proceedings of the IEEE",
    tiny={
        "plain": {"connections": [[0, 1], [1], [0, 2]], "kernel_size": 3},
        "strided": {"connections": [[0, 1], [2]], "kernel_size": 3, "strides": 2},
    },
    inputs=(layers.InputSpec(shape=(None, 6, 6, 3)),),
)
class PartialConv2D(layers.Layer):
    """Convolution with a connection table, and a kernel for each connection only.

    The maps that an output does not read have no weights at all, so that the parameter
    count is that of the table: ``connections * kernel_size ** 2`` and the biases.

    Args:
        connections: For each output map, the input maps that it reads.
        kernel_size: Height and width of the kernels.
        strides: Distance of their places, along height and width.
        padding: ``"valid"`` or ``"same"``.
        activation: Activation of the output.
        use_bias: Whether to add a bias.
        kernel_initializer: Law of the kernels, with the fans of a full convolution.
        bias_initializer: Law of the biases.
        **kwargs: ``name``, ``dtype`` and so on of ``keras.layers.Layer``.

    Call arguments:
        inputs: Features of shape ``(B, H, W, C)``.

    Returns:
        Features of shape ``(B, H', W', len(connections))``.

    Raises:
        ValueError: If the table is empty, repeats a connection or names a map that the
            input does not have.

    Example:

    >>> layer = PartialConv2D([[0, 1], [1, 2], [0, 1, 2]], kernel_size=5)
    >>> layer(keras.ops.ones((1, 8, 8, 3))).shape, layer.count_params()
    (TensorShape([1, 4, 4, 3]), 178)
    """

    def __init__(
        self,
        connections: Sequence[Sequence[int]],
        kernel_size: int,
        strides: int = 1,
        padding: str = "valid",
        activation: str | Callable | None = None,
        use_bias: bool = True,
        kernel_initializer: str | Callable | None = "glorot_uniform",
        bias_initializer: str | Callable | None = "zeros",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.connections = [[int(source) for source in sources] for sources in connections]
        if not self.connections or any(
            not sources or len(set(sources)) < len(sources) or min(sources) < 0
            for sources in self.connections
        ):
            expected = "a list of distinct input maps for each output map"
            raise invalid("connections", expected, connections)
        if padding not in ("valid", "same"):
            raise invalid("padding", 'one of {"valid", "same"}', padding)
        self.kernel_size = kernel_size
        self.strides = strides
        self.padding = padding
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)

    def build(self, input_shape):
        maps, filters = input_shape[-1], len(self.connections)
        if max(map(max, self.connections)) >= maps:
            raise invalid("connections", f"input maps 0 to {maps - 1}", self.connections)
        pairs = [(s, target) for target, row in enumerate(self.connections) for s in row]
        sources, targets = np.transpose(pairs)
        full = (self.kernel_size, self.kernel_size, maps, filters)

        def initial(shape, dtype=None):
            kernel = ops.reshape(self.kernel_initializer(full, dtype), (*full[:2], -1))
            return ops.take(kernel, sources * filters + targets, axis=-1)

        self.kernel = self.add_weight(
            shape=(*full[:2], len(pairs)), initializer=initial, name="kernel"
        )
        if self.use_bias:
            self.bias = self.add_weight(
                shape=(filters,), initializer=self.bias_initializer, name="bias"
            )
        self._place = np.full((maps, filters), len(pairs))  # of the zero appended in `call`
        self._place[sources, targets] = np.arange(len(pairs))

    def call(self, inputs):
        kernel = ops.pad(self.kernel, [(0, 0), (0, 0), (0, 1)])
        kernel = ops.take(kernel, self._place, axis=-1)
        x = ops.conv(inputs, kernel, self.strides, self.padding)
        if self.use_bias:
            x = x + self.bias
        return self.activation(x)

    def get_config(self):
        return {
            **super().get_config(),
            "connections": self.connections,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
        }
