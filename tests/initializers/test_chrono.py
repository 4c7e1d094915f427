"""Chrono biases: memories of all lengths, with the sign that keeps them."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from keras_arch.initializers import Chrono, chrono, chrono_lstm_bias
from keras_arch.layers import MinimalRNNCell


def gates(biases):
    return 1 / (1 + np.exp(-np.asarray(biases, "float64")))


def test_memories_are_uniform_up_to_the_longest():
    memory = 1 / (1 - gates(Chrono(100, seed=0)((20_000,))))
    assert memory.min() >= 2 - 1e-4
    assert memory.max() <= 100 + 1e-2
    assert np.median(memory) == pytest.approx(51, abs=1)
    assert memory.mean() == pytest.approx(51, abs=1)


def test_an_updating_gate_has_the_other_sign():
    retain, update = (np.array(Chrono(50, gate, seed=1)((64,))) for gate in ("retain", "update"))
    np.testing.assert_array_equal(update, -retain)
    memory = 1 / gates(update)
    assert (memory >= 2 - 1e-4).all()
    assert (memory <= 50 + 1e-2).all()


def test_the_order_is_that_of_keras():
    """Shut the input gate and open the forget gate: the carry stays, step after step."""
    biases = np.array(chrono_lstm_bias(6, 1e6, seed=0))
    np.testing.assert_array_equal(biases[:6], -biases[6:12])
    assert (biases[6:12] > 0).all()
    assert not biases[12:].any()
    cell = layers.LSTMCell(
        6, kernel_initializer="zeros", recurrent_initializer="zeros", unit_forget_bias=False
    )
    cell.build((None, 2))
    cell.bias.assign(biases)
    carry = np.linspace(-1, 1, 6, dtype="float32")[None]
    _, (_, after) = cell(np.ones((1, 2), "float32"), [np.zeros((1, 6), "float32"), carry])
    np.testing.assert_allclose(after, carry * gates(biases[6:12]), rtol=1e-5)


def test_in_a_layer_and_its_file(tmp_path):
    inputs = keras.Input((2,))
    law = Chrono(30, "update", seed=3)
    model = keras.Model(inputs, layers.Dense(5, "sigmoid", bias_initializer=law)(inputs))
    np.testing.assert_array_equal(model.layers[-1].bias, law((5,)))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras").layers[-1].bias_initializer
    assert again.get_config() == {"t_max": 30, "gate": "update", "seed": 3}


def test_keras_lstm_as_it_comes():
    """With its own forget bias it asks for its biases in parts: only the model is right."""
    inputs = keras.Input((None, 2))
    model = keras.Model(inputs, layers.LSTM(8, name="lstm")(inputs))
    chrono(model, 100, seed=0)
    bias = np.array(model.get_layer("lstm").cell.bias)
    memory = 1 / (1 - gates(bias[8:16]))
    assert (memory >= 2 - 1e-4).all()
    assert (memory <= 100 + 1e-2).all()
    np.testing.assert_array_equal(bias[:8], -bias[8:16])
    assert not bias[16:].any()
    with pytest.raises(ValueError, match=r"`gate`.*chrono\(model, t_max\)"):
        Chrono(100, "lstm")


def whole():
    inputs = keras.Input((None, 3), name="sequence")
    x = layers.Bidirectional(layers.LSTM(4, return_sequences=True), name="both")(inputs)
    x = layers.GRU(5, return_sequences=True, name="gru")(x)
    x = layers.GRU(5, reset_after=False, return_sequences=True, name="old")(x)
    cells = [MinimalRNNCell(4, name="minimal"), layers.LSTMCell(3, name="top")]
    x = layers.RNN(layers.StackedRNNCells(cells, name="stack"), name="rnn")(x)
    return keras.Model(inputs, layers.Dense(1, name="head")(x), name="whole")


def test_a_whole_model():
    model = whole()
    before = {variable.path: np.array(variable) for variable in model.weights}
    changed = chrono(model, t_max=40, seed=0)
    assert len(changed) == 6
    after = {variable.path: np.array(variable) for variable in model.weights}
    moved = {path for path in before if not np.array_equal(before[path], after[path])}
    assert moved == set(changed)
    for path in changed:
        bias = after[path]
        if "gru" in path or "old" in path:  # z first; the others as they were
            retained = bias[..., :5] if bias.ndim == 1 else bias[0, :5]
            assert not bias.reshape(-1, 15)[1:].any()
            assert not bias.reshape(-1, 15)[0, 5:].any()
        elif "minimal" in path:
            retained = bias
        else:
            units = len(bias) // 4
            retained = bias[units : 2 * units]
            np.testing.assert_array_equal(bias[:units], -retained)
        memory = 1 / (1 - gates(retained))
        assert (memory >= 2 - 1e-4).all()
        assert (memory <= 40 + 1e-2).all()
    forward, backward = (after[path] for path in changed[:2])
    assert not np.array_equal(forward, backward)  # each cell draws its own


@pytest.mark.parametrize("make", [layers.GRUCell, MinimalRNNCell])
def test_the_gate_keeps_the_old_state(make):
    """With huge memories the state stays, whatever comes in: the sign is right."""
    cell = make(4)
    inputs = keras.Input((8, 3))
    model = keras.Model(inputs, layers.RNN(cell, name="rnn")(inputs))
    x = np.random.default_rng(0).normal(size=(2, 8, 3)).astype("float32")
    free = np.abs(model(x)).mean()
    chrono(model, t_max=1e8, seed=0)
    assert np.abs(model(x)).mean() < 1e-3 * free


def test_convolutional_lstm():
    inputs = keras.Input((4, 6, 6, 2))
    model = keras.Model(inputs, layers.ConvLSTM2D(3, 3, name="video")(inputs))
    chrono(model, 20, seed=0)
    bias = np.array(model.get_layer("video").cell.bias)
    np.testing.assert_array_equal(bias[:3], -bias[3:6])
    assert (bias[3:6] > 0).all()


def test_refusals():
    with pytest.raises(ValueError, match="`t_max`"):
        Chrono(1)
    with pytest.raises(ValueError, match="`gate`"):
        Chrono(10, "forget")
    with pytest.raises(ValueError, match="`shape`"):
        Chrono(10)((4, 4))
    inputs = keras.Input((4, 3))
    with pytest.raises(ValueError, match=r"`model`.*an LSTM, a GRU"):
        chrono(keras.Model(inputs, layers.SimpleRNN(2)(inputs)), 10)
    with pytest.raises(ValueError, match=r"`model`.*a built one"):
        chrono(layers.LSTMCell(2), 10)
    with pytest.raises(ValueError, match=r"`model`.*have biases"):
        chrono(keras.Model(inputs, layers.LSTM(2, use_bias=False)(inputs)), 10)


def test_mixed_precision_keeps_float32_biases():
    keras.config.set_dtype_policy("mixed_bfloat16")
    inputs = keras.Input((4, 3))
    model = keras.Model(inputs, layers.LSTM(8, name="lstm")(inputs))
    chrono(model, 100, seed=0)
    assert model.get_layer("lstm").cell.bias.dtype == "float32"
    assert ops.all(model.get_layer("lstm").cell.bias[8:16] > 0)
