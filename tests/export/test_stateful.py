"""States in and out: a sequence in pieces answers as the whole of it."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_arch.export import export
from keras_arch.layers import MinimalRNNCell
from tests.export.reading import ask, names, requests

RNG = np.random.default_rng(0)


def minimal(sequence):
    return layers.RNN(MinimalRNNCell(4), return_sequences=True, name="memory")(sequence)


def lstm_and_gru(sequence):
    x = layers.LSTM(3, return_sequences=True, name="long")(sequence)
    x = layers.Dense(4, name="between")(x)
    return layers.GRU(4, name="short")(x)


def stacked(sequence):
    cells = [layers.LSTMCell(3), layers.GRUCell(2)]
    return layers.RNN(cells, return_sequences=True, name="tower")(sequence)


def inside(sequence):
    inner = keras.Sequential([keras.Input((None, 5)), layers.GRU(4, name="short")], name="inner")
    return inner(sequence)


def with_state(sequence):
    output, state = layers.GRU(4, return_state=True, name="short")(sequence)
    return layers.Concatenate(name="both")([output, state])


def image_sequence(sequence):
    x = layers.Reshape((-1, 5, 1, 1), name="pictures")(sequence)
    return layers.ConvLSTM2D(2, (3, 1), padding="same", name="film")(x)


BUILDS = {
    minimal: {"memory_state": (4,)},
    lstm_and_gru: {"long_state_0": (3,), "long_state_1": (3,), "short_state": (4,)},
    stacked: {"tower_state_0": (3,), "tower_state_1": (3,), "tower_state_2": (2,)},
    inside: {"short_state": (4,)},
    with_state: {"short_state": (4,)},
    image_sequence: {"film_state_0": (5, 1, 2), "film_state_1": (5, 1, 2)},
}


def recurrent(build):
    sequence = keras.Input((None, 5), name="sequence")
    return keras.Model(sequence, {"y": build(sequence)}, name="recurrent")


@pytest.mark.parametrize("build", BUILDS, ids=lambda build: build.__name__)
@pytest.mark.parametrize("optimize", ["none", "fold"])
def test_a_sequence_in_pieces(tmp_path, build, optimize):
    model = recurrent(build)
    path = export(model, tmp_path, signatures=["stateful"], optimize=optimize)
    states = {name: (None, *shape) for name, shape in BUILDS[build].items()}
    inputs, outputs = names(path)["stateful"]
    assert inputs == {"sequence": (None, None, 5), **states}
    assert outputs.keys() == {"y", *states}
    whole = RNG.normal(size=(3, 7, 5)).astype("float32")
    given = {name: np.zeros((3, *shape), "float32") for name, shape in BUILDS[build].items()}
    pieces = []
    for piece in (whole[:, :2], whole[:, 2:3], whole[:, 3:]):
        answer = ask(path, "stateful", sequence=piece, **given)
        pieces.append(answer.pop("y"))
        given = answer
    expected = model(whole)["y"].numpy()
    sequences = build in (minimal, stacked)
    found = np.concatenate(pieces, axis=1) if sequences else pieces[-1]
    np.testing.assert_allclose(found, expected, atol=1e-5)
    np.testing.assert_allclose(
        ask(path, "serving_default", sequence=whole)["y"], expected, atol=1e-5
    )


def test_the_model_is_left_as_it_was(tmp_path):
    model = recurrent(with_state)
    x = RNG.normal(size=(2, 3, 5)).astype("float32")
    expected = model(x)["y"].numpy()
    export(model, tmp_path, signatures=["stateful"])
    layer = model.get_layer("short")
    assert "call" not in vars(layer)
    np.testing.assert_array_equal(model(x)["y"], expected)


def test_states_are_warmed_up(tmp_path):
    path = export(recurrent(minimal), tmp_path, signatures=["stateful"], warmup=np.ones((3, 2, 5)))
    _, stateful = requests(path)
    assert stateful.model_spec.signature_name == "stateful"
    assert [dim.size for dim in stateful.inputs["memory_state"].tensor_shape.dim] == [3, 4]


def test_weights_are_written_once(tmp_path):
    sequence = keras.Input((None, 64), name="sequence")
    model = keras.Model(sequence, layers.LSTM(64, name="long")(sequence))
    for optimize in ("none", "fold"):
        path = export(model, tmp_path, signatures=["stateful"], optimize=optimize)
        stored = (path / "variables" / "variables.data-00000-of-00001").stat().st_size
        assert 4 * model.count_params() < stored < 4 * model.count_params() + 2000


def test_made_up_names_of_states(tmp_path):
    sequence = keras.Input((None, 5), name="sequence")
    x = layers.GRU(2)(layers.LSTM(3, return_sequences=True)(sequence))
    path = export(keras.Model(sequence, x), tmp_path, signatures=["stateful"])
    states = {"rnn_0_state_0", "rnn_0_state_1", "rnn_1_state"}
    assert set(names(path)["stateful"][0]) == {"sequence", *states}


def backwards(sequence):
    return layers.GRU(4, go_backwards=True, name="short")(sequence)


def both_ways(sequence):
    return layers.Bidirectional(layers.GRU(4), name="both")(sequence)


def twice(sequence):
    layer = layers.GRU(5, return_sequences=True, name="short")
    return layer(layer(sequence))


def started(sequence):
    first = layers.GRU(4, name="first")(sequence)
    return layers.GRU(4, name="second")(sequence, initial_state=first)


@pytest.mark.parametrize("build", [backwards, both_ways, twice, started])
def test_what_cannot_go_on(tmp_path, build):
    with pytest.raises(ValueError, match="'stateful' only for a model"):
        export(recurrent(build), tmp_path / "served", signatures=["stateful"])
    assert not list(tmp_path.iterdir())
