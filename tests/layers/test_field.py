import keras
import numpy as np

from keras_arch.layers import centred


def test_zeros_around_what_is_smaller():
    image = keras.Input((3, 6, 2))
    model = keras.Model(image, centred(image, 6))
    x = np.random.default_rng(0).normal(size=(1, 3, 6, 2)).astype("float32")
    np.testing.assert_array_equal(model(x), np.pad(x, [(0, 0), (1, 2), (0, 0), (0, 0)]))


def test_nothing_around_what_is_not():
    for shape in ((6, 7, 1), (None, None, 1)):
        image = keras.Input(shape)
        assert centred(image, 6) is image
