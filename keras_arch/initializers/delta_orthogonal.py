"""Delta-orthogonal kernels: convolutions that keep every norm, at any depth.

Xiao, Bahri, Sohl-Dickstein, Schoenholz, Pennington. Dynamical Isometry and a Mean Field
Theory of CNNs: How to Train 10,000-Layer Vanilla Convolutional Neural Networks.
ICML 2018. https://arxiv.org/abs/1806.05393

A random matrix ``H`` with orthonormal rows at the centre of the window, zeros elsewhere:
the convolution mixes channels, and its Jacobian is an isometry. ``Orthogonal`` of Keras
makes the flattened window orthogonal instead, which is no isometry of images.
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import initializers, ops

from keras_arch.errors import invalid
from keras_arch.registry import register


@register(
    paper="Dynamical Isometry and a Mean Field Theory of CNNs: How to Train 10,000-Layer "
    "Vanilla Convolutional Neural Networks",
    authors="Xiao, Bahri, Sohl-Dickstein, Schoenholz, Pennington",
    year=2018,
    url="https://arxiv.org/abs/1806.05393",
    venue="ICML",
    tiny={"plain": {"gain": 0.5}},
)
class DeltaOrthogonal(initializers.Orthogonal):
    """Initializer of convolution kernels whose centre is orthogonal and whose rest is zero.

    A convolution with this kernel, stride 1 and ``padding="same"`` multiplies the norm of
    every input by ``gain``, also with windows of even size.

    It serves ``Conv1D`` to ``Conv3D`` without groups, which a kernel's shape does not tell:
    of ``groups``, each has but a part of the columns, whose rows are no longer orthogonal;
    transposed convolutions store ``(*window, channels_out, channels_in)``, and keep norms
    with it only where both are equal.

    Args:
        gain: Factor of every norm; about 1.025 for tanh on the critical line with small
            biases, ``sqrt(2)`` for ReLU.
        seed: An integer (each call draws the same kernel) or a
            ``keras.random.SeedGenerator`` (each call draws another).

    Raises:
        ValueError: When called for another shape than ``(*window, channels_in,
            channels_out)`` of a 1-D, 2-D or 3-D convolution, or for one that narrows:
            fewer outputs than inputs cannot keep every norm.

    Example:

    >>> kernel = DeltaOrthogonal(seed=0)((3, 3, 4, 8))
    >>> float(keras.ops.round(keras.ops.sum(kernel[1, 1] ** 2)))  # four orthonormal rows
    4.0
    >>> float(keras.ops.sum(kernel[0] ** 2))
    0.0
    """

    def __init__(self, gain: float = 1.0, seed: int | keras.random.SeedGenerator | None = None):
        super().__init__(gain=gain, seed=seed)

    def __call__(self, shape: Sequence[int], dtype: str | None = None):
        *window, inputs, outputs = _checked(shape)
        dtype = dtype or keras.config.floatx()
        centre = super().__call__((inputs, outputs), dtype=_precise(dtype))
        return ops.cast(_zeros_around(centre, window), dtype)

    def stack(self, depth: int, shape: Sequence[int], dtype: str | None = None) -> Any:
        """Draw many kernels at once: ``(depth, *shape)``, each independent of the others."""
        *window, inputs, outputs = _checked(shape)
        dtype = dtype or keras.config.floatx()
        normal = keras.random.normal(
            (depth, outputs, inputs), dtype=_precise(dtype), seed=self.seed
        )
        columns, r = ops.qr(normal)
        columns = columns * ops.sign(ops.diagonal(r, axis1=-2, axis2=-1))[:, None]
        centre = self.gain * ops.transpose(columns, (0, 2, 1))
        return ops.cast(_zeros_around(centre, window), dtype)


def _checked(shape):
    if len(shape) not in (3, 4, 5) or shape[-2] > shape[-1]:
        expected = (
            "(*window, channels_in, channels_out) of a 1-D, 2-D or 3-D convolution "
            "with channels_in <= channels_out"
        )
        raise invalid("shape", expected, tuple(shape))
    return shape


def _precise(dtype):
    return dtype if dtype == "float64" else "float32"  # half precision has no QR


def _zeros_around(centre, window):
    """``(..., inputs, outputs) -> (..., *window, inputs, outputs)``."""
    *stack, inputs, outputs = centre.shape
    centre = ops.reshape(centre, (*stack, *(1 for _ in window), inputs, outputs))
    before = [(size - 1) // 2 for size in window]  # what padding="same" calls the centre
    around = [(first, size - 1 - first) for first, size in zip(before, window, strict=True)]
    return ops.pad(centre, [*((0, 0) for _ in stack), *around, (0, 0), (0, 0)])
