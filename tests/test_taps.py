"""Named taps come out as they are inside."""

import keras
import numpy as np
import pytest
from keras import layers

import keras_arch


def model():
    x = inputs = keras.Input((3,), name="image")
    x = layers.Dense(4, name="stem")(x)
    x = layers.Dense(5, "tanh", name="stage1")(x)
    return keras.Model(inputs, layers.Dense(2, name="head")(x), name="small")


def test_taps_are_the_outputs_of_the_named_layers():
    whole = model()
    x = np.random.default_rng(0).normal(size=(2, 3)).astype("float32")
    found = keras_arch.feature_extractor(whole, ["stage1", "stem"])(x)
    stem = x @ whole.get_layer("stem").kernel.numpy()
    assert list(found) == ["stage1", "stem"]
    np.testing.assert_allclose(found["stem"], stem, atol=1e-6)
    expected = np.tanh(stem @ whole.get_layer("stage1").kernel.numpy())
    np.testing.assert_allclose(found["stage1"], expected, atol=1e-6)


def test_weights_are_shared():
    whole = model()
    features = keras_arch.feature_extractor(whole, ["stem"])
    whole.get_layer("stem").kernel.assign(np.ones((3, 4)))
    np.testing.assert_array_equal(features(np.ones((1, 3)))["stem"], np.full((1, 4), 3.0))


def test_several_inputs_keep_their_structure():
    a, b = keras.Input((2,), name="a"), keras.Input((2,), name="b")
    whole = keras.Model({"a": a, "b": b}, layers.Subtract(name="head")([a, b]))
    features = keras_arch.feature_extractor(whole, ["head"])
    found = features({"b": np.ones((1, 2)), "a": np.zeros((1, 2))})
    np.testing.assert_array_equal(found["head"], [[-1.0, -1.0]])


def test_an_extractor_of_a_catalogued_model_is_saved_and_loaded(tmp_path):
    whole = keras_arch.models.LeNet5("modern", include_top=False)
    features = keras_arch.feature_extractor(whole, ["stem", "stage2"])
    features.save(tmp_path / "features.keras")
    again = keras.models.load_model(tmp_path / "features.keras")
    x = np.ones((1, 32, 32, 1))
    for tap, value in features(x).items():
        np.testing.assert_array_equal(again(x)[tap], value)


def test_a_layer_that_does_not_exist_is_named():
    with pytest.raises(ValueError, match=r"'stem', 'stage1', 'head'.*Received: taps=\['stage7'\]"):
        keras_arch.feature_extractor(model(), ["stem", "stage7"])
