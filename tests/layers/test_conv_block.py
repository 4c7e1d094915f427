"""Convolution blocks, and what sharing weights means for them."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_arch.layers import LocallyConnected2D, conv_block


def spot(size, y, x):
    image = np.zeros((1, size, size, 2), "float32")
    image[0, y : y + 5, x : x + 5] = np.random.default_rng(0).normal(size=(5, 5, 2))
    return image


def moved(answer):
    """How far the answer to a moved spot is from the moved answer, against the answer."""
    here, there = (np.asarray(answer(spot(24, *at))) for at in ((8, 6), (10, 12)))
    step = here.shape[1] / 24  # of the map for one of the image
    expected = np.roll(here, (round(2 * step), round(6 * step)), axis=(1, 2))
    return np.abs(there - expected).max() / np.abs(here).max()


def test_it_is_equivariant_to_translation():
    image = keras.Input((24, 24, 2))
    model = keras.Model(image, conv_block(image, 4))
    assert moved(model) < 1e-5


def test_local_connections_are_not():
    assert moved(LocallyConnected2D(4, 3, padding="same")) > 0.1


@pytest.mark.parametrize(("arguments", "field"), [({}, 6), ({"n": 3}, 8), ({"pool": 3}, 7)])
def test_receptive_field(arguments, field):
    image = keras.Input((30, 30, 1))
    model = keras.Model(image, conv_block(image, 2, **arguments))
    for layer in model.layers:  # every path counts
        layer.set_weights([np.abs(weight) + 0.1 for weight in layer.get_weights()])
    x = tf.random.uniform((64, 30, 30, 1))  # the largest may be anywhere
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.reduce_sum(model(x)[:, 4, 4])
    seen = np.any(np.asarray(tape.gradient(y, x)), axis=(0, 3))
    assert (np.ptp(np.nonzero(seen), axis=1) + 1).tolist() == [field, field]


def test_weights_do_not_depend_on_the_size():
    counts = set()
    for size in (8, 16, None):
        image = keras.Input((size, size, 3))
        counts.add(keras.Model(image, conv_block(image, 8, n=2)).count_params())
    assert counts == {(9 * 3 + 1) * 8 + (9 * 8 + 1) * 8}


def test_names():
    image = keras.Input((8, 8, 3), name="image")
    model = keras.Model(image, conv_block(image, 8, name="stage1"))
    names = [layer.name for layer in model.layers]
    assert names == ["image", "stage1_conv1", "stage1_conv2", "stage1"]
