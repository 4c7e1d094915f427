"""Padding with a constant: numpy's, and Keras's where it is zero."""

import keras
import numpy as np
import pytest
from formula import values

from keras_arch.layers import ConstantPadding2D

X = values("input", (2, 3, 4, 2))


@pytest.mark.parametrize("padding", [0, 2, (1, 3), ((1, 0), (0, 2))])
@pytest.mark.parametrize("value", [-1.0, 0.5])
def test_as_numpy(padding, value):
    layer = ConstantPadding2D(padding, value)
    expected = np.pad(X, [(0, 0), *layer.padding, (0, 0)], constant_values=value)
    np.testing.assert_allclose(layer(X), expected, atol=1e-6)
    assert layer.compute_output_shape(X.shape) == expected.shape


def test_zero_is_that_of_keras():
    zeros = keras.layers.ZeroPadding2D(((1, 2), (3, 0)))
    np.testing.assert_array_equal(ConstantPadding2D(((1, 2), (3, 0)))(X), zeros(X))
