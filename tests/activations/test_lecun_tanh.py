import keras
import numpy as np
import pytest

from keras_arch.activations import lecun_tanh
from keras_arch.initializers.mean_field import moments


def test_formula():
    x = np.linspace(-4, 4, 33).astype("float32")
    np.testing.assert_allclose(lecun_tanh(x), 1.7159 * np.tanh(2 * x / 3), rtol=1e-6)


def test_targets_of_one_are_fixed_points_of_steepest_change():
    np.testing.assert_allclose(lecun_tanh(np.array([-1.0, 1.0])), [-1, 1], atol=1e-4)
    slope = np.gradient(np.asarray(lecun_tanh(np.linspace(0, 3, 3001))))
    curvature = np.abs(np.gradient(slope))
    assert abs(np.argmax(curvature[1:-1]) / 1000 - 1) < 0.02


def test_standard_normals_come_out_with_three_quarters_of_their_variance():
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    weights = weights / weights.sum()
    given = np.asarray(lecun_tanh(nodes))
    assert weights @ given**2 == pytest.approx(0.750, abs=5e-4)
    assert weights @ given == pytest.approx(0, abs=1e-6)
    assert moments("lecun_tanh", 1.0)[0] == pytest.approx(weights @ given**2, rel=1e-5)


def test_a_layer_keeps_it_by_name():
    layer = keras.layers.Dense(2, activation=lecun_tanh)
    stored = keras.saving.serialize_keras_object(layer)
    assert stored["config"]["activation"]["config"] == "keras_arch.activations>lecun_tanh"
    again = keras.saving.deserialize_keras_object(stored)
    assert again.activation is lecun_tanh
