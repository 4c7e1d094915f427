"""Jacobians and their moments, against differences and closed forms."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_arch.analysis import check_widths, jacobian, jacobian_moments, redrawn

RNG = np.random.default_rng(0)


def dense(units, activation="relu", seed=None):
    law = keras.initializers.VarianceScaling(2.0, "fan_in", "untruncated_normal", seed=seed)
    inputs = x = keras.Input((units[0],))
    for width in units[1:]:
        x = layers.Dense(width, activation, use_bias=False, kernel_initializer=law)(x)
    return keras.Model(inputs, x)


def test_a_linear_network_is_its_kernels():
    model, x = dense((4, 6, 3), None), RNG.normal(size=(5, 4))
    first, second = (np.array(weight) for weight in model.weights)
    found = jacobian(model, x)
    np.testing.assert_allclose(found, np.repeat((first @ second).T[None], 5, 0), rtol=1e-5)


def test_it_is_the_limit_of_differences():
    inputs = keras.Input((5, 5, 2))
    x = layers.Conv2D(3, 3, activation="tanh")(inputs)
    x = layers.BatchNormalization()(x)
    model = keras.Model(inputs, layers.Dense(2)(layers.Flatten()(x)))
    image = RNG.normal(size=(3, 5, 5, 2)).astype("float32")
    statistics = [np.array(weight) for weight in model.weights]
    found = jacobian(model, image)
    assert found.shape == (3, 2, 50)
    for place in (0, 17, 49):
        step = np.zeros(50, "float32")
        step[place] = 1e-2
        step = step.reshape(1, 5, 5, 2)
        difference = (model(image + step) - model(image - step)) / 2e-2
        np.testing.assert_allclose(found[:, :, place], difference, atol=2e-4)
    for before, after in zip(statistics, model.weights, strict=True):
        np.testing.assert_array_equal(before, after)


def test_moments_of_a_single_layer_are_of_a_gaussian():
    """No hidden layer, ReLU: half the entries are Gaussians of variance 2/n, half are zero."""
    found = jacobian_moments(dense((50, 400), seed=1), RNG.normal(size=(20, 50)))
    assert found.mean == pytest.approx(0, abs=0.01)
    assert found.second * 50 == pytest.approx(1, rel=0.02)
    assert found.kurtosis == pytest.approx(6, rel=0.05)
    assert found.entries == 20 * 400 * 50


def test_moments_over_draws_are_hanins():
    units = (6, 30, 30, 8)
    said = check_widths(units)
    found = jacobian_moments(dense(units), RNG.normal(size=(2, 6)), draws=150, seed=0)
    assert found.second == pytest.approx(said.second, rel=0.15)
    assert found.fourth == pytest.approx(said.fourth, rel=0.4)
    assert abs(found.mean) < 0.05


def test_a_seed_decides_the_draws_and_the_model_stays():
    model = dense((3, 4, 2), seed=7)  # the same seed in the configuration of each layer
    before = model.get_weights()
    one, two = (redrawn(model, seed=1) for _ in range(2))
    for first, second in zip(one.get_weights(), two.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)
    assert not np.array_equal(one.get_weights()[0], redrawn(model, seed=2).get_weights()[0])
    assert not np.array_equal(one.get_weights()[0], before[0])
    for first, second in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)


def test_refusals():
    one, two = keras.Input((3,)), keras.Input((3,))
    with pytest.raises(ValueError, match="one of one input"):
        jacobian(keras.Model([one, two], layers.Add()([one, two])), np.ones((1, 3)))
    with pytest.raises(ValueError, match="`draws`"):
        jacobian_moments(dense((3, 2)), np.ones((1, 3)), draws=0)

    class Own(keras.Model):
        def call(self, x):
            return x

    with pytest.raises(ValueError, match="functional or Sequential"):
        redrawn(Own())


def test_sequential_models_are_redrawn():
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
    assert redrawn(model).output_shape == (None, 2)
