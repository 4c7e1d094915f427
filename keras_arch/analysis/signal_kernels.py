"""Which law a kernel may have been drawn from: by its variance, its shape and its rows.

    variance * fan-in:   He 2, LeCun 1, the older U(1/sqrt(fan-in)) 1/3
    variance * (fan-in + fan-out):   Glorot 2

The kurtosis tells a uniform law (1.8) from a truncated normal (2.37) and a normal one (3).
"""

import math
from typing import NamedTuple

import keras
import numpy as np
from keras import layers, ops

SHAPES = {"uniform": 1.8, "truncated normal": 2.3656, "normal": 3.0}
ENOUGH = 500  # numbers, to tell the shape of a law


class KernelLaw(NamedTuple):
    """What one kernel looks like.

    Attributes:
        name: Of the variable: ``"kernel"``, ``"recurrent_kernel"``, ...
        fan_in: Numbers that a unit sums; 0 where it sums none, as in an embedding.
        fan_out: Units that a number goes to.
        variance: Mean square of the weights.
        scale: The same times the fan-in: what a linear layer makes of a mean square.
        law: The law that fits, in words.
    """

    name: str
    fan_in: int
    fan_out: int
    variance: float
    scale: float
    law: str


def kernel_law(layer: keras.layers.Layer, variable: keras.Variable) -> KernelLaw:
    """Describe a kernel of a layer."""
    w = ops.convert_to_numpy(ops.cast(variable.value, "float32")).astype("float64")
    fan_in, fan_out = fans(layer, variable)
    square = float((w**2).mean())
    if not np.isfinite(square):
        law = "not finite"
    elif (exact := _exact(layer, variable, w)) is not None:
        law = exact
    else:
        law = _drawn(w, square, fan_in, fan_out)
    return KernelLaw(variable.name, fan_in, fan_out, square, square * fan_in, law)


def fans(layer: keras.layers.Layer, variable: keras.Variable) -> tuple[int, int]:
    """Numbers that a unit sums, and units that a number goes to, for one place of an image."""
    shape = tuple(variable.shape)
    if variable.name.startswith("stacked_"):
        shape = shape[1:]
    if isinstance(layer, layers.Embedding):
        return 0, 0
    if isinstance(layer, layers.EinsumDense):
        kernel = layer.equation.split("->")[0].split(",")[1]
        output = layer.equation.split("->")[1]
        sizes = dict(zip(kernel, shape, strict=True))
        summed = math.prod(size for letter, size in sizes.items() if letter not in output)
        return summed, math.prod(shape) // summed
    *window, inputs, outputs = shape
    places = math.prod(window)
    if is_depthwise(layer, variable):
        return places, places * outputs
    if isinstance(layer, layers.Conv1DTranspose | layers.Conv2DTranspose | layers.Conv3DTranspose):
        inputs, outputs = outputs, inputs  # the window stands the other way round
    return places * inputs, places * outputs


def is_depthwise(layer: keras.layers.Layer, variable: keras.Variable) -> bool:
    """Whether each channel has a window of its own."""
    depthwise = layers.DepthwiseConv1D | layers.DepthwiseConv2D
    return isinstance(layer, depthwise) or variable.name == "depthwise_kernel"


def _exact(layer, variable, w):
    """A law of which every draw is told apart from all others, or ``None``."""
    if not w.any():
        return "zeros"
    if np.ptp(w) == 0:
        return f"constant {w.flat[0]:.3g}"
    *window, inputs, outputs = w.shape
    if min(inputs, outputs) < 2 or len(window) > 3 or is_depthwise(layer, variable):
        return None
    centre = w[tuple((size - 1) // 2 for size in window)]
    around = math.isclose((centre**2).sum(), (w**2).sum(), rel_tol=1e-9)
    if window and around:
        if np.array_equal(centre, np.eye(inputs, outputs)):
            return "Dirac"
        gain = _isometry(centre)
        return None if gain is None else f"delta-orthogonal{_times(gain)}"
    if not window and np.array_equal(w, np.eye(*w.shape)):
        return "identity"
    gain = _isometry(w.reshape(-1, outputs))
    return None if gain is None else f"orthogonal{_times(gain)}"


def _isometry(matrix):
    """The one singular value of a matrix, or ``None`` where there are several."""
    gram = matrix @ matrix.T if len(matrix) < matrix.shape[1] else matrix.T @ matrix
    square = np.trace(gram) / len(gram)
    off = np.abs(gram - square * np.eye(len(gram))).max()
    return math.sqrt(square) if off < 1e-4 * square else None


def _times(gain):
    return "" if abs(gain - 1) < 1e-3 else f", gain {gain:.3g}"


def _drawn(w, square, fan_in, fan_out):
    """The random laws of the same variance and shape."""
    kurtosis = float((w**4).mean()) / square**2
    shape = min(SHAPES, key=lambda name: abs(SHAPES[name] - kurtosis)) if w.size >= ENOUGH else ""
    tolerance = min(max(4 * math.sqrt((kurtosis - 1) / w.size), 0.02), 0.3)
    inputs, outputs = w.shape[-2:]
    window = math.prod(w.shape[:-2])
    counted = {"": (fan_in, fan_out), "by Keras's fans": (window * inputs, window * outputs)}
    for whose, (n_in, n_out) in counted.items() if fan_in else [("", (0, 0))]:
        fitting = {
            name if only else f"{name} {shape}".rstrip(): abs(math.log(square / variance))
            for name, (variance, only) in _variances(n_in, n_out).items()
            if abs(math.log(square / variance)) < tolerance and only in ("", shape)
        }
        if fitting:
            return f"{' or '.join(sorted(fitting, key=fitting.__getitem__))} {whose}".rstrip()
    return f"{square * fan_in:.3g} / fan-in" if fan_in else f"variance {square:.2g}"


def _variances(fan_in: int, fan_out: int) -> dict[str, tuple[float, str]]:
    """Of each law its variance, and the only shape that it comes in, if it does."""
    constant: dict[str, tuple[float, str]] = {
        "N(0, 0.01^2)": (1e-4, "normal"),
        "N(0, 0.1^2)": (1e-2, "normal"),
        "U(0.05)": (0.05**2 / 3, "uniform"),
        "U(0.08)": (0.08**2 / 3, "uniform"),
    }
    if not fan_in:
        return constant
    return {
        "He": (2 / fan_in, ""),
        "LeCun": (1 / fan_in, ""),
        "Glorot": (2 / (fan_in + fan_out), ""),
        "U(1/sqrt(fan-in))": (1 / (3 * fan_in), "uniform"),
        "U(2.4/fan-in)": (2.4**2 / (3 * fan_in**2), "uniform"),
        **constant,
    }
