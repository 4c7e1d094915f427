"""Softmax and rank pooling: their two ends, their formula, and whom the gradient reaches."""

import numpy as np
import pytest
import tensorflow as tf
from keras.layers import AveragePooling2D, GlobalAveragePooling2D, GlobalMaxPooling2D, MaxPooling2D

from keras_arch.layers import GlobalWeightedRankPooling2D, SoftmaxPooling2D

X = np.random.default_rng(0).normal(size=(2, 5, 6, 3)).astype("float32")


def reached(layer, x=X):
    """Share of the places that get a gradient."""
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.reduce_sum(layer(x))
    return np.mean(tape.gradient(y, x) != 0)


@pytest.mark.parametrize(
    ("pool_size", "largest", "mean"),
    [
        (None, GlobalMaxPooling2D(), GlobalAveragePooling2D()),
        (2, MaxPooling2D(2), AveragePooling2D(2)),
        (3, MaxPooling2D(3), AveragePooling2D(3)),
    ],
)
def test_softmax_pooling_lies_between_maximum_and_mean(pool_size, largest, mean):
    cold, warm, hot = (SoftmaxPooling2D(t, pool_size) for t in (1e-4, 1.0, 1e5))
    np.testing.assert_allclose(cold(X), largest(X), atol=1e-5)
    np.testing.assert_allclose(hot(X), mean(X), atol=1e-4)
    assert np.all(mean(X) < warm(X))
    assert np.all(warm(X) < largest(X))


def test_softmax_pooling_is_its_formula():
    found = np.asarray(SoftmaxPooling2D(0.7, 2)(X))
    for n, i, j, c in np.ndindex(2, 2, 3, 3):
        window = X[n, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2, c].ravel()
        weights = np.exp(window / 0.7)
        np.testing.assert_allclose(found[n, i, j, c], window @ weights / weights.sum(), rtol=1e-5)


def test_softmax_pooling_of_large_values_is_finite():
    np.testing.assert_allclose(SoftmaxPooling2D(0.01)(1e4 * X), 1e4 * X.max((1, 2)), rtol=1e-6)


def test_rank_pooling_ends_in_maximum_and_mean():
    found = [GlobalWeightedRankPooling2D(decay)(X) for decay in (0, 1)]
    np.testing.assert_array_equal(found[0], GlobalMaxPooling2D()(X))
    np.testing.assert_allclose(found[1], GlobalAveragePooling2D()(X), atol=1e-6)


@pytest.mark.parametrize("decay", [0.3, 0.9, 0.996])
def test_rank_pooling_is_its_formula(decay):
    ranked = -np.sort(-X.reshape(2, 30, 3).astype("float64"), axis=1)
    expected = np.average(ranked, axis=1, weights=decay ** np.arange(30))
    np.testing.assert_allclose(GlobalWeightedRankPooling2D(decay)(X), expected, atol=1e-6)


@pytest.mark.parametrize(
    "layer", [SoftmaxPooling2D(), SoftmaxPooling2D(1.0, 2), GlobalWeightedRankPooling2D(0.9)]
)
def test_every_region_is_trained(layer):
    whole = X[:, :4]  # where windows fit
    assert reached(layer, whole) == 1
    assert reached(GlobalMaxPooling2D(), whole) == pytest.approx(1 / 24)


@pytest.mark.parametrize("temperature", [0, -1, float("nan")])
def test_a_temperature_is_positive(temperature):
    with pytest.raises(ValueError, match="`temperature`"):
        SoftmaxPooling2D(temperature)


def test_sizes_and_decays_are_checked():
    with pytest.raises(ValueError, match="`pool_size`"):
        SoftmaxPooling2D(1.0, 0)
    for decay in (-0.1, 1.1):
        with pytest.raises(ValueError, match="`decay`"):
            GlobalWeightedRankPooling2D(decay)
