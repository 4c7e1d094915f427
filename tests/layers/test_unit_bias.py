import keras
import numpy as np
import pytest

from keras_arch.layers import UnitBias


def test_a_bias_of_each_unit():
    layer = UnitBias("relu", bias_initializer="random_normal")
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 5)).astype("float32")
    found = layer(x)
    assert layer.bias.shape == (3, 4, 5)
    np.testing.assert_allclose(found, np.maximum(x + np.asarray(layer.bias), 0), rtol=1e-6)


def test_units_are_known():
    with pytest.raises(ValueError, match="a fixed size"):
        UnitBias()(keras.Input((None, 4)))
