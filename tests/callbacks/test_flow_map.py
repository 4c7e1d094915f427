"""The map of depth by step, and what runs are compared by."""

import io

import keras
import numpy as np
import tensorflow as tf
from callbacks.taped_training import batches, build, events, fit
from PIL import Image
from tensorboard.plugins.hparams import metadata, plugin_data_pb2

from keras_arch.callbacks import GradientFlow
from keras_arch.callbacks.depth_map import COLUMNS, LABEL, LINE, DepthMap, coloured


def test_colours_rise_in_lightness_on_one_scale():
    decades = np.linspace(-8, 1, 91)
    lightness = coloured(decades) @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(lightness) > 0).all()
    np.testing.assert_array_equal(coloured(np.array([-99, -np.inf])), coloured(np.array([-8, -8])))
    red, green, blue = coloured(np.array([np.nan]))[0]
    assert red > 200
    assert max(green, blue) < 50


def test_each_cell_has_the_colour_of_its_norm():
    drawn = DepthMap()
    for step in range(4):
        drawn.add(step, {"000_a": 10.0**-step, "001_b": 1.0, "002_c": 0.0})
    page = np.asarray(Image.open(io.BytesIO(drawn.png())))
    cells = page[LINE + 16 :: 32, LABEL + 80 :: 160][:3, :4]
    wanted = coloured(np.array([[0, -1, -2, -3], [0] * 4, [-np.inf] * 4]))
    np.testing.assert_array_equal(cells, wanted)


def test_a_long_training_is_thinned_out():
    drawn = DepthMap()
    for step in range(10 * COLUMNS):
        drawn.add(step, {"000_a": 1.0})
    steps = [step for step, _ in drawn._columns]
    assert len(steps) < COLUMNS
    assert len(set(np.diff(steps))) == 1
    assert steps[0] == 0
    assert steps[-1] > 9 * COLUMNS


def test_no_kernel_is_no_map(tmp_path, caplog):
    """Of biases and scales alone, the numbers are logged."""
    image = keras.Input((4,), name="image")
    x = keras.layers.BatchNormalization(name="norm")(image)
    model = keras.Model(image, keras.layers.Dense(1, name="head", trainable=False)(x))
    model.compile("sgd", "mse", jit_compile=False)
    x = np.random.default_rng(0).normal(size=(8, 4))
    fit(model, tf.data.Dataset.from_tensors((x, x[:, :1])), [GradientFlow(tmp_path)], epochs=2)
    assert caplog.records == []
    logged = events(tmp_path)
    assert len(logged.Scalars("log10_group_gradient_norm/gamma")) == 1
    assert len(logged.Scalars("epoch/loss")) == 2
    assert logged.Tags()["images"] == []


def test_a_map_that_cannot_be_drawn_costs_no_numbers(tmp_path, monkeypatch):
    monkeypatch.delattr(DepthMap, "png")
    fit(build(), callbacks=[GradientFlow(tmp_path)])
    assert len(events(tmp_path).Scalars("epoch/loss")) == 1


def hparams(log_dir):
    """What the run tells the tab, by kind of message."""
    found = events(log_dir)
    tags = found.PluginTagToContent(metadata.PLUGIN_NAME)
    read = (plugin_data_pb2.HParamsPluginData.FromString(content) for content in tags.values())
    return {data.WhichOneof("data"): getattr(data, data.WhichOneof("data")) for data in read}


def test_the_run_stands_among_others(tmp_path):
    model = build(optimizer=keras.optimizers.Adam(0.5))
    model.compile(model.optimizer, model.loss, metrics=["accuracy"], jit_compile=False)
    callback = GradientFlow(tmp_path, every=1, hparams={"batch": 8, "shuffled": False})
    fit(model, callbacks=[callback], validation_data=batches(1), epochs=2)
    told = hparams(tmp_path)
    start = told["session_start_info"].hparams
    assert start["optimizer"].string_value == "Adam"
    assert start["learning_rate"].string_value == "0.5"
    assert start["parameters"].number_value == model.count_params()
    assert start["depth"].number_value == 4
    assert start["initializer"].string_value == "GlorotUniform"
    assert start["batch"].number_value == 8
    assert "session_end_info" in told
    logged = events(tmp_path)
    metrics = [info.name.tag for info in told["experiment"].metric_infos]
    assert {"epoch/loss", "epoch/val_accuracy", "epoch/log10_first_to_last_gradient"} <= set(
        metrics
    )
    for tag in metrics:
        assert len(logged.Scalars(tag)) == 2
    [*_, last] = logged.Scalars("epoch/log10_first_to_last_gradient")
    assert last.value == np.float32(callback.summary["log10_first_to_last_gradient"])
    assert [event.step for event in logged.Images("gradient_map")] == [4, 8]


def test_sixty_layers_are_few_charts(tmp_path):
    from callbacks.test_gradient_flow import charts

    image = x = keras.Input((4,), name="image")
    for index in range(60):
        x = keras.layers.Dense(4, "relu", name=f"dense{index}")(x)
    model = keras.Model(image, x)
    model.compile(keras.optimizers.SGD(0.1, clipnorm=1.0), "mse", jit_compile=False)
    x = np.ones((4, 4), "float32")
    fit(model, tf.data.Dataset.from_tensors((x, x)), [GradientFlow(tmp_path)])
    found = charts(tmp_path)
    assert len(found) == 11
    assert max(map(len, found.values())) == 60
