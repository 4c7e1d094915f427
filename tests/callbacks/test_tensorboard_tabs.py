"""ModelGraph and Projector: what TensorBoard's own plugins read back from the log."""

import keras
import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from werkzeug.test import Client
from werkzeug.wrappers import Response

from keras_arch.callbacks import ModelGraph, Projector, model_graph


def nested():
    inner_input = keras.Input((4,), name="inner_input")
    inner = keras.layers.Dense(4, "relu", name="dense")(inner_input)
    block = keras.Model(inner_input, inner, name="block")
    image = keras.Input((4,), name="image")
    x = keras.layers.Add(name="sum")([block(image), image])
    x = 2 * x + 1  # operations on Python numbers, which Keras's own writer cannot take
    model = keras.Model(image, keras.layers.Dense(1, name="head")(x), name="outer")
    model.compile("sgd", "mse", jit_compile=False)
    return model


def graph(folder):
    return EventAccumulator(str(folder)).Reload().Graph()


def train(model, *callbacks, width=4):
    x = np.ones((8, width), "float32")
    model.fit(x, x[:, :1], epochs=1, verbose=0, callbacks=list(callbacks))


def test_layers_are_nodes_and_nested_models_boxes(tmp_path):
    train(nested(), ModelGraph(tmp_path))
    nodes = {node.name: node for node in graph(tmp_path / "graph_layers").node}
    assert list(nodes["block/inner_input"].input) == ["image"]
    assert list(nodes["block/dense"].input) == ["block/inner_input"]
    assert list(nodes["sum"].input) == ["block/dense", "image"]
    assert nodes["block/dense"].attr["parameters"].i == 20
    assert nodes["head"].op == "Dense"
    shape = nodes["head"].attr["_output_shapes"].list.shape[0]
    assert [dim.size for dim in shape.dim] == [-1, 1]
    for node in nodes.values():
        assert all(source in nodes for source in node.input)
    operations = graph(tmp_path / "graph_operations")
    assert {"MatMul", "Relu", "Placeholder"} <= {node.op for node in operations.node}


def test_a_model_without_inputs_shows_its_layers(tmp_path):
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.first = keras.layers.Dense(2, name="first")
            self.second = keras.layers.Dense(1, name="second")

        def call(self, x):
            return self.second(self.first(x))

    model = Own()
    model.compile("sgd", "mse", jit_compile=False)
    train(model, ModelGraph(tmp_path))
    assert [node.name for node in graph(tmp_path / "graph_layers").node] == ["first", "second"]


@pytest.mark.parametrize("built", [True, False])
def test_layers_in_sequence_have_edges(tmp_path, built):
    inner = keras.Sequential([keras.layers.Dense(3, "relu", name="dense")], name="block")
    layers = [keras.layers.Dense(2, name="first"), inner, keras.layers.Dense(1, name="head")]
    model = keras.Sequential([keras.Input((4,), name="image")] * built + layers)
    model.compile("sgd", "mse", jit_compile=False)
    train(model, ModelGraph(tmp_path))
    nodes = {node.name: node for node in graph(tmp_path / "graph_layers").node}
    [entrance] = nodes["block/dense"].input
    assert list(nodes[entrance].input) == ["first"]
    assert list(nodes["head"].input) == ["block/dense"]
    operations = graph(tmp_path / "graph_operations")
    assert {"MatMul", "Relu", "Placeholder"} <= {node.op for node in operations.node}


def test_a_graph_that_fails_stops_no_training(tmp_path, monkeypatch, caplog):
    def broken(_):
        raise RuntimeError("on purpose")

    monkeypatch.setattr(model_graph, "_operations", broken)
    model = nested()
    train(model, ModelGraph(tmp_path))
    assert model.optimizer.iterations == 1
    assert len([r for r in caplog.records if "ModelGraph" in r.message]) == 1
    assert graph(tmp_path / "graph_layers").node


def reader(tmp_path):
    """Asks TensorBoard's projector of a folder, as its page does."""
    import argparse

    from tensorboard.backend.event_processing import data_provider, plugin_event_multiplexer
    from tensorboard.plugins import base_plugin
    from tensorboard.plugins.projector import projector_plugin

    events = plugin_event_multiplexer.EventMultiplexer()
    events.AddRunsFromDirectory(str(tmp_path))
    events.Reload()
    context = base_plugin.TBContext(
        logdir=str(tmp_path),
        multiplexer=events,
        data_provider=data_provider.MultiplexerDataProvider(events, str(tmp_path)),
        flags=argparse.Namespace(),
    )
    plugin = projector_plugin.ProjectorPlugin(context)
    apps = plugin.get_plugin_apps()

    def ask(route, **arguments):
        return Client(apps[route], Response).get(route, query_string=arguments)

    return ask


def test_the_projector_shows_tables_and_features(tmp_path):
    keras.utils.set_random_seed(0)
    tokens = keras.Input((3,), dtype="int32", name="tokens")
    x = keras.layers.Embedding(7, 4, name="words")(tokens)
    x = keras.layers.Flatten(name="flatten")(x)
    model = keras.Model(tokens, keras.layers.Dense(1, name="head")(x))
    model.compile("sgd", "mse", jit_compile=False)
    examples = np.arange(15).reshape(5, 3) % 7
    pictures = np.linspace(0, 1, 5 * 6 * 6).reshape(5, 6, 6)
    labels = {"words": list("abcdefg"), "flatten": range(5)}
    callback = Projector(tmp_path, ["words", "flatten"], examples, labels, pictures)
    train(model, callback, width=3)
    ask = reader(tmp_path)
    assert ask("/runs").json == ["projector"]
    listed = ask("/info", run="projector").json["embeddings"]
    assert [(one["tensorName"], one["tensorShape"]) for one in listed] == [
        ("words", [7, 4]),
        ("flatten", [5, 12]),
    ]
    got = np.frombuffer(ask("/tensor", run="projector", name="words").data, "float32")
    table = model.get_layer("words").embeddings.numpy()
    np.testing.assert_allclose(got.reshape(7, 4), table, rtol=1e-5)
    features = keras.Model(model.input, model.get_layer("flatten").output)(examples).numpy()
    got = np.frombuffer(ask("/tensor", run="projector", name="flatten").data, "float32")
    np.testing.assert_allclose(got.reshape(5, 12), features, rtol=1e-5)
    assert ask("/metadata", run="projector", name="words").text.split() == list("abcdefg")
    assert ask("/sprite_image", run="projector", name="flatten").status_code == 200
    page = np.asarray(Image.open(tmp_path / "projector" / "flatten.png"))
    assert page.shape == (18, 18, 3)
    np.testing.assert_allclose(page[6:12, :6, 0], 255 * pictures[3], atol=0.5)
    assert listed[1]["sprite"]["singleImageDim"] == [6, 6]


HEAD = {"layers": ["head"], "examples": np.ones((2, 4))}


def test_what_is_refused(tmp_path):
    for arguments, words in (
        ({"layers": ["nowhere"]}, "`layers`"),
        ({"layers": ["head"]}, "`examples`"),
        ({**HEAD, "labels": {"head": [1]}}, "`labels`"),
        ({**HEAD, "labels": {"haed": [1, 2]}}, "`labels`"),
        ({**HEAD, "images": np.ones((3, 4, 4))}, "`images`"),
        ({**HEAD, "images": np.ones((2, 5000, 1))}, "`images`"),
    ):
        model = nested()
        with pytest.raises(ValueError, match=words):
            train(model, Projector(tmp_path, **arguments))
        assert model.optimizer.iterations == 0


def test_what_has_no_one_output_is_refused(tmp_path):
    x = keras.Input((3, 4))
    lstm, *_ = keras.layers.LSTM(2, return_state=True, name="lstm")(x)
    model = keras.Model(x, keras.layers.Dense(1)(lstm))
    model.compile("sgd", "mse", jit_compile=False)

    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.lstm = keras.layers.Dense(1, name="lstm")

        def call(self, x):
            return self.lstm(x)

    own = Own()
    own.compile("sgd", "mse", jit_compile=False)
    examples = np.ones((2, 3, 4), "float32")
    for shown, name in ((model, "lstm"), (own, "lstm")):
        with pytest.raises(ValueError, match="`layers`"):
            shown.fit(
                examples,
                np.ones((2, 1)),
                verbose=0,
                callbacks=[Projector(tmp_path, [name], examples)],
            )


def test_embeddings_are_found_inside_models_and_layers(tmp_path):
    class Both(keras.layers.Layer):
        def __init__(self, **arguments):
            super().__init__(**arguments)
            self.words = keras.layers.Embedding(5, 2, name="words")

        def call(self, x):
            return self.words(x)

    def block(name, layer):
        x = keras.Input((3,), dtype="int32")
        return keras.Model(x, layer(x), name=name)

    tokens = keras.Input((3,), dtype="int32", name="tokens")
    blocks = [
        block("left", keras.layers.Embedding(7, 2, name="words")),
        block("right", Both(name="both")),
    ]
    x = keras.layers.Add()([part(tokens) for part in blocks])
    model = keras.Model(tokens, keras.layers.Dense(1)(keras.layers.Flatten()(x)))
    model.compile("sgd", "mse", jit_compile=False)
    callback = Projector(tmp_path, labels={"right/both/words": list("abcde")})
    train(model, callback, width=3)
    listed = reader(tmp_path)("/info", run="projector").json["embeddings"]
    assert [(one["tensorName"], one["tensorShape"]) for one in listed] == [
        ("left/words", [7, 2]),
        ("right/both/words", [5, 2]),
    ]
