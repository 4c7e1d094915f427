"""What random weights do to signals in a very wide and deep network, by quadrature.

Schoenholz, Gilmer, Ganguli, Sohl-Dickstein. Deep Information Propagation.
ICLR 2017. https://arxiv.org/abs/1611.01232

    q <- s E[phi(u)^2] + b                      variance of pre-activations, u ~ N(0, q)
    c <- (s E[phi(u1) phi(u2)] + b) / q         correlation of two inputs
    chi = s E[phi'(u1) phi'(u2)]                what a layer makes of a small difference

for kernels of variance ``s`` over the fan-in and biases of variance ``b``. Below ``chi = 1``
all inputs become one (order), above it like inputs become unlike (chaos), either within a
few ``depth_scale`` layers; on the line between them information passes to any depth.
"""

import dataclasses
import functools
import math
from collections.abc import Callable

import numpy as np

from keras_arch.errors import invalid

LAWS: dict[str, Callable[[np.ndarray], np.ndarray]] = {  # as keras.activations has them
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0.0),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.2 * x),
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0.0))),
    "selu": lambda x: (
        1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(np.minimum(x, 0.0)))
    ),
    "gelu": lambda x: x * 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2))),
    "silu": lambda x: x * (1 + np.tanh(x / 2)) / 2,
    "sigmoid": lambda x: (1 + np.tanh(x / 2)) / 2,  # its exponential overflows
    "softplus": lambda x: np.logaddexp(x, 0.0),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "tanh": np.tanh,
    "lecun_tanh": lambda x: 1.7159 * np.tanh(2 / 3 * x),
}
STEP = 1e-4  # of a difference quotient, in standard deviations of u


def law(activation: str) -> Callable[[np.ndarray], np.ndarray]:
    """An activation by its name in Keras, on float64 arrays."""
    if activation not in LAWS:
        raise invalid("activation", f"one of {sorted(LAWS)}", activation)
    return LAWS[activation]


def slope(activation: str, x: np.ndarray, scale: float) -> np.ndarray:
    """The derivative of an activation where its argument varies by about ``scale``."""
    phi, step = law(activation), STEP * scale
    return (phi(x + step) - phi(x - step)) / (2 * step)


def normal(nodes: int = 4800) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of an expectation over N(0, 1), with no node on the kink of ReLU."""
    z = np.linspace(-12.0, 12.0, nodes)
    density = np.exp(-(z**2) / 2)
    return z, density / density.sum()


def moments(activation: str, variance: float) -> tuple[float, float]:
    """``E[phi(u)^2]`` and ``E[phi'(u)^2]`` for u of this variance."""
    z, weights = normal()
    u = math.sqrt(variance) * z
    squared = law(activation)(u) ** 2
    return float(weights @ squared), float(weights @ slope(activation, u, math.sqrt(variance)) ** 2)


@dataclasses.dataclass(frozen=True)
class MeanField:
    """A deep network of one activation and one Gaussian law, infinitely wide.

    Args:
        activation: Name of the activation in Keras: ``"tanh"``, ``"relu"``, ``"elu"``, ...
        kernel_variance: Variance of the kernels, times the fan-in.
        bias_variance: Variance of the biases.

    Raises:
        ValueError: If the activation is not known, or a variance is negative.

    Example:

    >>> critical = MeanField("tanh", 1.7610, 0.05)
    >>> round(critical.variance, 3), round(critical.slope, 3)
    (0.57, 1.0)
    >>> round(MeanField("tanh", 1.3, 0.05).depth_scale, 1)
    7.8
    """

    activation: str = "tanh"
    kernel_variance: float = 1.0
    bias_variance: float = 0.0

    def __post_init__(self):
        law(self.activation)
        for name in ("kernel_variance", "bias_variance"):
            if getattr(self, name) < 0:
                raise invalid(name, "no negative number", getattr(self, name))

    @functools.cached_property
    def variance(self) -> float:
        """Variance ``q`` of pre-activations deep inside: 0 or infinite where nothing holds it.

        Where every variance stays as it is, as with ReLU and ``kernel_variance=2``, it is 1.
        """

        def grows(q):
            return self.next_variance(q) / q - 1

        if abs(grows(1.0)) < 1e-6:
            return 1.0
        low, high = 1e-12, 1e12
        if grows(low) <= 0:
            return 0.0
        if grows(high) >= 0:
            return math.inf
        for _ in range(100):
            middle = math.sqrt(low * high)
            low, high = (middle, high) if grows(middle) > 0 else (low, middle)
        return math.sqrt(low * high)

    def next_variance(self, variance: float) -> float:
        """Return the variance of pre-activations, a layer after they had ``variance``."""
        squared, _ = moments(self.activation, variance)
        return self.kernel_variance * squared + self.bias_variance

    @property
    def slope(self) -> float:
        """``chi``: what a layer makes of the square of a small difference, or gradient."""
        if not 0 < self.variance < math.inf:
            at = 1e-12 if self.variance == 0 else 1e12
            return self.kernel_variance * moments(self.activation, at)[1]
        return self.kernel_variance * moments(self.activation, self.variance)[1]

    def next_correlation(self, correlation: float) -> float:
        """Return the correlation of two signals, a layer after they had ``correlation``.

        Raises:
            ValueError: If ``variance`` is 0 or infinite: signals have no correlation there.
        """
        self._refuse_degenerate()
        mean = self._together(law(self.activation), correlation)
        return (self.kernel_variance * mean + self.bias_variance) / self.variance

    @functools.cached_property
    def correlation(self) -> float:
        """Correlation of any two inputs deep inside: 1 in the ordered phase, less in chaos.

        Raises:
            ValueError: If ``variance`` is infinite.
        """
        if self.slope <= 1:
            return 1.0
        self._refuse_degenerate()
        low, high = 0.0, 1.0 - 1e-9  # the map lies above the diagonal before it, below after
        for _ in range(40):
            middle = (low + high) / 2
            low, high = (middle, high) if self.next_correlation(middle) > middle else (low, middle)
        return low

    @property
    def depth_scale(self) -> float:
        """Layers in which the difference of a correlation from its limit falls to 1/e.

        Raises:
            ValueError: If ``variance`` is infinite.
        """
        rate = self.slope
        if rate > 1:
            size = math.sqrt(self.variance)
            rate = self.kernel_variance * self._together(
                lambda u: slope(self.activation, u, size), self.correlation
            )
        return math.inf if rate >= 1 else -1 / math.log(rate)

    def _refuse_degenerate(self):
        if not 0 < self.variance < math.inf:
            expected = "one at which the variance of signals is neither 0 nor infinite"
            raise invalid("kernel_variance", expected, self.kernel_variance)

    def _together(self, function, correlation):
        """``E[f(u1) f(u2)]`` for two of variance q and this correlation."""
        z, weights = normal(240)
        size = math.sqrt(self.variance)
        second = correlation * z[:, None] + math.sqrt(1 - correlation**2) * z
        return float(weights @ (function(size * z) * (function(size * second) @ weights)))
