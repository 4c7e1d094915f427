"""What a block adds is scaled."""

import keras
import numpy as np
import pytest

from keras_arch.layers import residual_scale


@pytest.mark.parametrize("scale", [0.0, 0.17, 1.0])
def test_it_is_its_formula(scale):
    a, b = keras.Input((3, 3, 2), name="a"), keras.Input((3, 3, 2), name="b")
    model = keras.Model([a, b], residual_scale(a, b, scale, name="block"))
    random = np.random.default_rng(0)
    x, y = (random.normal(size=(2, 3, 3, 2)).astype("float32") for _ in range(2))
    np.testing.assert_allclose(model([x, y]), x + scale * y, rtol=1e-6, atol=1e-6)
    assert [layer.name for layer in model.layers][-1] == "block_add"
    assert not model.weights
