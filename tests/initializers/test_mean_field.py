"""The critical line, against published pairs, scipy's integrals and networks of finite width."""

import math

import keras
import numpy as np
import pytest
from scipy import integrate, stats

from keras_arch.initializers import MeanField, critical_variance, gain
from keras_arch.initializers.mean_field import LAWS


def expectation(function):
    return integrate.quad(lambda z: stats.norm.pdf(z) * function(z), -12, 12, limit=400)[0]


@pytest.mark.parametrize(
    ("bias_variance", "expected"), [(0.05, 1.7610), (2.5e-3, 1.2601), (2e-5, 1.0499), (0, 1.0)]
)
def test_pairs_of_tanh(bias_variance, expected):
    assert critical_variance("tanh", bias_variance) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("activation", ["tanh", "elu", "selu", "softsign"])
def test_scipy_finds_the_pair_critical(activation):
    kernel_variance, phi = critical_variance(activation, 0.04), LAWS[activation]
    q = MeanField(activation, kernel_variance, 0.04).variance

    def slope(u):
        return (phi(np.array(u + 1e-6)) - phi(np.array(u - 1e-6))) / 2e-6

    squared = expectation(lambda z: phi(np.array(q**0.5 * z)) ** 2)
    assert kernel_variance * squared + 0.04 == pytest.approx(q, rel=1e-6)
    assert kernel_variance * expectation(lambda z: slope(q**0.5 * z) ** 2) == pytest.approx(
        1, rel=1e-5
    )


@pytest.mark.parametrize(("activation", "expected"), [("relu", 2), ("linear", 1), ("elu", 1)])
def test_without_biases(activation, expected):
    assert critical_variance(activation) == pytest.approx(expected, rel=1e-5)


def test_leaky_relu_is_hes_law():
    assert critical_variance("leaky_relu") == pytest.approx(gain("leaky_relu") ** 2, rel=1e-9)


@pytest.mark.parametrize("activation", ["relu", "linear", "leaky_relu", "softplus", "silu", "gelu"])
def test_where_nothing_is_critical(activation):
    with pytest.raises(ValueError, match=f"`bias_variance`.*{activation} has a critical"):
        critical_variance(activation, 0.1)


def test_a_critical_point_that_pushes_away_is_none():
    """Of GELU: where a difference stays, a variance that is a little larger grows."""
    field = MeanField("gelu", 4.0)  # critical at q = 0, where its slope is 1/2
    assert field.next_variance(1e-4) > 1e-4
    assert field.variance == math.inf
    with pytest.raises(ValueError, match="that is stable"):
        critical_variance("gelu")


def test_bad_arguments():
    with pytest.raises(ValueError, match="`bias_variance`"):
        critical_variance("tanh", -0.1)
    with pytest.raises(ValueError, match=r"`activation`.*'gelu'"):
        MeanField("swosh")
    with pytest.raises(ValueError, match="`kernel_variance`"):
        MeanField("tanh", -1.0)


@pytest.mark.parametrize("activation", sorted(set(LAWS) - {"lecun_tanh"}))
def test_activations_are_those_of_keras(activation):
    x = np.linspace(-5, 5, 101)
    theirs = keras.ops.convert_to_numpy(keras.activations.get(activation)(x.astype("float32")))
    np.testing.assert_allclose(LAWS[activation](x), theirs, atol=2e-6)


def test_the_variance_is_a_fixed_point_of_scipys_integral():
    field = MeanField("tanh", 1.7610, 0.05)
    q = field.variance
    assert q == pytest.approx(0.5700, abs=2e-4)
    again = 1.7610 * expectation(lambda z: math.tanh(math.sqrt(q) * z) ** 2) + 0.05
    assert q == pytest.approx(again, rel=1e-8)
    slope = 1.7610 * expectation(lambda z: math.cosh(math.sqrt(q) * z) ** -4)
    assert field.slope == pytest.approx(slope, rel=1e-7)
    assert field.slope == pytest.approx(1, abs=1e-3)


def test_edges():
    assert MeanField("tanh", 0.5).variance == 0
    assert MeanField("tanh", 0.5).slope == pytest.approx(0.5)
    assert MeanField("relu", 2.5).variance == math.inf
    assert MeanField("relu", 2.5).slope == pytest.approx(1.25)
    assert MeanField("relu", 2.0).variance == 1
    assert MeanField("relu", 2.0).depth_scale > 1e6


def test_signals_that_vanish_or_explode_have_no_correlation():
    for field in (MeanField("tanh", 0.5, 0.0), MeanField("relu", 3.0, 0.0)):
        with pytest.raises(ValueError, match=r"`kernel_variance`.*neither 0 nor infinite"):
            field.next_correlation(0.5)
    for name in ("correlation", "depth_scale"):
        with pytest.raises(ValueError, match=r"`kernel_variance`.*neither 0 nor infinite"):
            getattr(MeanField("relu", 3.0, 0.0), name)
    ordered = MeanField("tanh", 0.5, 0.0)  # small differences fall still
    assert ordered.correlation == 1
    assert ordered.depth_scale == pytest.approx(1 / math.log(2), rel=1e-6)


def test_relus_correlation_is_the_arc_cosine_kernel():
    field = MeanField("relu", 2.0)
    for c in (-0.5, 0.0, 0.3, 0.9):
        angle = math.acos(c)
        expected = (math.sin(angle) + (math.pi - angle) * c) / math.pi
        assert field.next_correlation(c) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("kernel_variance", [1.3, 3.0], ids=["order", "chaos"])
def test_wide_networks_follow(kernel_variance):
    """The correlation of two inputs in tanh networks of 500 units: the mean of eight."""
    rng = np.random.default_rng(0)
    field, start, found = MeanField("tanh", kernel_variance, 0.05), 0.6, []
    a, b = rng.normal(size=(2, 8, 500)) * field.variance**0.5
    pair = np.stack([a, start * a + (1 - start**2) ** 0.5 * b])
    for _ in range(12):
        kernels = rng.normal(size=(8, 500, 500)) * (kernel_variance / 500) ** 0.5
        biases = rng.normal(size=(8, 500)) * 0.05**0.5
        pair = np.einsum("pnd,nde->pne", np.tanh(pair), kernels) + biases
        norms = np.linalg.norm(pair, axis=-1)
        found.append(((pair[0] * pair[1]).sum(-1) / (norms[0] * norms[1])).mean())
    predicted = [start]
    for _ in found:
        predicted.append(field.next_correlation(predicted[-1]))
    np.testing.assert_allclose(found, predicted[1:], atol=0.075)
    assert predicted[-1] == pytest.approx(field.correlation, abs=0.1)


@pytest.mark.parametrize("kernel_variance", [1.3, 3.0])
def test_the_depth_scale_is_that_of_the_map(kernel_variance):
    field = MeanField("tanh", kernel_variance, 0.05)
    c, gaps = 0.9 if field.slope <= 1 else field.correlation + 0.01, []
    for _ in range(12):
        c = field.next_correlation(c)
        gaps.append(abs(c - field.correlation))
    assert -1 / math.log(gaps[11] / gaps[10]) == pytest.approx(field.depth_scale, rel=0.05)


@pytest.mark.parametrize(
    ("activation", "expected"),
    [("linear", 1), ("sigmoid", 1), ("tanh", 5 / 3), ("relu", 2**0.5), ("selu", 0.75)],
)
def test_gains_are_those_of_torchs_table(activation, expected):
    assert gain(activation) == pytest.approx(expected)


def test_gains_that_follow_from_a_mean_square():
    assert gain("leaky_relu", 0.01) == pytest.approx((2 / 1.0001) ** 0.5)
    assert gain("leaky_relu", 0.0) == gain("relu")
    for activation in ("gelu", "silu", "elu"):
        squared = expectation(lambda z, phi=LAWS[activation]: float(phi(np.array(z))) ** 2)
        assert gain(activation) == pytest.approx(squared**-0.5, rel=1e-6)
    z = np.random.default_rng(0).normal(size=10**6)
    assert np.mean(np.maximum(z, 0) ** 2) == pytest.approx(0.5, abs=0.005)
    with pytest.raises(ValueError, match="`activation`"):
        gain("swosh")
