"""The critical line: by another quadrature, and by drawing."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq

from keras_arch.initializers import critical_variance


def mean(f):
    """Of ``f(z)`` for a standard normal ``z``, by adaptive quadrature."""
    return quad(lambda z: np.exp(-z * z / 2) / np.sqrt(2 * np.pi) * f(z), -10, 10)[0]


@pytest.mark.parametrize(
    ("bias_variance", "expected"), [(2e-5, 1.0499), (2.5e-3, 1.2601), (0.05, 1.7610)]
)
def test_tanh(bias_variance, expected):
    found = critical_variance("tanh", bias_variance)
    assert found == pytest.approx(expected, abs=1e-4)
    # Where q stays what it is, a small difference does so too.
    q = brentq(
        lambda q: found * mean(lambda z: np.tanh(np.sqrt(q) * z) ** 2) + bias_variance - q, 1e-6, 10
    )
    assert found * mean(lambda z: np.cosh(np.sqrt(q) * z) ** -4) == pytest.approx(1, abs=1e-6)


def test_a_wide_random_network_keeps_small_differences():
    rng = np.random.default_rng(0)
    width, depth, bias_variance = 1000, 30, 0.05

    def growth(variance):
        x = np.sqrt(0.57) * rng.normal(size=width)
        other = x + 1e-6 * rng.normal(size=width)
        start = np.linalg.norm(other - x)
        for _ in range(depth):
            kernel = np.sqrt(variance / width) * rng.normal(size=(width, width))
            bias = np.sqrt(bias_variance) * rng.normal(size=width)
            x, other = (kernel @ np.tanh(h) + bias for h in (x, other))
        return (np.linalg.norm(other - x) / start) ** (2 / depth)

    critical = critical_variance("tanh", bias_variance)
    assert growth(critical) == pytest.approx(1, abs=0.03)
    assert growth(0.8 * critical) < 0.93
    assert growth(1.25 * critical) > 1.07


def test_without_biases():
    assert critical_variance("relu") == pytest.approx(2, abs=1e-9)
    assert critical_variance("linear") == pytest.approx(1, abs=1e-9)
    assert critical_variance("tanh") == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize(
    ("activation", "bias_variance", "argument"),
    [("other", 0, "activation"), ("relu", 0.1, "bias_variance"), ("tanh", -1, "bias_variance")],
)
def test_what_is_not_critical_is_refused(activation, bias_variance, argument):
    with pytest.raises(ValueError, match=f"`{argument}`"):
        critical_variance(activation, bias_variance)
