"""Gains: by how much kernels must be larger for what an activation takes away.

He, Zhang, Ren, Sun. Delving Deep into Rectifiers: Surpassing Human-Level Performance on
ImageNet Classification. ICCV 2015. https://arxiv.org/abs/1502.01852

    Var(W) = gain^2 / fan_in

ReLU halves the mean square of a signal, hence the root of two.
"""

import math

from keras_arch.errors import invalid
from keras_arch.initializers.mean_field import LAWS, moments

CONVENTIONS = {  # those of torch.nn.init.calculate_gain that are not of an exact mean square
    "linear": 1.0,
    "sigmoid": 1.0,
    "tanh": 5 / 3,
    "relu": math.sqrt(2),
    "selu": 3 / 4,
}


def gain(activation: str, negative_slope: float = 0.2) -> float:
    """Return the gain of an activation, the standard deviation of kernels over their fan-in's.

    Of ``"linear"``, ``"sigmoid"``, ``"tanh"``, ``"relu"``, ``"leaky_relu"`` and ``"selu"``
    it is the one of PyTorch's table, where that of tanh is a convention. Of the others it
    is the one that keeps a mean square of 1: ``1 / sqrt(E[phi(z)^2])``.

    Args:
        activation: Name of the activation in Keras.
        negative_slope: Slope of ``"leaky_relu"`` below zero; 0.2 is that of
            ``keras.activations``, 0.01 that of PyTorch.

    Raises:
        ValueError: If the activation is not known.

    Example:

    >>> law = keras.initializers.VarianceScaling(gain("relu") ** 2, "fan_in", "uniform")
    >>> round(gain("leaky_relu", negative_slope=0.01), 4), round(gain("gelu"), 4)
    (1.4141, 1.5335)
    """
    if activation == "leaky_relu":
        return math.sqrt(2 / (1 + negative_slope**2))
    if activation in CONVENTIONS:
        return CONVENTIONS[activation]
    if activation not in LAWS:
        raise invalid("activation", f"one of {sorted(LAWS)}", activation)
    return 1 / math.sqrt(moments(activation, 1.0)[0])
