"""The way back equals a gradient whose ReLUs rectify the signal, and known cases by hand."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from formula import fill_keras, image
from keras import layers

from keras_arch import models
from keras_arch.analysis import deconvnet
from keras_arch.layers import LocalResponseNormalization


def chain(*steps, shape=(13, 12, 2)):
    x = inputs = keras.Input(shape, name="image")
    for step in steps:
        x = step(x)
    return fill_keras(keras.Model(inputs, x), classes=0)


def gradient(model, x, signal):
    x = tf.convert_to_tensor(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = tf.reduce_sum(model(x, training=False) * signal)
    return tape.gradient(loss, x)


def random(*shape):
    return np.random.default_rng(0).standard_normal(shape).astype("float32")


@tf.custom_gradient
def rectified_both_ways(x):
    return tf.nn.relu(x), tf.nn.relu


def steps(relu):
    """Every kind of layer that is understood; ``relu`` makes an activation."""
    return [
        layers.Rescaling(0.5, 0.1),
        layers.Conv2D(6, 3, padding="same", activation=relu()),
        layers.MaxPooling2D(3, 2),
        layers.ZeroPadding2D(((0, 1), (2, 0))),
        layers.Conv2D(4, 3, strides=2, padding="same", groups=2, use_bias=False),
        layers.BatchNormalization(),
        *([layers.ReLU()] if relu() == "relu" else [layers.Activation(relu())]),
        layers.Dropout(0.5),
        layers.MaxPooling2D(2, padding="same"),
        layers.Conv2D(5, 2, strides=(1, 2), activation=relu()),
        layers.Identity(name="last"),
    ]


def test_without_relus_it_is_the_gradient():
    model = chain(*steps(lambda: "linear"))
    x, signal = random(2, 13, 12, 2), random(2, *model.output_shape[1:])
    found = deconvnet(model, x, "last", signal=signal)
    np.testing.assert_allclose(found, gradient(model, x, signal), rtol=1e-5, atol=1e-6)
    assert np.any(found)


def test_relus_rectify_the_signal():
    model, twin = chain(*steps(lambda: "relu")), chain(*steps(lambda: rectified_both_ways))
    x, signal = random(2, 13, 12, 2), random(2, *model.output_shape[1:])
    found = deconvnet(model, x, "last", signal=signal)
    np.testing.assert_allclose(found, gradient(twin, x, signal), rtol=1e-5, atol=1e-6)
    assert np.abs(found - gradient(model, x, signal)).max() > 0.1  # which is another thing


def test_one_filter_shows_itself_at_its_place():
    model = chain(layers.Conv2D(3, 3, activation="relu", use_bias=False, name="conv"))
    x = random(1, 13, 12, 2)
    kernel = np.asarray(model.get_layer("conv").kernel)
    maps = np.asarray(model(x))[0]
    row, column = np.unravel_index(maps[..., 1].argmax(), maps.shape[:2])
    expected = np.zeros((1, 13, 12, 2), "float32")
    expected[0, row : row + 3, column : column + 3] = maps[row, column, 1] * kernel[..., 1]
    np.testing.assert_allclose(deconvnet(model, x, "conv", channel=1), expected, rtol=1e-5)


def test_unpooling_puts_each_maximum_back_at_its_place():
    model = chain(layers.MaxPooling2D(2, name="pool"), shape=(4, 4, 1))
    x = random(1, 4, 4, 1)
    found = deconvnet(model, x, "pool", signal=model(x))
    expected = np.zeros_like(x)
    for row in (0, 2):
        for column in (0, 2):
            window = x[0, row : row + 2, column : column + 2, 0]
            i, j = np.unravel_index(window.argmax(), (2, 2))
            expected[0, row + i, column + j, 0] = window[i, j]
    np.testing.assert_array_equal(found, expected)


def test_the_strongest_activation_is_chosen():
    model = chain(layers.Identity(name="last"), shape=(2, 2, 2))
    x = np.zeros((2, 2, 2, 2), "float32")
    x[0, 0, 1] = (3, 7)
    x[0, 1, 0] = (5, 1)
    x[1, 1, 1] = (2, 4)
    of_all, of_first = (deconvnet(model, x, "last", channel) for channel in (None, 0))
    assert np.argwhere(of_all).tolist() == [[0, 0, 1, 1], [1, 1, 1, 1]]
    assert of_all.sum() == 11
    assert np.argwhere(of_first).tolist() == [[0, 1, 0, 0], [1, 1, 1, 0]]


def test_response_normalization_lets_the_signal_pass():
    both = chain(LocalResponseNormalization(), layers.Conv2D(3, 3, name="conv"))
    alone = chain(layers.Conv2D(3, 3, name="conv"))
    x, signal = random(1, 13, 12, 2), random(1, 11, 10, 3)
    np.testing.assert_array_equal(
        deconvnet(both, x, "conv", signal=signal), deconvnet(alone, x, "conv", signal=signal)
    )


@pytest.mark.parametrize(
    ("family", "arguments"),
    [
        ("AlexNet", {"widths": (4, 6, 4, 4, 6), "input_shape": (67, 67, 3)}),
        ("ZFNet", {"widths": (4, 6, 4, 4, 6), "input_shape": (64, 64, 3)}),
        ("VGG", {"depths": (1, 2), "widths": (4, 5), "input_shape": (16, 16, 3)}),
    ],
)
def test_families(family, arguments):
    model = fill_keras(getattr(models, family)(**arguments, include_top=False), classes=0)
    x = image(*model.input_shape[1:])
    before = [np.asarray(w) for w in model.weights]
    found = deconvnet(model, x, model.layers[-1].name)
    assert found.shape == x.shape
    assert all(np.any(each) for each in found)
    for weight, same in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(weight, same)


def test_what_it_cannot_go_back_through_is_refused():
    x = random(1, 13, 12, 2)
    for layer in (
        layers.AveragePooling2D(2, name="last"),
        layers.Conv2D(2, 3, dilation_rate=2, name="last"),
        layers.Conv2D(2, 3, activation="tanh", name="last"),
        layers.ReLU(6.0, name="last"),
    ):
        with pytest.raises(ValueError, match=r"`layer`.*convolutions, ReLU and max pooling"):
            deconvnet(chain(layer), x, "last")
    model = chain(lambda x: layers.Add(name="last")([x, layers.ReLU()(x)]))
    with pytest.raises(ValueError, match=r"`layer`.*'last' joins some"):
        deconvnet(model, x, "last")
    model = chain(layers.Conv2D(3, 3, name="conv"))
    with pytest.raises(ValueError, match=r"`layer`.*'conv'.*Received: layer='other'"):
        deconvnet(model, x, "other")
    with pytest.raises(ValueError, match=r"`channel`.*one of 3.*Received: channel=3"):
        deconvnet(model, x, "conv", channel=3)
    with pytest.raises(ValueError, match=r"`signal`.*\(1, 11, 10, 3\)"):
        deconvnet(model, x, "conv", signal=x)
