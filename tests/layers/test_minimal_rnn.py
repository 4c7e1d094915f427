"""MinimalRNN: its equations in numpy, and what follows from them."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.layers import RNN

from keras_arch.layers import MinimalRNNCell


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def filled(cell, width, seed=1):
    """Build with weights far from their initial values; biases too."""
    cell.build((None, width))
    for index, weight in enumerate(cell.trainable_variables):
        weight.assign(numbers(*weight.shape, seed=seed + index))
    return cell


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def by_hand(cell, sequence, state):
    """States of all steps, from the paper's three equations, in float64."""
    named = {v.path.split("/", 1)[1]: v.numpy().astype("float64") for v in cell.variables}
    for x in sequence.swapaxes(0, 1):
        z = np.tanh(x @ named["phi/kernel"] + named["phi/bias"])
        u = sigmoid(z @ named["kernel"] + state @ named["recurrent_kernel"] + named["bias"])
        state = u * state + (1 - u) * z
        yield z, u, state


def test_it_is_the_three_equations():
    cell = filled(MinimalRNNCell(5), 3)
    x, start = numbers(4, 7, 3), numbers(4, 5, seed=9)
    found = RNN(cell, return_sequences=True)(x, initial_state=[start])
    expected = np.stack([h for _, _, h in by_hand(cell, x, start)], axis=1)
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize(("units", "width"), [(64, 8), (5, 3)])
def test_parameters(units, width):
    cell = MinimalRNNCell(units)
    cell.build((None, width))
    assert cell.count_params() == units * (width + 2 * units + 2)


def test_the_catalogued_size():
    cell = MinimalRNNCell(64)
    cell.build((None, 8))
    assert cell.count_params() == 8832


def test_the_state_stays_in_the_box_of_the_candidates():
    cell = filled(MinimalRNNCell(6), 2)
    x, start = 4 * numbers(3, 20, 2), numbers(3, 6, seed=9)
    states = np.array(RNN(cell, return_sequences=True)(x, initial_state=[start]))
    candidates = np.stack([z for z, _, _ in by_hand(cell, x, start)], axis=1)
    seen = np.concatenate([start[:, None], candidates], axis=1)
    low = np.minimum.accumulate(seen, axis=1)[:, 1:]
    high = np.maximum.accumulate(seen, axis=1)[:, 1:]
    assert (states >= low - 1e-6).all()
    assert (states <= high + 1e-6).all()
    assert (states > low + 1e-2).any()  # inside, not on the edge


def test_without_gate_weights_it_is_an_exponential_average():
    cell = filled(MinimalRNNCell(4), 4)
    cell.kernel.assign(np.zeros((4, 4)))
    cell.recurrent_kernel.assign(np.zeros((4, 4)))
    x = numbers(2, 9, 4)
    keep = sigmoid(cell.bias.numpy())
    z = np.array(cell.phi(x))
    weights = keep ** np.arange(9)[::-1, None] * (1 - keep)  # of the candidates, oldest first
    np.testing.assert_allclose(RNN(cell)(x), np.einsum("tu,btu->bu", weights, z), atol=1e-6)


def test_the_jacobian_is_the_closed_form():
    cell = filled(MinimalRNNCell(4), 3)
    x, state = numbers(1, 3), tf.Variable(numbers(1, 4, seed=9))
    with tf.GradientTape() as tape:
        after, _ = cell(x, state)
    found = tape.jacobian(after, state)[0, :, 0]
    ((z, u, _),) = by_hand(cell, x[:, None], state.numpy())
    slope = (state.numpy() - z) * u * (1 - u)
    expected = np.diag(u[0]) + slope.T * cell.recurrent_kernel.numpy().T
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize(("bias", "expected"), [(40.0, "state"), (-40.0, "candidate")])
def test_the_gate_keeps_or_replaces(bias, expected):
    cell = MinimalRNNCell(4, bias_initializer=keras.initializers.Constant(bias))
    x, state = numbers(2, 3), numbers(2, 4, seed=9)
    after, _ = cell(x, [state])
    np.testing.assert_allclose(after, state if expected == "state" else cell.phi(x), atol=1e-6)


def test_phi_may_be_any_layer_of_the_right_width(tmp_path):
    inputs = keras.Input((None, 3), name="sequence")
    phi = keras.layers.Dense(4, "relu", use_bias=False, name="lift")
    cell = MinimalRNNCell(4, phi=phi, bias_regularizer="l2", name="cell")
    model = keras.Model(inputs, RNN(cell, name="rnn")(inputs))
    assert model.count_params() == 3 * 4 + 2 * 4 * 4 + 4
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    x = numbers(2, 6, 3)
    np.testing.assert_array_equal(again(x), model(x))
    assert again.get_layer("rnn").cell.phi.activation is keras.activations.relu
    with pytest.raises(ValueError, match="`phi`"):
        MinimalRNNCell(5, phi=keras.layers.Dense(4)).build((None, 3))


def test_units_are_positive():
    with pytest.raises(ValueError, match="`units`"):
        MinimalRNNCell(0)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_low_precision(policy):
    keras.config.set_dtype_policy(policy)
    rnn = RNN(MinimalRNNCell(4), return_state=True)
    output, state = rnn(numbers(2, 6, 3))
    assert keras.backend.standardize_dtype(output.dtype) == policy.removeprefix("mixed_")
    assert keras.backend.standardize_dtype(state.dtype) == policy.removeprefix("mixed_")
    assert all(v.dtype == "float32" for v in rnn.trainable_variables)
    (start,) = rnn.cell.get_initial_state(batch_size=2)
    assert start.shape == (2, 4)
    assert start.dtype == output.dtype


def test_masked_steps_leave_the_state():
    rnn = RNN(filled(MinimalRNNCell(4), 3))
    x = numbers(2, 6, 3)
    mask = np.arange(6) < np.array([[4], [6]])
    found = np.array(rnn(x, mask=mask))
    np.testing.assert_allclose(found[0], rnn(x[:1, :4])[0], atol=1e-6)
    np.testing.assert_allclose(found[1], rnn(x[1:])[0], atol=1e-6)


def test_cells_stack_and_learn():
    """Remember the first of ten inputs: possible only through the state."""
    keras.utils.set_random_seed(0)
    x = numbers(512, 10, 1)
    model = keras.Sequential([RNN([MinimalRNNCell(16), MinimalRNNCell(16)]), keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.02), "mse")
    losses = model.fit(x, np.tanh(x[:, 0]), batch_size=64, epochs=12, verbose=0).history["loss"]
    assert losses[-1] < 0.1 * np.tanh(x[:, 0]).var()
