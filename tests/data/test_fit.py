"""``fit`` takes the pipeline as it is, and counts its steps right."""

import doctest
import importlib
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from keras_arch import data, models


def test_fit_takes_one_pipeline_for_all_epochs(data_dir):
    inputs = keras.Input((8, 8, 1), name="image")
    x = keras.layers.Flatten(name="pixels")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(10, "softmax", name="head")(x))
    model.compile(
        keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    steps = len(data.load("digits", batch_size=64, data_dir=data_dir))
    assert steps == 23
    dataset = data.load("digits", batch_size=64, seed=1, epochs=4, data_dir=data_dir)
    history = model.fit(dataset, epochs=4, steps_per_epoch=steps, shuffle=False, verbose=0)
    assert len(history.history["loss"]) == 4
    assert int(model.optimizer.iterations.numpy()) == 4 * steps
    test = data.load("digits", "test", batch_size=100, data_dir=data_dir)
    assert model.evaluate(test, verbose=0, return_dict=True)["accuracy"] > 0.85


def test_an_epoch_by_itself_adds_no_step(data_dir):
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten()])
    model.add(keras.layers.Dense(10))
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    dataset = data.load("digits", batch_size=100, seed=1, data_dir=data_dir)
    model.fit(dataset, epochs=3, shuffle=False, verbose=0)
    assert int(model.optimizer.iterations.numpy()) == 3 * 15


def test_karate_trains_a_graph_network_from_two_labels(data_dir):
    model = models.GCN(nodes=34, features=34, classes=2)
    model.compile(
        keras.optimizers.Adam(0.01),
        "sparse_categorical_crossentropy",
        weighted_metrics=["accuracy"],
    )
    dataset = data.load("karate", batch_size=1, epochs=100, data_dir=data_dir)
    model.fit(dataset, shuffle=False, verbose=0)
    test = data.load("karate", "test", batch_size=1, data_dir=data_dir)
    assert model.evaluate(test, verbose=0, return_dict=True)["accuracy"] >= 0.85
    ((inputs, labels, _),) = data.load("karate", "test", batch_size=1, data_dir=data_dir)
    np.testing.assert_array_equal(labels.shape, (1, 34))
    assert model(inputs).shape == (1, 34, 2)


def test_importing_the_room_loads_no_tensorflow():
    program = (
        "import sys, keras_arch.data as data; print(data.__all__);"
        "assert not {'tensorflow', 'tensorflow_datasets', 'networkx'} & {*sys.modules}"
    )
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "KERAS_BACKEND": "jax",
    }
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)


@pytest.mark.parametrize("module", ["loading", "made.adding", "made.gaussian_ring"])
def test_doctests(module):
    results = doctest.testmod(importlib.import_module(f"keras_arch.data.{module}"))
    assert results.attempted
    assert not results.failed
