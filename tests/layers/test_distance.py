import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.spatial import distance

from keras_arch.layers import Distance

REFERENCE = {"l1": distance.cityblock, "l2": distance.euclidean, "cosine": distance.cosine}


def codes():
    return np.random.default_rng(0).normal(size=(2, 6, 5)).astype("float32")


@pytest.mark.parametrize("metric", REFERENCE)
def test_scipy_measures_the_same(metric):
    a, b = codes()
    expected = [[REFERENCE[metric](x, y)] for x, y in zip(a, b, strict=True)]
    np.testing.assert_allclose(Distance(metric)((a, b)), expected, rtol=1e-5)


@pytest.mark.parametrize("metric", REFERENCE)
def test_it_is_symmetric_and_zero_to_itself(metric):
    a, b = codes()
    layer = Distance(metric)
    np.testing.assert_array_equal(layer((a, b)), layer((b, a)))
    np.testing.assert_array_equal(layer((a, a)), np.zeros((6, 1)))


@pytest.mark.parametrize("metric", REFERENCE)
def test_gradients_of_equal_and_of_empty_codes_are_finite(metric):
    for code in (codes()[0], np.zeros((2, 3), "float32")):
        x = tf.constant(code)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = Distance(metric)((x, tf.identity(code)))
        assert np.isfinite(tape.gradient(y, x)).all()


def test_what_cannot_be_measured_is_refused():
    with pytest.raises(ValueError, match=r"`metric`.*Received: metric='l3'"):
        Distance("l3")
    with pytest.raises(ValueError, match=r"two codes of shape \(None, 3\)"):
        Distance()([keras.Input((3,)), keras.Input((4,))])
