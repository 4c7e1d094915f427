"""Gaussian kernels on the line between order and chaos: signals pass to any depth.

Schoenholz, Gilmer, Ganguli, Sohl-Dickstein. Deep Information Propagation.
ICLR 2017. https://arxiv.org/abs/1611.01232

    W ~ N(0, s / fan_in), b ~ N(0, v),   s = critical_variance(activation, v)

The biases are ``keras.initializers.RandomNormal(stddev=v**0.5)``. For ReLU only v = 0 is
critical, with s = 2: the law of He et al.
"""

from collections.abc import Sequence

import keras

from keras_arch.initializers.critical_variance import critical_variance
from keras_arch.initializers.fan_in_scaling import FanInScaling
from keras_arch.registry import register


@register(
    paper="Deep Information Propagation",
    authors="Schoenholz, Gilmer, Ganguli, Sohl-Dickstein",
    year=2017,
    url="https://arxiv.org/abs/1611.01232",
    venue="ICLR",
    tiny={
        "plain": {"activation": "tanh", "bias_variance": 0.05},
        "depthwise": {"activation": "relu", "input_axes": (0, 1), "output_axes": (3,)},
    },
)
class CriticalGaussian(FanInScaling):
    """Gaussian of ``critical_variance(activation, bias_variance)`` over the fan-in.

    Args:
        activation: Name of the activation in Keras: ``"tanh"``, ``"relu"``, ``"elu"``, ...
        bias_variance: Variance of the biases, which the layer draws by itself.
        seed: An integer (each call draws the same kernel) or a
            ``keras.random.SeedGenerator`` (each call draws another).
        input_axes: Axes of the kernel that a unit sums over, where these are not all but
            the last: ``(0, 1)`` for ``DepthwiseConv2D``, whose units see one channel,
            ``(0, 1, 3)`` for ``Conv2DTranspose`` of stride 1, whose channels stand the
            other way round. A kernel's shape tells neither.
        output_axes: The axes of its units, given together with ``input_axes``: ``(3,)``,
            and ``(2,)``.

    Raises:
        ValueError: If nothing is critical for the activation at that bias variance, or one
            of the axes is given without the other; when
            called for a vector, or a shape that lacks one of the axes.

    Example:

    >>> round(CriticalGaussian("tanh", bias_variance=0.05).scale, 3)
    1.761
    """

    def __init__(
        self,
        activation: str = "tanh",
        bias_variance: float = 0.0,
        seed: int | keras.random.SeedGenerator | None = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ):
        scale = critical_variance(activation, bias_variance)
        super().__init__(scale, "untruncated_normal", seed, input_axes, output_axes)
        self.activation = activation
        self.bias_variance = bias_variance

    def get_config(self):
        own = {"activation": self.activation, "bias_variance": self.bias_variance}
        return {**own, **super().get_config()}
