import keras
import numpy as np

from keras_arch.layers import TrainableSubsampling


def image():
    return np.random.default_rng(0).normal(size=(2, 6, 9, 4)).astype("float32")


def test_sum_of_each_window_scaled_and_shifted():
    layer = TrainableSubsampling(
        3, activation="tanh", gamma_initializer="normal", beta_initializer="normal"
    )
    sums = image().reshape(2, 2, 3, 3, 3, 4).sum(axis=(2, 4))
    found = layer(image())
    expected = np.tanh(np.asarray(layer.gamma) * sums + np.asarray(layer.beta))
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert layer.count_params() == 8


def test_it_starts_as_average_pooling():
    expected = keras.layers.AveragePooling2D(2)(image())
    np.testing.assert_allclose(TrainableSubsampling(2)(image()), expected, atol=1e-6)
