"""Functions drawn from the prior of a network."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_arch.analysis import prior_samples


def one_hidden(width):
    """``f = sum v phi(w x + b)`` with unit variances over the fan-in: a Gaussian process."""
    law = keras.initializers.VarianceScaling(1.0, "fan_in", "untruncated_normal")
    inputs = keras.Input((2,))
    x = layers.Dense(width, "relu", use_bias=False, kernel_initializer=law)(inputs)
    return keras.Model(inputs, layers.Dense(1, use_bias=False, kernel_initializer=law)(x))


def test_the_covariance_of_a_wide_network_is_the_arc_cosine_kernel():
    angles = np.array([0.0, 0.5, 1.5, np.pi])
    points = np.stack([np.cos(angles), np.sin(angles)], -1).astype("float32") * 2**0.5
    found = prior_samples(one_hidden(200), points, samples=150, seed=0)[..., 0]
    assert found.shape == (150, 4)
    expected = (np.sin(angles) + (np.pi - angles) * np.cos(angles)) / (2 * np.pi)
    covariance = (found * found[:, :1]).mean(0)
    np.testing.assert_allclose(covariance, expected, atol=4 * 0.5 / 150**0.5)
    np.testing.assert_allclose(found.mean(0), 0, atol=4 * 0.71 / 150**0.5)


def test_a_seed_decides_and_the_model_stays():
    model, x = one_hidden(10), np.ones((3, 2), "float32")
    before = model.get_weights()
    np.testing.assert_array_equal(*(prior_samples(model, x, 3, seed=5) for _ in range(2)))
    found = prior_samples(model, x, 3, seed=5)
    assert len({float(value) for value in found[:, 0, 0]}) == 3
    assert not np.array_equal(found, prior_samples(model, x, 3, seed=6))
    for first, second in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)


def test_a_model_without_configuration_is_refused():
    class Own(keras.Model):
        def call(self, x):
            return x

    with pytest.raises(ValueError, match="functional or Sequential"):
        prior_samples(Own(), np.ones((1, 2)))
