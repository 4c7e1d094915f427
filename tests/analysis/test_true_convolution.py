import keras
import numpy as np
import pytest
from scipy.signal import convolve2d, correlate2d

from keras_arch.analysis import true_convolution

RNG = np.random.default_rng(0)
X, KERNEL = RNG.normal(size=(2, 9, 8, 3)), RNG.normal(size=(3, 5, 3, 4))


def by_scipy(function, padding):
    channels = [
        [
            sum(function(x[..., c], KERNEL[..., c, f], mode=padding) for c in range(3))
            for f in range(4)
        ]
        for x in X
    ]
    return np.moveaxis(np.array(channels), 1, -1)


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_scipy_s_convolution(padding):
    expected = by_scipy(convolve2d, padding)
    np.testing.assert_allclose(true_convolution(X, KERNEL, padding), expected, atol=1e-12)


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_what_keras_calls_convolution_is_correlation(padding):
    found = keras.ops.conv(X, KERNEL, padding=padding)
    np.testing.assert_allclose(found, by_scipy(correlate2d, padding), atol=1e-12)
    assert not np.allclose(found, by_scipy(convolve2d, padding))


def test_both_agree_on_a_kernel_that_half_a_turn_does_not_change():
    even = KERNEL + KERNEL[::-1, ::-1]
    np.testing.assert_allclose(true_convolution(X, even), keras.ops.conv(X, even), atol=1e-12)
