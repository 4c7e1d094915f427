"""Classical filters: what they are known for, and scipy's."""

import keras
import numpy as np
import pytest
from scipy import ndimage

from keras_arch.initializers import FilterBank


def image(channels=1):
    return np.random.default_rng(0).normal(size=(1, 9, 10, channels)).astype("float32")


def filtered(x, kind, size=3, filters=1, **arguments):
    law = FilterBank(kind, **arguments)
    conv = keras.layers.Conv2D(
        filters, size, padding="same", use_bias=False, kernel_initializer=law
    )
    return np.asarray(conv(x))


@pytest.mark.parametrize("size", [1, 3, 5, 7, (3, 5)])
def test_delta_is_the_identity(size):
    np.testing.assert_allclose(filtered(image(), "delta", size), image(), atol=1e-6)
    law = FilterBank("delta")
    depthwise = keras.layers.DepthwiseConv2D(
        size, padding="same", use_bias=False, depthwise_initializer=law
    )
    np.testing.assert_allclose(depthwise(image(3)), image(3), atol=1e-6)


def test_sobel_and_laplacian_of_scipy():
    x = image()[0, :, :, 0]
    slopes = filtered(image(), "sobel", filters=2)[0]
    for channel, axis in ((0, 1), (1, 0)):
        expected = ndimage.sobel(x, axis=axis, mode="constant")
        np.testing.assert_allclose(slopes[..., channel], expected, atol=1e-5)
    expected = ndimage.laplace(x, mode="constant")
    np.testing.assert_allclose(filtered(image(), "laplacian")[0, :, :, 0], expected, atol=1e-5)


def test_gaussian_of_scipy():
    x = image()[0, :, :, 0]
    expected = ndimage.gaussian_filter(x, sigma=1.5, mode="constant", radius=3)
    found = filtered(image(), "gaussian", size=7, sigma=1.5)[0, :, :, 0]
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("size", [3, 5, 7])
def test_sums(size):
    shape = (size, size, 1, 2)
    assert np.asarray(FilterBank("gaussian")(shape)).sum() == pytest.approx(2)
    for kind in ("sobel", "laplacian"):
        np.testing.assert_allclose(np.asarray(FilterBank(kind)(shape)).sum((0, 1)), 0, atol=1e-5)


def test_a_wider_sobel_is_the_slope_of_a_blurred_image():
    """Of a ramp it is the slope times the sum of its binomial weights, wherever it stands."""
    ramp = np.broadcast_to(np.arange(12.0), (12, 12))[None, ..., None]
    for size in (3, 5, 7):
        found = filtered(ramp, "sobel", size, filters=2)[0, 4:8, 4:8]
        np.testing.assert_allclose(found[..., 0], 2.0 ** (2 * size - 3), rtol=1e-6)
        np.testing.assert_allclose(found[..., 1], 0, atol=1e-4)


def test_a_convolution_sums_the_colours():
    x = image(3)
    expected = filtered(x.sum(-1, keepdims=True), "sobel", filters=2)
    np.testing.assert_allclose(filtered(x, "sobel", filters=2), expected, atol=1e-5)
    again = filtered(x, "sobel", filters=5)
    np.testing.assert_allclose(again[..., 2:4], expected, atol=1e-5)


def test_dtype():
    assert keras.backend.standardize_dtype(FilterBank()((3, 3, 1, 1), "float16").dtype) == "float16"


def test_what_is_no_filter_is_refused():
    with pytest.raises(ValueError, match=r"`kind`.*Received: kind='prewitt'"):
        FilterBank("prewitt")
    with pytest.raises(ValueError, match="`sigma`"):
        FilterBank("gaussian", sigma=0)
    for shape in ((3, 3, 1), (2, 3, 1, 1), (1, 3, 1, 1)):
        with pytest.raises(ValueError, match="`shape`"):
            FilterBank("sobel")(shape)
