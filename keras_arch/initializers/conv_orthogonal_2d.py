"""Orthogonal convolutions whose every tap is at work: norms are kept, at any depth.

Xiao, Bahri, Sohl-Dickstein, Schoenholz, Pennington. Dynamical Isometry and a Mean Field
Theory of CNNs: How to Train 10,000-Layer Vanilla Convolutional Neural Networks.
ICML 2018. https://arxiv.org/abs/1806.05393 (algorithm 1)

    H * [P1, 1-P1]^T [Q1, 1-Q1] * [P2, 1-P2]^T [Q2, 1-Q2] * ...

A projection ``P`` of random rank, on one pixel, and what it leaves over, on the pixel
beside: together they keep the norm. A window of ``k`` by ``k`` takes ``k - 1`` such pairs
along each axis, and one matrix ``H`` with orthonormal rows.
"""

from collections.abc import Sequence

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
    reference="tensorflow",
    tiny={"plain": {"gain": 0.5}},
)
class ConvOrthogonal2D(initializers.Orthogonal):
    """Initializer of 2-D convolutions that multiply every norm by ``gain``.

    Exactly so under circular padding and stride 1; zeros around an image lose what leaves
    it. ``DeltaOrthogonal`` is exact there too, but begins with the centre tap alone.

    It serves ``Conv2D`` without groups, which a kernel's shape does not tell: of ``groups``,
    each has but a part of the columns, whose rows are no longer orthogonal; a transposed
    convolution stores its channels the other way round, and keeps norms with it only where
    there are as many on both sides.

    Args:
        gain: Factor of every norm.
        seed: An integer (each call draws the same kernel) or a
            ``keras.random.SeedGenerator`` (each call draws another).

    Raises:
        ValueError: When called for another shape than ``(k, k, channels_in, channels_out)``,
            or for one that narrows: fewer outputs than inputs cannot keep every norm.

    Example:

    >>> kernel = ConvOrthogonal2D(seed=0)((3, 3, 4, 8))
    >>> float(keras.ops.round(keras.ops.sum(kernel**2), 4))  # of four inputs
    4.0
    """

    def __init__(self, gain: float = 1.0, seed: int | keras.random.SeedGenerator | None = None):
        super().__init__(gain=gain, seed=seed)

    def __call__(self, shape: Sequence[int], dtype: str | None = None):
        if len(shape) != 4 or shape[0] != shape[1] or shape[2] > shape[3]:
            expected = (
                "(k, k, channels_in, channels_out) of a 2-D convolution "
                "with channels_in <= channels_out"
            )
            raise invalid("shape", expected, tuple(shape))
        size, _, inputs, outputs = shape
        dtype = dtype or keras.config.floatx()
        precise = dtype if dtype == "float64" else "float32"  # half precision has no QR
        # One draw for everything, since a seed that is an integer repeats itself.
        drawn = keras.random.normal(
            (2 * size - 1, outputs, outputs + 1), dtype=precise, seed=self.seed
        )
        q, r = ops.qr(drawn[..., :-1])
        signs = ops.sign(ops.diagonal(r, axis1=-2, axis2=-1))
        q = q * signs[:, None, :]  # uniform over orthogonal matrices
        chosen = q[1:] * ops.cast(drawn[1:, None, :, -1] > 0, precise)  # each with odds of half
        projections = ops.matmul(chosen, ops.transpose(chosen, (0, 2, 1)))
        kernel = ops.reshape(q[0, :inputs], (1, 1, inputs, outputs))
        for index, projection in enumerate(ops.unstack(projections, 2 * size - 2)):
            axis = index % 2
            after = [(0, 0)] * 4
            before = [(0, 0)] * 4
            after[axis], before[axis] = (0, 1), (1, 0)
            kept = ops.matmul(kernel, projection)
            kernel = ops.pad(kept, after) + ops.pad(kernel - kept, before)
        return ops.cast(self.gain * kernel, dtype)
