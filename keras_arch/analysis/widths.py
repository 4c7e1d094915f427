"""Hanin's law: gradients of random ReLU networks differ by the sum of one over the widths.

Hanin. Which Neural Net Architectures Give Rise to Exploding and Vanishing Gradients?
NeurIPS 2018. https://arxiv.org/abs/1801.03744

    E[J]   = 0
    E[J^2] = 1 / n0
    E[J^4] = 6 / n0^2 * (1 + 5/n1) ... (1 + 5/n_{d-1})     ~ exp(5 sum of 1/n_l)

for an entry J of the input-output Jacobian of a dense network of inputs n0, hidden widths n1
to n_{d-1} and outputs n_d, each followed by ReLU, with Gaussian kernels of variance 2 over
the fan-in. (Of n Gaussians, each on with odds of half, the square of the sum of squares has
the mean 3n/2 + n(n-1)/4 = n^2/4 (1 + 5/n).) With linear outputs both moments double.
The mean never vanishes or explodes, yet where the sum is large one network in many has
nearly all of the gradient: depth must be paid with width, and one thin layer ruins it.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import keras

from keras_arch.errors import invalid


class Widths(NamedTuple):
    """What the widths of a ReLU network mean for its gradients, and in words.

    Attributes:
        hanin_sum: Sum of one over the hidden widths.
        second: Mean square of an entry of the Jacobian.
        fourth: Mean of its fourth power.
        spread: ``fourth / (6 second**2)``, 1 in networks that are infinitely wide.
        thinnest: The layer of which the sum has the largest part, counted from 1; 0 where
            nothing is hidden.
        verdict: The same in words.
    """

    hanin_sum: float
    second: float
    fourth: float
    spread: float
    thinnest: int
    verdict: str


def check_widths(units: Sequence[int]) -> Widths:
    """Predict how much the gradients of a dense ReLU network differ from draw to draw.

    Args:
        units: Inputs, hidden widths, outputs: ``(n0, n1, ..., nd)``.

    Returns:
        ``Widths``.

    Raises:
        ValueError: If there are not at least inputs and outputs, or one is not positive.

    Example:

    >>> found = check_widths((10, 20, 20, 20, 20, 20, 1))
    >>> round(found.fourth * 10**2, 2), found.hanin_sum
    (18.31, 0.25)
    >>> check_widths((10, 100, 100, 2, 100, 100, 1)).verdict
    'Layer 3, of 2 units, makes 93 % of a sum of 0.54: widen it.'
    """
    if len(units) < 2 or min(units) < 1:
        raise invalid("units", "positive sizes of inputs, hidden layers and outputs", units)
    inputs, *hidden, _ = units
    total = math.fsum(1 / width for width in hidden)
    second = 1 / inputs
    spread = math.prod(1 + 5 / width for width in hidden)
    thinnest = hidden.index(min(hidden)) + 1 if hidden else 0
    if total <= 0.2:
        verdict = f"The sum is {total:.2g}: gradients are much the same in every draw."
    elif 1 / hidden[thinnest - 1] > total / 2:
        share = round(100 / hidden[thinnest - 1] / total)
        verdict = (
            f"Layer {thinnest}, of {hidden[thinnest - 1]} units, makes {share} % of a sum of "
            f"{total:.2g}: widen it."
        )
    else:
        verdict = (
            f"The sum is {total:.2g}: the fourth moment of gradients is {spread:.2g} times that "
            f"of a wide network. Widths of {math.ceil(len(hidden) / 0.2)} would do."
        )
    return Widths(total, second, 6 * second**2 * spread, spread, thinnest, verdict)


def hanin_sum(model: keras.Model) -> float:
    """Return the sum of one over the widths of all layers with kernels but the last.

    Args:
        model: A built model; what the width of a layer is, ``hidden_widths`` says.

    Raises:
        ValueError: If no layer has a kernel.

    Example:

    >>> inputs = keras.Input((10,))
    >>> x = keras.layers.Dense(20)(keras.layers.Dense(20)(inputs))
    >>> hanin_sum(keras.Model(inputs, keras.layers.Dense(1)(x)))
    0.1
    """
    return math.fsum(1 / width for width in hidden_widths(model))


def hidden_widths(model: keras.Model) -> list[int]:
    """Return the widths of all layers with kernels but the last.

    The width of a dense layer is its units, of a convolution its channels, of a depthwise
    one all that it gives, of a recurrent one its units. Order is that of the weights.

    Args:
        model: A built model.

    Raises:
        ValueError: If no layer has a kernel.
    """
    widths = []
    for layer in model._flatten_layers():
        kernel = getattr(layer, "pointwise_kernel", getattr(layer, "kernel", None))
        if kernel is None or len(kernel.shape) < 2:
            continue
        if isinstance(layer, keras.layers.DepthwiseConv1D | keras.layers.DepthwiseConv2D):
            widths.append(kernel.shape[-2] * kernel.shape[-1])
        else:
            widths.append(getattr(layer, "units", None) or kernel.shape[-1])
    if not widths:
        raise invalid("model", "one with kernels", model)
    return widths[:-1]
