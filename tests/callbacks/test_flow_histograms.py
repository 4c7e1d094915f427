"""Histograms of log10 |gradient|, and what a record weighs."""

import keras
import numpy as np
import tensorflow as tf
from callbacks.taped_training import batches, build, events, fit, taped
from tensorboard.util import tensor_util

from keras_arch.callbacks import GradientFlow
from keras_arch.layers import StackedConv2D


def histograms(log_dir):
    found = events(log_dir)
    tags = [tag for tag in found.Tags()["tensors"] if tag.startswith("log10_gradient/")]
    return {
        tag.partition("/")[2]: tensor_util.make_ndarray(found.Tensors(tag)[0].tensor_proto)
        for tag in tags
    }


def counted(*gradients):
    with np.errstate(divide="ignore"):
        decades = np.log10(np.abs(np.concatenate([g.ravel() for g in gradients]))).astype("float32")
    inner = np.histogram(decades, np.linspace(-12, 2, 57))[0]
    return [np.sum(decades < -12), *inner, np.sum(decades >= 2)]


def test_counts_are_numpys(tmp_path):
    fit(build(), batches(1), [GradientFlow(tmp_path, histograms=True)])
    [(gradients, *_)] = taped(build(), batches(1))
    found = histograms(tmp_path)
    assert list(found) == ["000_embedding", "001_recurrent/simple_rnn_cell", "002_gate", "003_head"]
    for name, places in {
        "001_recurrent/simple_rnn_cell": [1, 2],
        "002_gate": [6],
        "003_head": [7],
    }.items():
        bins = found[name]
        np.testing.assert_allclose(bins[1:, 0], np.linspace(-12, 2, 57))
        wanted = counted(*(gradients[place] for place in places))
        assert bins[:, 2].sum() == sum(gradients[place].size for place in places)
        assert np.abs(bins[:, 2] - wanted).sum() <= 2, name  # at an end of a bin, rounding decides


def test_a_stack_has_one_for_each_layer(tmp_path):
    image = keras.Input((4, 4, 2), name="image")
    x = StackedConv2D(3, 3, activation="tanh", name="deep")(image)
    x = keras.layers.Flatten(name="flatten")(x)
    model = keras.Model(image, keras.layers.Dense(1, name="head")(x))
    model.compile("sgd", "mse", jit_compile=False)
    x = np.ones((4, 4, 4, 2), "float32")
    fit(
        model,
        tf.data.Dataset.from_tensors((x, x[:, 0, 0, :1])),
        [GradientFlow(tmp_path, histograms=True)],
    )
    found = histograms(tmp_path)
    assert list(found) == ["000_deep/0", "001_deep/1", "002_deep/2", "003_head"]
    assert [bins[:, 2].sum() for bins in found.values()] == [36, 36, 36, 32]


def test_the_size_of_a_record(tmp_path):
    """For 28 layers, at most 50 kB with all there is, and 5 kB of norms alone."""
    image = x = keras.Input((8,), name="image")
    for index in range(28):
        x = keras.layers.Dense(8, "tanh", name=f"dense_{index}")(x)
    model = keras.Model(image, x)
    model.compile("sgd", "mse", jit_compile=False)
    data = np.random.default_rng(0).normal(size=(44, 8)).astype("float32")
    sizes = {}
    for full in (False, True):
        for steps in (1, 11):
            folder = tmp_path / f"{full} {steps}"
            callback = GradientFlow(folder, 1, histograms=full, activations=full)
            model.fit(
                data[: 4 * steps], data[: 4 * steps], batch_size=4, verbose=0, callbacks=[callback]
            )
            [path] = (folder / "gradient_flow").iterdir()
            sizes[full, steps] = path.stat().st_size
    records = {which: (sizes[which, 11] - sizes[which, 1]) / 10 for which in (False, True)}
    assert records[True] < 50_000, records
    assert records[False] < 5_000, records
