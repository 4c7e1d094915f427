"""SIREN: weights that keep the distribution of activations through layers of sines.

Sitzmann, Martel, Bergman, Lindell, Wetzstein. Implicit Neural Representations with Periodic
Activation Functions. NeurIPS 2020. https://arxiv.org/abs/2006.09661

    first layer    sin(omega0 (W x + b))    W ~ U[-1/n, 1/n]
    other layers   sin(omega0 (W x + b))    W ~ U[-sqrt(6/n)/omega0, sqrt(6/n)/omega0]

so that before each sine but the first the signal has variance 1, and behind it follows the
arcsine law. ``omega0`` is part of the network, ``sin(omega0 x)``; the first layer takes
coordinates in [-1, 1] to many periods.
"""

from collections.abc import Sequence

import keras

from keras_arch.errors import invalid
from keras_arch.initializers.fan_in_scaling import FanInScaling
from keras_arch.registry import register


@register(
    paper="Implicit Neural Representations with Periodic Activation Functions",
    authors="Sitzmann, Martel, Bergman, Lindell, Wetzstein",
    year=2020,
    url="https://arxiv.org/abs/2006.09661",
    venue="NeurIPS",
    tiny={"plain": {}, "first": {"omega0": 10.0, "first": True}},
)
class SirenUniform(FanInScaling):
    """Uniform law of kernels before ``sin(omega0 x)``.

    Args:
        omega0: Frequency of the sines.
        first: Whether the layer is the first, which reads coordinates.
        seed: An integer (each call draws the same kernel) or a
            ``keras.random.SeedGenerator`` (each call draws another).
        input_axes: Axes of the kernel that a unit sums over, where these are not all but
            the last: ``(0, 1)`` for ``DepthwiseConv2D``, whose units see one channel,
            ``(0, 1, 3)`` for ``Conv2DTranspose`` of stride 1, whose channels stand the
            other way round. A kernel's shape tells neither.
        output_axes: The axes of its units, given together with ``input_axes``: ``(3,)``,
            and ``(2,)``.

    Raises:
        ValueError: If ``omega0`` is not positive, or one of the axes is given without the
            other; when
            called for a vector, or a shape that lacks one of the axes.

    Example:

    >>> kernel = SirenUniform(omega0=30.0, seed=0)((6, 256))
    >>> bool(keras.ops.max(keras.ops.abs(kernel)) <= 1 / 30)
    True
    """

    def __init__(
        self,
        omega0: float = 30.0,
        first: bool = False,
        seed: int | keras.random.SeedGenerator | None = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ):
        if omega0 <= 0:
            raise invalid("omega0", "a positive frequency", omega0)
        super().__init__(2 / omega0**2, "uniform", seed, input_axes, output_axes)
        self.omega0 = omega0
        self.first = first

    def __call__(self, shape: Sequence[int], dtype: str | None = None):
        kernel = super().__call__(shape, dtype)
        # From sqrt(6 / n) / omega0 to 1 / n.
        return kernel * (self.omega0 / (6 * self.fan_in(shape)) ** 0.5) if self.first else kernel

    def get_config(self):
        return {"omega0": self.omega0, "first": self.first, **super().get_config()}
