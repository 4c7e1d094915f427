"""LeNet's law: each weight within 2.4 over the fan-in.

LeCun, Bottou, Bengio, Haffner. Gradient-Based Learning Applied to Document Recognition.
Proceedings of the IEEE 1998. http://yann.lecun.com/exdb/publis/pdf/lecun-98.pdf

    U[-2.4/n, 2.4/n]   has variance 1.92/n^2:  a linear layer keeps 1.92/n of a signal

Over the fan-in and not over its root: the larger a layer, the further it starts below the
saturation of its units.
"""

from collections.abc import Sequence

import keras

from keras_arch.initializers.fan_in_scaling import FanInScaling
from keras_arch.registry import register

BOUND = 2.4


@register(
    paper="Gradient-Based Learning Applied to Document Recognition",
    authors="LeCun, Bottou, Bengio, Haffner",
    year=1998,
    url="http://yann.lecun.com/exdb/publis/pdf/lecun-98.pdf",
    journal="Proceedings of the IEEE",
    tiny={"plain": {}, "depthwise": {"input_axes": (0, 1), "output_axes": (3,)}},
)
class LeNetUniform(FanInScaling):
    """Uniform within ``2.4 / fan_in``.

    Args:
        seed: An integer (each call draws the same kernel) or a
            ``keras.random.SeedGenerator`` (each call draws another).
        input_axes: Axes of the kernel that a unit sums over, where these are not all but
            the last: ``(0, 1)`` for ``DepthwiseConv2D``, whose units see one channel,
            ``(0, 1, 3)`` for ``Conv2DTranspose`` of stride 1, whose channels stand the
            other way round. A kernel's shape tells neither.
        output_axes: The axes of its units, given together with ``input_axes``: ``(3,)``,
            and ``(2,)``.

    Raises:
        ValueError: If one of the axes is given without the other; when
            called for a vector, or a shape that lacks one of the axes.

    Example:

    >>> kernel = LeNetUniform(seed=0)((5, 5, 1, 6))  # the first convolution, of 25 inputs
    >>> bool(keras.ops.max(keras.ops.abs(kernel)) <= 2.4 / 25)
    True
    """

    def __init__(
        self,
        seed: int | keras.random.SeedGenerator | None = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ):
        super().__init__(1.0, "uniform", seed, input_axes, output_axes)

    def __call__(self, shape: Sequence[int], dtype: str | None = None):
        kernel = super().__call__(shape, dtype)  # within sqrt(3 / fan_in)
        return kernel * (BOUND / (3 * self.fan_in(shape)) ** 0.5)
