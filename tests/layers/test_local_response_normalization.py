import numpy as np
import pytest
import tensorflow as tf

from keras_arch.layers import LocalResponseNormalization


@pytest.mark.parametrize("channels", [1, 3, 5, 12])
def test_equals_tensorflows(channels):
    x = 30 * np.random.default_rng(0).standard_normal((2, 3, 4, channels)).astype("float32")
    expected = tf.nn.local_response_normalization(x, 2, bias=2.0, alpha=1e-4, beta=0.75)
    np.testing.assert_allclose(LocalResponseNormalization()(x), expected, rtol=1e-5)
    layer = LocalResponseNormalization(7, bias=0.5, alpha=0.3, beta=1.5)
    expected = tf.nn.local_response_normalization(x, 3, bias=0.5, alpha=0.3, beta=1.5)
    np.testing.assert_allclose(layer(x), expected, rtol=1e-4)


def test_alpha_is_not_divided_by_the_size():
    """Where torch divides: one response of 3 in a window of 5."""
    x = np.array([[0, 0, 3, 0, 0]], "float32")
    layer = LocalResponseNormalization(bias=1.0, alpha=1.0, beta=1.0)
    np.testing.assert_allclose(layer(x)[0, 2], 3 / (1 + 9), rtol=1e-6)


def test_large_responses_in_half_precision():
    x = np.full((1, 8), 300.0, "float16")  # whose squares are infinite there
    found = LocalResponseNormalization(dtype="float16")(x)
    expected = LocalResponseNormalization()(x.astype("float32"))
    np.testing.assert_allclose(found, expected, rtol=1e-3)


def test_an_even_size_is_refused():
    with pytest.raises(ValueError, match=r"`size`.*odd.*Received: size=4"):
        LocalResponseNormalization(4)
