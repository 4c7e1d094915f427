"""Convolutions by the thousand, as one layer.

Xiao, Bahri, Sohl-Dickstein, Schoenholz, Pennington. Dynamical Isometry and a Mean Field
Theory of CNNs: How to Train 10,000-Layer Vanilla Convolutional Neural Networks.
ICML 2018. https://arxiv.org/abs/1806.05393

    x -> [convolution -> activation] x depth        all of one width
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import activations, initializers, layers, ops, regularizers

from keras_arch.errors import invalid
from keras_arch.initializers import DeltaOrthogonal
from keras_arch.registry import register

ELEMENTWISE = (  # laws to which the shape says nothing
    initializers.Constant,
    initializers.Zeros,
    initializers.RandomNormal,
    initializers.RandomUniform,
    initializers.TruncatedNormal,
)


@register(
    paper="Dynamical Isometry and a Mean Field Theory of CNNs: How to Train 10,000-Layer "
    "Vanilla Convolutional Neural Networks",
    authors="Xiao, Bahri, Sohl-Dickstein, Schoenholz, Pennington",
    year=2018,
    url="https://arxiv.org/abs/1806.05393",
    venue="ICML",
    tiny={
        "plain": {"depth": 3, "kernel_size": 3, "activation": "tanh"},
        "circular": {"depth": 2, "kernel_size": 4, "padding": "circular", "use_bias": False},
    },
    inputs=(layers.InputSpec(shape=(None, 6, 5, 3)),),
)
class StackedConv2D(layers.Layer):
    """``depth`` convolutions, each with its activation, that keep size and width.

    It is the chain of ``keras.layers.Conv2D`` with the same kernels, but runs as one loop:
    graph and saved file do not grow with the depth, which Keras's recursion would limit to
    900. On a CPU compile with ``jit_compile=False``: XLA's loop is slower there by far.

    The weights are ``stacked_kernel``, ``(depth, *kernel_size, C, C)``, and ``stacked_bias``,
    ``(depth, C)``; ``callbacks.GradientFlow`` knows them as layers by these names.

    Args:
        depth: Number of convolutions.
        kernel_size: Height and width of the kernels.
        padding: ``"same"``, zeros around the image, or ``"circular"``, its other side.
        activation: Activation after each convolution.
        use_bias: Whether each convolution has a bias.
        kernel_initializer: Law of one kernel, ``(*kernel_size, C, C)``; each of the stack
            is a draw of its own.
        bias_initializer: Law of one bias.
        kernel_regularizer: Regularizer of one kernel; the penalties add up.
        **kwargs: ``name``, ``dtype`` and so on of ``keras.layers.Layer``.

    Call arguments:
        inputs: Features of shape ``(B, H, W, C)``.

    Returns:
        Features of the same shape.

    Raises:
        ValueError: If a size is not positive, or ``padding`` none of the two.

    Example:

    >>> layer = StackedConv2D(1000, 3, activation="tanh")
    >>> tuple(layer(keras.ops.ones((1, 4, 4, 2))).shape), layer.count_params()
    ((1, 4, 4, 2), 38000)
    """

    def __init__(
        self,
        depth: int,
        kernel_size: int,
        padding: str = "same",
        activation: str | Callable | None = None,
        use_bias: bool = True,
        kernel_initializer: str | Callable | None = "glorot_uniform",
        bias_initializer: str | Callable | None = "zeros",
        kernel_regularizer: str | Callable | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        for argument, value in (("depth", depth), ("kernel_size", kernel_size)):
            if not isinstance(value, int) or value < 1:
                raise invalid(argument, "a positive integer", value)
        if padding not in ("same", "circular"):
            raise invalid("padding", 'one of {"same", "circular"}', padding)
        self.depth = depth
        self.kernel_size = kernel_size
        self.padding = padding
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)

    def build(self, input_shape):
        width, size = input_shape[-1], self.kernel_size
        one = self.kernel_regularizer
        self.stacked_kernel = self.add_weight(
            shape=(self.depth, size, size, width, width),
            initializer=_each(self.kernel_initializer),
            regularizer=one and (lambda kernels: ops.sum(ops.vectorized_map(one, kernels))),
            name="stacked_kernel",
        )
        if self.use_bias:
            self.stacked_bias = self.add_weight(
                shape=(self.depth, width),
                initializer=_each(self.bias_initializer),
                name="stacked_bias",
            )

    def call(self, inputs):
        weights = [ops.convert_to_tensor(self.stacked_kernel)]
        if self.use_bias:
            weights.append(ops.convert_to_tensor(self.stacked_bias))

        def layer(x, weights):
            kernel, *bias = weights
            if self.padding == "circular":
                x = self._wrap(self._wrap(x, axis=1), axis=2)
            x = ops.conv(x, kernel, padding="same" if self.padding == "same" else "valid")
            return self.activation(x + bias[0] if bias else x)

        if keras.backend.backend() == "tensorflow":
            # `ops.scan` gives its loop no bound there, and XLA then no gradient.
            import tensorflow as tf

            x = tf.foldl(layer, weights, ops.convert_to_tensor(inputs))
            return ops.reshape(x, ops.shape(inputs)) if None in x.shape else x
        return ops.scan(lambda x, weights: (layer(x, weights), None), inputs, weights)[0]

    def _wrap(self, x, axis):
        """Continue an image periodically, as far as a kernel reaches."""
        before = (self.kernel_size - 1) // 2  # what padding="same" calls the centre
        after, size = self.kernel_size - 1 - before, ops.shape(x)[axis]
        along = (slice(None),) * axis
        parts = [x[(*along, slice(size - before, size))], x, x[(*along, slice(after))]]
        return ops.concatenate(parts, axis)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "depth": self.depth,
            "kernel_size": self.kernel_size,
            "padding": self.padding,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
        }


def _each(initializer):
    """The law of a stack, whose parts are independent draws of ``initializer``."""

    def initial(shape, dtype=None):
        depth, *one = shape
        if isinstance(initializer, DeltaOrthogonal):
            return initializer.stack(depth, one, dtype)  # ten thousand calls take a minute
        if isinstance(initializer, ELEMENTWISE):
            return initializer(shape, dtype=dtype)
        seed = getattr(initializer, "seed", None)
        laws = [initializer] * depth
        if isinstance(seed, int):  # with which every call would draw the same
            config = initializer.get_config()
            seeds = np.random.default_rng(seed).integers(2**31, size=depth).tolist()
            laws = [type(initializer).from_config({**config, "seed": own}) for own in seeds]
        return ops.stack([law(one, dtype=dtype) for law in laws])

    return initial
