import keras
import numpy as np

from keras_arch.activations import lecun_tanh


def test_formula():
    x = np.linspace(-4, 4, 33).astype("float32")
    np.testing.assert_allclose(lecun_tanh(x), 1.7159 * np.tanh(2 * x / 3), rtol=1e-6)


def test_targets_of_one_are_fixed_points_of_steepest_change():
    np.testing.assert_allclose(lecun_tanh(np.array([-1.0, 1.0])), [-1, 1], atol=1e-4)
    slope = np.gradient(np.asarray(lecun_tanh(np.linspace(0, 3, 3001))))
    curvature = np.abs(np.gradient(slope))
    assert abs(np.argmax(curvature[1:-1]) / 1000 - 1) < 0.02


def test_a_layer_keeps_it_by_name():
    layer = keras.layers.Dense(2, activation=lecun_tanh)
    stored = keras.saving.serialize_keras_object(layer)
    assert stored["config"]["activation"]["config"] == "keras_arch.activations>lecun_tanh"
    again = keras.saving.deserialize_keras_object(stored)
    assert again.activation is lecun_tanh
