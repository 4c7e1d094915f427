"""What every law of variance over fan-in has: the fan-in of a shape, and what has none."""

import math
from collections.abc import Sequence

import keras
from keras import initializers

from keras_arch.errors import invalid


class FanInScaling(initializers.VarianceScaling):
    """``VarianceScaling`` by fan-in, which refuses shapes that have none.

    Args:
        scale: Variance of a weight, times the fan-in.
        distribution: ``"uniform"`` or ``"untruncated_normal"``.
        seed: An integer (each call draws the same numbers) or a
            ``keras.random.SeedGenerator`` (each call draws others).
        input_axes: Axes of the kernel that a unit sums over, where these are not all but
            the last: ``(0, 1)`` for ``DepthwiseConv2D``, ``(0, 1, 3)`` for
            ``Conv2DTranspose`` of stride 1.
        output_axes: The axes of its units, given together with ``input_axes``.

    Raises:
        ValueError: If one of the axes is given without the other; when called for a
            vector, such as biases are, or for a shape that lacks one of the axes.
    """

    def __init__(
        self,
        scale: float,
        distribution: str,
        seed: int | keras.random.SeedGenerator | None,
        input_axes: Sequence[int] | None,
        output_axes: Sequence[int] | None,
    ):
        if (input_axes is None) != (output_axes is None):  # Keras would ignore both
            raise invalid("output_axes", "axes together with `input_axes`", output_axes)
        super().__init__(scale, "fan_in", distribution, seed, input_axes, output_axes)

    def __call__(self, shape: Sequence[int], dtype: str | None = None):
        if len(shape) < 2:
            expected = "a kernel's, (..., channels_in, channels_out): a bias has no fan-in"
            raise invalid("shape", expected, tuple(shape))
        axes = (*(self.input_axes or ()), *(self.output_axes or ()))
        if not all(-len(shape) <= axis < len(shape) for axis in axes):
            raise invalid("shape", f"one that has the axes {axes}", tuple(shape))
        return super().__call__(shape, dtype)

    def fan_in(self, shape: Sequence[int]) -> int:
        """How many weights each unit sums over; of an empty kernel 1, as Keras counts."""
        axes = range(len(shape) - 1) if self.input_axes is None else self.input_axes
        return max(1, math.prod(shape[axis] for axis in axes))

    def get_config(self):
        config = super().get_config()
        return {key: config[key] for key in ("seed", "input_axes", "output_axes")}
