import keras
import numpy as np
import pytest
from scipy.signal import correlate2d

from keras_arch.analysis import effective_kernel
from keras_arch.layers import factorized_conv


def stack(**arguments):
    image = keras.Input((31, 31, 1))
    return keras.Model(image, factorized_conv(image, 1, **arguments))


@pytest.mark.parametrize("size", [3, 5, 15])
def test_without_activation_it_is_one_convolution_of_that_size(size):
    model = stack(size=size, activation=None, use_bias=False)
    kernel = effective_kernel([layer.kernel for layer in model.layers[1:]])[:, :, 0, 0]
    assert kernel.shape == (size, size)
    assert abs(kernel[[0, -1]]).max() > 0  # the whole field is used
    x = np.zeros((31, 31))
    x[8:23, 8:23] = np.random.default_rng(0).normal(size=(15, 15))  # away from the edges
    expected = correlate2d(x, kernel, mode="same")
    found = model(x[None, :, :, None].astype("float32"))[0, :, :, 0]
    np.testing.assert_allclose(found, expected, atol=1e-5 * abs(expected).max())


def test_63_weights_instead_of_225():
    assert stack(use_bias=False).count_params() == 63
    assert stack().count_params() == 63 + 7


def test_each_layer_is_named_and_activated():
    layers = stack(size=7, name="wide").layers[1:]
    assert [layer.name for layer in layers] == ["wide1", "wide2", "wide3"]
    assert all(layer.activation is keras.activations.relu for layer in layers)


@pytest.mark.parametrize("size", [1, 4])
def test_sizes_that_no_stack_sees(size):
    with pytest.raises(ValueError, match=f"`size`.*Received: size={size}"):
        stack(size=size)
