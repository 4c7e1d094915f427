"""Locally connected layers: windows as of a convolution, and a kernel of its own at each place.

LeCun. Generalization and Network Design Strategies. Connectionism in Perspective 1989.
http://yann.lecun.com/exdb/publis/pdf/lecun-89.pdf

    windows (B, H', W', k * k * C) . kernels (H', W', k * k * C, F) -> (B, H', W', F)

Without shared weights the layer is not equivariant to translation, and costs ``H' W'``
times the weights of a convolution, but as many multiplications.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

from keras import activations, constraints, initializers, layers, ops, regularizers

from keras_arch.errors import invalid
from keras_arch.registry import register

PUBLICATION = {
    "paper": "Generalization and Network Design Strategies",
    "authors": "LeCun",
    "year": 1989,
    "url": "http://yann.lecun.com/exdb/publis/pdf/lecun-89.pdf",
    "venue": "Connectionism in Perspective",
}


class _LocallyConnected(layers.Layer):
    """Over ``rank`` axes."""

    rank: int

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        activation: str | Callable | None = None,
        use_bias: bool = True,
        kernel_initializer: str | Callable | None = "glorot_uniform",
        bias_initializer: str | Callable | None = "zeros",
        kernel_regularizer: str | Callable | None = None,
        bias_regularizer: str | Callable | None = None,
        kernel_constraint: str | Callable | None = None,
        bias_constraint: str | Callable | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if filters < 1:
            raise invalid("filters", "a positive integer", filters)
        if padding not in ("valid", "same"):
            raise invalid("padding", 'one of {"valid", "same"}', padding)
        self.filters = filters
        self.kernel_size = self._sizes("kernel_size", kernel_size)
        self.strides = self._sizes("strides", strides)
        self.padding = padding
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)

    def _sizes(self, argument, value):
        sizes = (value,) * self.rank if isinstance(value, int) else tuple(value)
        if len(sizes) != self.rank or min(sizes) < 1:
            raise invalid(argument, f"{self.rank} positive integers, or one for all", value)
        return sizes

    def _places(self, input_shape):
        """Height and width (or length) of the output."""
        extents = input_shape[1:-1]
        if None in extents:
            expected = "a fixed size, since each place has weights of its own"
            raise invalid("input_shape", expected, tuple(input_shape))
        missing = (size - 1 if self.padding == "valid" else 0 for size in self.kernel_size)
        places = tuple(
            -(-(extent - less) // stride)
            for extent, less, stride in zip(extents, missing, self.strides, strict=True)
        )
        if min(places) < 1:
            raise invalid("input_shape", f"at least {self.kernel_size}", tuple(input_shape))
        return places

    def build(self, input_shape):
        places = self._places(input_shape)

        def initial(shape, dtype=None):
            kernel = self.kernel_initializer(shape, dtype)
            if isinstance(self.kernel_initializer, initializers.VarianceScaling):
                kernel = kernel * math.prod(places) ** 0.5  # it took the places for fans
            return kernel

        self.kernel = self.add_weight(
            shape=(*places, *self.kernel_size, input_shape[-1], self.filters),
            initializer=initial,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            name="kernel",
        )
        if self.use_bias:
            self.bias = self.add_weight(
                shape=(*places, self.filters),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
                name="bias",
            )

    def _windows(self, inputs):
        """``(B, H, W, C) -> (B, H', W', k * k * C)``."""
        return ops.image.extract_patches(
            inputs, self.kernel_size, self.strides, padding=self.padding
        )

    def call(self, inputs):
        places = self.kernel.shape[: self.rank]
        kernel = ops.reshape(self.kernel, (*places, -1, self.filters))
        x = ops.einsum("b...p,...pf->b...f", self._windows(inputs), kernel)
        if self.use_bias:
            x = x + self.bias
        return self.activation(x)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], *self._places(input_shape), self.filters)

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
        }


@register(
    **PUBLICATION,
    reference="tf_keras",
    tiny={
        "plain": {"filters": 2, "kernel_size": 3},
        "strided": {"filters": 2, "kernel_size": 2, "strides": 2, "padding": "same"},
    },
    inputs=(layers.InputSpec(shape=(None, 5, 3)),),
)
class LocallyConnected1D(_LocallyConnected):
    """A convolution along a sequence, with weights of its own at each place.

    Args:
        filters: Channels of the output.
        kernel_size: Length of the windows.
        strides: Distance of the windows.
        padding: ``"valid"``, or ``"same"``: zeros around, so that only strides shorten.
        activation: Activation of the output.
        use_bias: Whether to add a bias, one for each unit.
        kernel_initializer: Law of the kernels, with the fans of one place.
        bias_initializer: Law of the biases.
        kernel_regularizer: Regularizer of the kernels.
        bias_regularizer: Regularizer of the biases.
        kernel_constraint: Constraint of the kernels, ``(L', k, C, filters)``.
        bias_constraint: Constraint of the biases, ``(L', filters)``.
        **kwargs: ``name``, ``dtype`` and so on of ``keras.layers.Layer``.

    Call arguments:
        inputs: Features of shape ``(B, L, C)``, of a fixed size.

    Returns:
        Features of shape ``(B, L', filters)``.

    Raises:
        ValueError: If a size is not positive, ``padding`` is unknown, or, when the layer is
            built, the input has no fixed size or is smaller than the kernel.

    Example:

    >>> layer = LocallyConnected1D(4, kernel_size=3)
    >>> tuple(layer(keras.ops.ones((1, 8, 2))).shape), layer.count_params()
    ((1, 6, 4), 168)
    """

    rank = 1

    def _windows(self, inputs):
        x = ops.expand_dims(inputs, 1)
        size, strides = (1, *self.kernel_size), (1, *self.strides)
        x = ops.image.extract_patches(x, size, strides, padding=self.padding)
        return ops.squeeze(x, 1)


@register(
    **PUBLICATION,
    reference="tf_keras",
    tiny={
        "plain": {"filters": 2, "kernel_size": 3},
        "strided": {
            "filters": 2,
            "kernel_size": (3, 2),
            "strides": (2, 1),
            "padding": "same",
            "activation": "tanh",
            "use_bias": False,
        },
    },
    inputs=(layers.InputSpec(shape=(None, 5, 6, 3)),),
)
class LocallyConnected2D(_LocallyConnected):
    """A convolution over an image, with weights of its own at each place.

    Args:
        filters: Channels of the output.
        kernel_size: Height and width of the windows; one number for both.
        strides: Distance of the windows; one number for both.
        padding: ``"valid"``, or ``"same"``: zeros around, so that only strides shorten.
        activation: Activation of the output.
        use_bias: Whether to add a bias, one for each unit.
        kernel_initializer: Law of the kernels, with the fans of one place.
        bias_initializer: Law of the biases.
        kernel_regularizer: Regularizer of the kernels.
        bias_regularizer: Regularizer of the biases.
        kernel_constraint: Constraint of the kernels, ``(H', W', k, k, C, filters)``.
        bias_constraint: Constraint of the biases, ``(H', W', filters)``.
        **kwargs: ``name``, ``dtype`` and so on of ``keras.layers.Layer``.

    Call arguments:
        inputs: Features of shape ``(B, H, W, C)``, of a fixed size.

    Returns:
        Features of shape ``(B, H', W', filters)``.

    Raises:
        ValueError: If a size is not positive, ``padding`` is unknown, or, when the layer is
            built, the input has no fixed size or is smaller than the kernel.

    Example:

    >>> layer = LocallyConnected2D(4, kernel_size=3)
    >>> tuple(layer(keras.ops.ones((1, 8, 8, 2))).shape), layer.count_params()
    ((1, 6, 6, 4), 2736)
    """

    rank = 2
