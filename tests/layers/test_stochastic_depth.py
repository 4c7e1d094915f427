"""Stochastic depth: the paper's law, draw by draw."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_arch.layers import StochasticDepth, linear_rates


def features(batch=4):
    return np.random.default_rng(0).normal(size=(batch, 3, 3, 2)).astype("float32")


def factors(layer, draws):
    """What the layer multiplies by: of the whole batch, or of each sample."""
    if layer.per == "sample":
        return np.asarray(layer(np.ones((draws, 1)), training=True))[:, 0]
    return np.array([float(layer(np.ones((1,)), training=True)[0]) for _ in range(draws)])


@pytest.mark.parametrize(("mode", "factor"), [("paper", 0.7), ("inverted", 1.0)])
def test_a_test_needs_no_luck(mode, factor):
    x = features()
    np.testing.assert_allclose(StochasticDepth(0.3, mode)(x), factor * x, rtol=1e-6)


@pytest.mark.parametrize(("mode", "kept"), [("paper", 1.0), ("inverted", 1 / 0.7)])
@pytest.mark.parametrize(("per", "draws"), [("batch", 500), ("sample", 2000)])
def test_frequencies_and_expectation(mode, kept, per, draws):
    found = factors(StochasticDepth(0.3, mode, per, seed=0), draws)
    np.testing.assert_allclose(np.unique(found), [0, kept], rtol=1e-6)
    error = 3 * np.sqrt(0.3 * 0.7 / draws)
    assert abs(np.mean(found > 0) - 0.7) < error
    at_test = 0.7 if mode == "paper" else 1.0  # of a linear branch, the mean in training
    assert abs(found.mean() - at_test) < error * kept


def test_what_shares_a_draw():
    x = np.ones((64, 2, 2, 3), "float32")
    batch = StochasticDepth(0.5, seed=0)
    assert {float(np.ptp(batch(x, training=True))) for _ in range(20)} == {0.0}
    alone = np.asarray(StochasticDepth(0.5, per="sample", seed=0)(x, training=True))
    assert np.ptp(alone.reshape(64, -1), axis=1).max() == 0
    assert set(alone[:, 0, 0, 0]) == {0.0, 1.0}


def test_a_branch_that_is_left_out_has_no_gradient():
    inputs = keras.Input((4,))
    branch = keras.layers.Dense(4, name="branch")(inputs)
    dropped = StochasticDepth(0.5, seed=0, name="survival")(branch)
    model = keras.Model(inputs, keras.layers.Add()([inputs, dropped]))
    x = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
    seen = set()
    for _ in range(20):
        with tf.GradientTape() as tape:
            output = model(x, training=True)
            loss = tf.reduce_sum(output**2)
        left_out = np.array_equal(output, x)
        gradient = tape.gradient(loss, model.get_layer("branch").kernel.value)
        assert np.any(gradient) != left_out
        seen.add(left_out)
    assert seen == {True, False}


def test_draws_follow_from_the_seed_and_its_state():
    first, again, other = (StochasticDepth(0.5, seed=seed) for seed in (1, 1, 2))
    expected = factors(first, 40)
    np.testing.assert_array_equal(factors(again, 40), expected)
    assert not np.array_equal(factors(other, 40), expected)

    (state,) = first.variables
    kept = np.asarray(state)
    expected = factors(first, 40)
    state.assign(kept)
    np.testing.assert_array_equal(factors(first, 40), expected)
    restored = StochasticDepth.from_config(first.get_config())
    restored.variables[0].assign(kept)
    np.testing.assert_array_equal(factors(restored, 40), expected)


def test_rates_grow_linearly():
    rates = linear_rates(0.5, 54)
    assert rates[0] == pytest.approx(0.5 / 54)
    assert rates[-1] == 0.5
    assert np.ptp(np.diff(rates)) < 1e-12
    assert sum(1 - rate for rate in rates) == pytest.approx(40.25)  # (3L - 1) / 4


def test_what_makes_no_sense_is_refused():
    for wrong in ({"rate": 1.0}, {"rate": -0.1}, {"mode": "torch"}, {"per": "row"}):
        (argument,) = wrong
        with pytest.raises(ValueError, match=f"`{argument}`"):
            StochasticDepth(**{"rate": 0.5, **wrong})
    with pytest.raises(ValueError, match="`stochastic_depth`"):
        linear_rates(1.0, 3)
