"""What people see of a signal report: table, picture, TensorBoard."""

import keras
import numpy as np
import pytest
from keras import layers
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from keras_arch.analysis import signal_report


@pytest.fixture(scope="module")
def report():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((9, 4), name="sequence")
    x = layers.SimpleRNN(6, return_sequences=True, name="first")(inputs)
    x = layers.GRU(5, name="second")(x)
    for block in range(8):
        x = layers.Dense(12, "relu", kernel_initializer="he_normal", name=f"block{block + 1}")(x)
    model = keras.Model(inputs, layers.Dense(3, name="head")(x), name="model")
    return signal_report(model, np.random.default_rng(0).normal(size=(16, 9, 4)))


def test_the_table_has_a_line_for_each_layer(report):
    lines = str(report).splitlines()
    assert lines[0] == "model, 16 examples"
    assert lines[1].split()[:4] == ["layer", "mean", "variance", "variation"]
    assert lines[2].startswith("first/simple_rnn_cell (9 steps)")
    assert "Glorot" in lines[2]
    assert lines[2].endswith("; orthogonal")
    assert [line.split()[0] for line in lines[4:13]] == [
        *(f"block{block}" for block in range(1, 9)),
        "head",
    ]
    assert lines[-2].startswith("Jacobian of 3 of 3 outputs by inputs (36)")
    assert lines[-1] == f"Verdict: {report.verdict}"
    assert max(map(len, lines[:-1])) < 160


def test_numbers_of_the_table_are_those_of_the_report(report):
    cells = str(report).splitlines()[4].split()
    block = report.layers[2]
    assert cells[:4] == [
        "block1",
        f"{block.mean:.3g}",
        f"{block.variance:.3g}",
        f"{block.variation:.3g}",
    ]
    assert f"{100 * block.saturation:.0f} %" in str(report).splitlines()[4]


def test_a_long_table_is_cut_and_says_so(report):
    short = report.table(limit=4).splitlines()
    assert short[2].startswith("first")
    assert short[5].startswith("head")
    assert short[6] == "(4 of 11 layers; `table()` has all)"


def test_the_picture_shows_every_number(report, tmp_path):
    figure = report.plot(tmp_path / "report.png")
    assert (tmp_path / "report.png").stat().st_size > 10_000
    assert report.verdict[:60] in figure.get_suptitle().replace("\n", " ")
    activations, gradients, units, spectrum, *maps = figure.axes
    drawn = {
        line.get_label(): line.get_ydata()
        for ax in (activations, gradients, units)
        for line in ax.lines
    }
    np.testing.assert_array_equal(drawn["variance"], [x.variance for x in report.layers])
    np.testing.assert_array_equal(drawn["by activations"], [x.gradient for x in report.layers])
    np.testing.assert_array_equal(drawn["dead"], [x.dead for x in report.layers])
    assert activations.get_yscale() == gradients.get_yscale() == "log"
    np.testing.assert_allclose(spectrum.lines[0].get_ydata(), report.jacobian.singular_values[0])
    image = maps[0].images[0].get_array()
    np.testing.assert_allclose(image[1], np.log10(report.layers[1].steps.variance))
    assert maps[0].images[0].get_cmap().name == "viridis"


def test_a_picture_of_nothing_left_is_drawn(tmp_path):
    inputs = keras.Input((3,))
    dead = layers.Dense(4, "relu", kernel_initializer="zeros")(inputs)
    report = signal_report(keras.Model(inputs, layers.Dense(2)(dead)), np.eye(4, 3))
    assert report.diagnosis in ("dead", "vanishing")
    report.plot(tmp_path / "report.png")
    report.write(tmp_path)


def test_tensorboard_shows_curves_over_the_layers(report, tmp_path):
    report.write(tmp_path)
    events = EventAccumulator(str(tmp_path), size_guidance={"scalars": 0})
    events.Reload()
    tags = events.Tags()
    assert {"signal/dead", "signal/log10_gradient", "signal/log10_variance"} <= set(tags["scalars"])
    assert len(tags["scalars"]) <= 12
    curve = events.Scalars("signal/log10_gradient")
    assert [point.step for point in curve] == list(range(1, 12))
    np.testing.assert_allclose(
        [point.value for point in curve],
        np.log10([layer.gradient for layer in report.layers]),
        rtol=1e-6,
    )
    assert tags["images"] == ["signal/picture"]
    assert events.Images("signal/picture")[0].encoded_image_string.startswith(b"\x89PNG")
    (histogram,) = events.Histograms("signal/log10_singular_values")
    assert histogram.histogram_value.num == report.jacobian.singular_values.size
    text = events.Tensors("signal/report")[0].tensor_proto.string_val[0].decode()
    assert report.verdict in text
    assert "    block8" in text
