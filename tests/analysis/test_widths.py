"""Hanin's law: the exact moments, against networks that were drawn."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_arch.analysis import check_widths, hanin_sum


def drawn(units, networks, seed=0):
    """Rows of Jacobians of many dense ReLU networks at a random input, outputs of one unit.

    The last layer is averaged in closed form: of a Gaussian row, on with odds of half, an
    entry has the mean square ``|J|^2 / n`` and the mean fourth power ``6 |J|^4 / n^2``
    with J the column that reaches the layer.
    """
    rng = np.random.default_rng(seed)
    inputs, *hidden, _ = units
    x = rng.normal(size=(networks, inputs)).astype("float32")
    columns = np.repeat(np.eye(inputs, dtype="float32")[None], networks, 0)[..., :2]
    for width in hidden:
        scale = np.sqrt(2 / x.shape[1], dtype="float32")
        kernels = rng.standard_normal((networks, width, x.shape[1]), dtype="float32") * scale
        x = np.einsum("nij,nj->ni", kernels, x)
        columns = (x > 0)[..., None] * (kernels @ columns)
        x = np.maximum(x, 0)
    squared = (columns.astype("float64") ** 2).sum(1) / hidden[-1]
    return squared, 6 * squared**2


PROFILES = [(10, *[40] * 5, 1), (10, *[20] * 5, 1), (10, 5, 35, 5, 35, 20, 1)]


@pytest.mark.parametrize(
    ("units", "exact"), list(zip(PROFILES, [10.81, 18.31, 39.18], strict=True))
)
def test_the_fourth_moment_is_exact(units, exact):
    said = check_widths(units)
    assert said.fourth * 10**2 == pytest.approx(exact, abs=0.005)
    second, fourth = drawn(units, 40_000)
    errors = [values.std() / len(values) ** 0.5 for values in (second, fourth)]
    assert errors[1] < 0.05 * said.fourth  # the test can fail
    assert second.mean() == pytest.approx(said.second, abs=4 * errors[0])
    assert fourth.mean() == pytest.approx(said.fourth, abs=4 * errors[1])


def test_the_sum_bounds_the_spread():
    for units in PROFILES:
        said = check_widths(units)
        assert np.exp(said.hanin_sum / 2) <= said.spread <= np.exp(5 * said.hanin_sum)


def test_one_thin_layer_ruins_it():
    wide, thin = check_widths((10, *[100] * 5, 1)), check_widths((10, 100, 100, 2, 100, 100, 1))
    assert (thin.thinnest, wide.hanin_sum) == (3, pytest.approx(0.05))
    assert thin.spread > 3 * wide.spread
    assert "Layer 3, of 2 units" in thin.verdict
    assert "much the same" in wide.verdict
    deep = check_widths((10, *[20] * 50, 1))
    assert "Widths of 250 would do" in deep.verdict
    assert check_widths((10, *[250] * 50, 1)).hanin_sum == pytest.approx(0.2)


def test_without_hidden_layers():
    said = check_widths((4, 2))
    assert (said.hanin_sum, said.thinnest, said.spread) == (0, 0, 1)
    assert said.fourth == 6 / 16


@pytest.mark.parametrize("units", [(3,), (3, 0, 1)])
def test_bad_widths_are_refused(units):
    with pytest.raises(ValueError, match="`units`"):
        check_widths(units)


def test_the_sum_of_a_model():
    inputs = keras.Input((12, 12, 3))
    x = layers.Conv2D(8, 3)(inputs)
    x = layers.BatchNormalization()(x)
    x = layers.DepthwiseConv2D(3, depth_multiplier=2)(x)
    x = layers.SeparableConv2D(10, 3)(x)
    x = layers.Reshape((-1, 10))(x)
    x = layers.LSTM(5)(x)
    model = keras.Model(inputs, layers.Dense(4)(x))
    assert hanin_sum(model) == pytest.approx(1 / 8 + 1 / 16 + 1 / 10 + 1 / 5)
    with pytest.raises(ValueError, match=r"`model`.*kernels"):
        hanin_sum(keras.Model(inputs, layers.ReLU()(inputs)))
