"""What one tensor of activations tells of a signal, and where its activation is flat."""

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import activations, layers, ops

FLAT = 0.1  # of the steepest slope: from there on an activation is saturated
FAR = 1e3  # where an activation that is bounded has ended
HALF = {  # by how much rounding once moves a number, and the smallest that is kept in full
    "float16": (2.0**-11, 2.0**-14),
    "bfloat16": (2.0**-8, 2.0**-126),
}
RECTIFIERS = (layers.ReLU, layers.LeakyReLU, layers.ELU)  # activations that are the layer itself


class Statistics(NamedTuple):
    """Of one tensor, ``(B, ..., units)``.

    Attributes:
        mean: Over everything.
        mean_square: Over everything.
        variance: Over everything.
        variation: Variance over the examples, at one place and unit; its mean.
        dead: Fraction of units that answer the same wherever and whatever they are asked.
        is_constant: Whether examples differ by no more than rounding.
    """

    mean: float
    mean_square: float
    variance: float
    variation: float
    dead: float
    is_constant: bool


def precision(dtype: str) -> tuple[float, float]:
    """How much rounding changes a number of this type, relatively, and its smallest number."""
    if dtype in HALF:  # sums in single precision, and rounds the sum
        return HALF[dtype]
    info = np.finfo(dtype)
    return 4 * float(info.eps), float(info.tiny)


def statistics(tensor: Any) -> Statistics:
    """Measure a tensor of a batch."""
    dtype = keras.backend.standardize_dtype(tensor.dtype)
    x = ops.convert_to_numpy(ops.cast(tensor, "float32") if dtype in HALF else tensor)
    x = x.reshape(len(x), 1) if x.ndim == 1 else x
    rounding, _ = precision(dtype)
    with np.errstate(all="ignore"):  # what overflows is to be seen
        mean = float(np.mean(x, dtype="float64"))
        variance = float(np.var(x, dtype="float64"))
        variation = float(np.var(x, axis=0, dtype="float64").mean())
        units = x.reshape(-1, x.shape[-1])
        low, high = units.min(axis=0), units.max(axis=0)
        # Not above: NaN differs from nothing, and is no answer. A range is some four deviations.
        dead = ~(high - low > 4 * rounding * np.maximum(np.abs(low), np.abs(high)))
        square = variance + mean**2
        constant = not variation > rounding**2 * square
    return Statistics(mean, square, variance, variation, float(dead.mean()), constant)


class Slope:
    """Where an activation is flat: its slope is less than a tenth of its steepest.

    Args:
        phi: A function of single numbers, such as ``keras.activations.tanh``.

    Attributes:
        elementwise: Whether it is one; softmax is not, and has none of the others.
        steepest: Its largest slope.
        bounded: Whether it is flat at both ends, as tanh is.
    """

    def __init__(self, phi: Callable) -> None:
        self.phi = phi
        try:
            found = np.array(phi(ops.convert_to_tensor([[1.0, -2.0], [1.0, 3.0]])))
            self.elementwise = found.shape == (2, 2) and bool(np.isclose(*found[:, 0]))
        except Exception:  # anybody's function, and of other shapes than these
            self.elementwise = False
        if self.elementwise:
            self.steepest = float(self(np.linspace(-8.0, 8.0, 3201)).max())
            self.bounded = bool(np.all(self(np.array([-FAR, FAR])) < 1e-6))

    def __call__(self, z: Any) -> np.ndarray:
        """Return the absolute slope at each element."""
        z = ops.cast(z, "float32")
        step = 1e-3 * ops.maximum(ops.abs(z), 1.0)
        rise = ops.cast(self.phi(z + step) - self.phi(z - step), "float32")
        return np.abs(ops.convert_to_numpy(rise / (2 * step)))

    def flat(self, z: Any) -> float:
        """Return the fraction of elements at which it is flat."""
        return float(np.mean(~(self(z) >= FLAT * self.steepest)))


def activations_of(layer: keras.layers.Layer) -> dict[str, Callable]:
    """The activations that a layer calls itself, by attribute; not those that are layers."""
    own = {name: vars(layer).get(name) for name in ("activation", "recurrent_activation")}
    return {
        name: phi
        for name, phi in own.items()
        if callable(phi) and not isinstance(phi, layers.Layer) and phi is not activations.linear
    }
