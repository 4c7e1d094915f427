"""The heuristic uniform law: each weight within one over the root of the fan-in.

Glorot, Bengio. Understanding the Difficulty of Training Deep Feedforward Neural Networks.
AISTATS 2010. https://proceedings.mlr.press/v9/glorot10a.html

    U[-1/sqrt(n), 1/sqrt(n)]   has variance 1/(3n):  a linear layer keeps a third of a signal

It is equation 1 of the paper, the habit that its own law (equation 16, ``GlorotUniform``)
replaces; it is not the law ``N(0, 1/n)`` (``LecunNormal``), whose variance is three times
as large. PyTorch draws the kernels of linear layers and convolutions from it.
"""

from collections.abc import Sequence

import keras

from keras_arch.initializers.fan_in_scaling import FanInScaling
from keras_arch.registry import register


@register(
    paper="Understanding the Difficulty of Training Deep Feedforward Neural Networks",
    authors="Glorot, Bengio",
    year=2010,
    url="https://proceedings.mlr.press/v9/glorot10a.html",
    venue="AISTATS",
    reference="torch",
    tiny={"plain": {}, "depthwise": {"input_axes": (0, 1), "output_axes": (3,)}},
)
class FanInUniform(FanInScaling):
    """Uniform within ``1 / sqrt(fan_in)``, of variance ``1 / (3 fan_in)``.

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

    >>> kernel = FanInUniform(seed=0)((100, 50))
    >>> bool(keras.ops.max(keras.ops.abs(kernel)) <= 0.1)
    True
    """

    def __init__(
        self,
        seed: int | keras.random.SeedGenerator | None = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ):
        super().__init__(1 / 3, "uniform", seed, input_axes, output_axes)
