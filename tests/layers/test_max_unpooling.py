import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_arch.layers import MaxPoolWithIndices2D, MaxUnpool2D

WINDOWS = [  # pool size, strides, padding
    (2, None, "valid"),
    (3, 2, "valid"),
    (3, 2, "same"),
    ((2, 3), (1, 2), "same"),
    (1, 2, "same"),
]


def pair(value):
    return (value, value) if isinstance(value, int) else value


def image():
    return np.random.default_rng(0).standard_normal((2, 9, 8, 3)).astype("float32")


@pytest.mark.parametrize("window", WINDOWS)
def test_maxima_and_their_places_are_tensorflows(window):
    pooled, indices = MaxPoolWithIndices2D(*window)(image())
    size, strides, padding = window
    expected, flat = tf.nn.max_pool_with_argmax(
        image(), pair(size), pair(strides or size), padding.upper()
    )
    np.testing.assert_array_equal(pooled, expected)
    np.testing.assert_array_equal(indices, flat // 3)  # theirs counts channels, too


@pytest.mark.parametrize("window", WINDOWS)
def test_unpooling_is_the_gradient_of_pooling(window):
    pooled, indices = MaxPoolWithIndices2D(*window)(image())
    signal = np.random.default_rng(1).standard_normal(pooled.shape).astype("float32")
    size, strides, padding = window
    x = tf.Variable(image())
    with tf.GradientTape() as tape:
        y = tf.nn.max_pool2d(x, pair(size), pair(strides or size), padding.upper())
        loss = tf.reduce_sum(y * signal)
    found = MaxUnpool2D((9, 8))([signal, indices])
    np.testing.assert_allclose(found, tape.gradient(loss, x), atol=1e-6)


def test_maxima_return_to_their_places():
    x = image()[:, :8]
    found = np.asarray(MaxUnpool2D((8, 8))(list(MaxPoolWithIndices2D(2)(x))))
    windows = x.reshape(2, 4, 2, 4, 2, 3)
    largest = windows == windows.max(axis=(2, 4), keepdims=True)
    np.testing.assert_array_equal(found, np.where(largest, windows, 0).reshape(x.shape))
    assert np.count_nonzero(found) == 2 * 4 * 4 * 3


def test_of_equal_maxima_the_first():
    _, indices = MaxPoolWithIndices2D(2)(np.zeros((1, 4, 4, 1)))
    assert np.ravel(indices).tolist() == [0, 2, 8, 10]


def test_images_of_any_size():
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, MaxPoolWithIndices2D(3, 2, "same")(inputs))
    assert [tensor.dtype for tensor in model.output] == ["float32", "int32"]
    for found, expected in zip(
        model.predict(image(), verbose=0), MaxPoolWithIndices2D(3, 2, "same")(image()), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


def test_another_padding_is_refused():
    with pytest.raises(ValueError, match=r"`padding`.*Received: padding='full'"):
        MaxPoolWithIndices2D(2, padding="full")
