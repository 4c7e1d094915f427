"""What every layer, loss and initializer of the catalogue promises."""

import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf
from conformance.probe import PARTS, array, draws, every_layer, initialized, inputs, wrapped

import keras_arch

CLASSES = [
    pytest.param(entry, label, id=f"{entry.room}.{entry.name}-{label}")
    for entry in keras_arch.entries()
    for label in entry.tiny
    if inspect.isclass(entry.target) and entry.room != "models"
]
INITIALIZERS = [
    pytest.param(entry, label, id=f"{entry.name}-{label}")
    for entry, label in PARTS
    if entry.room == "initializers"
]


@pytest.mark.parametrize(("entry", "label"), CLASSES)
def test_configuration_round_trip(entry, label):
    made = entry.target(**entry.tiny[label])
    stored = keras.saving.serialize_keras_object(made)
    assert stored["registered_name"] == f"keras_arch.{entry.room}>{entry.name}"
    again = keras.saving.deserialize_keras_object(stored, safe_mode=True)
    assert again.get_config() == made.get_config()
    assert set(entry.tiny[label]) <= set(made.get_config())


@pytest.mark.parametrize(("entry", "label"), CLASSES)
def test_docstring(entry, label):
    assert entry.url in inspect.getmodule(entry.target).__doc__
    doc = inspect.getdoc(entry.target)
    for parameter in inspect.signature(entry.target).parameters.values():
        if parameter.kind is not parameter.VAR_KEYWORD:
            assert f"\n    {parameter.name}: " in doc, parameter.name


@every_layer
@pytest.mark.parametrize("batch", [1, 3])
def test_forward(entry, label, batch):
    model = wrapped(entry, label)
    output = array(model(inputs(model, batch)))
    assert np.isfinite(output).all()
    for size, found in zip(model.output_shape[1:], output.shape[1:], strict=True):
        assert size in (None, found)  # the symbolic shape told the truth
    assert output.shape[0] == batch


@every_layer
def test_reload(entry, label, tmp_path):
    model = wrapped(entry, label)
    expected = array(model(inputs(model)))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(array(again(inputs(model))), expected)


@every_layer
def test_gradients(entry, label):
    model = wrapped(entry, label)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(inputs(model), training=True) ** 2)
    gradients = tape.gradient(loss, [v.value for v in model.trainable_variables])
    for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
        assert gradient is not None, variable.path
        assert np.isfinite(gradient).all(), variable.path
        assert np.any(gradient), variable.path


@every_layer
def test_mixed_precision(entry, label):
    keras.config.set_dtype_policy("mixed_bfloat16")
    model = wrapped(entry, label)
    output = model(inputs(model))
    assert keras.backend.standardize_dtype(output.dtype) == "bfloat16"
    assert np.isfinite(array(output)).all()
    assert all(v.dtype == "float32" for v in model.trainable_variables)


@pytest.mark.parametrize(("entry", "label"), INITIALIZERS)
def test_initializer_is_a_function_of_its_seed(entry, label):
    seeds = [{"seed": 3}, {"seed": 3}, {"seed": 4}] if draws(entry) else [{}, {}]
    first, again, *other = (array(initialized(entry, label, **seed)) for seed in seeds)
    np.testing.assert_array_equal(first, again)
    assert not any(np.array_equal(first, x) for x in other)
    half = initialized(entry, label, "float16", **seeds[0])
    assert keras.backend.standardize_dtype(half.dtype) == "float16"
