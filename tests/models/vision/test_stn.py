"""STN: it begins as its classifier, and learns where to look from the loss alone."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from models.vision.compare import shapes, trainable

import keras_arch
from keras_arch.models import STN


def test_feature_maps():
    model = STN(size=(20, 24))
    assert shapes(model, "localization_pool2", "transformer", "stem", "stage1", "stage2") == [
        (7, 7, 20),
        (20, 24, 1),
        (20, 24, 32),
        (10, 12, 32),
        (5, 6, 32),
    ]


def test_trainable_parameters():
    classifier = (81 + 1) * 32 + (49 * 32 + 1) * 32 + (7 * 7 * 32 + 1) * 10
    localization = (25 + 1) * 20 + (25 * 20 + 1) * 20 + (7 * 7 * 20 + 1) * 20
    assert trainable(STN(transform=None)) == classifier
    assert trainable(STN()) == classifier + localization + 20 * 6 + 6
    assert trainable(STN(transform="attention")) == classifier + localization + 20 * 3 + 3


@pytest.mark.parametrize("transform", ["affine", "attention"])
def test_it_begins_as_the_classifier_without(transform):
    model, without = STN(transform=transform), STN(transform=None)
    assert keras_arch.transfer_weights(model, without).copied
    x = np.random.default_rng(0).uniform(size=(3, 28, 28, 1)).astype("float32")
    np.testing.assert_allclose(model(x), without(x), atol=1e-5)


def test_the_localization_network_is_trained_by_the_loss():
    model = STN(widths=(4, 4), kernels=(3, 3))
    kernel = model.get_layer("transformer").kernel
    kernel.assign(keras.random.normal(kernel.shape, stddev=0.01, seed=0))
    x = np.random.default_rng(0).uniform(size=(3, 28, 28, 1)).astype("float32")
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(x)[:, 0])
    first = model.get_layer("localization_conv1").kernel.value
    assert np.abs(tape.gradient(loss, first)).max() > 0


def test_what_cannot_be_built_is_refused():
    with pytest.raises(ValueError, match="`transform`"):
        STN(transform="other")
    with pytest.raises(ValueError, match=r"`kernels`.*2 sizes"):
        STN(kernels=(3,))
    with pytest.raises(ValueError, match=r"`size`.*at least 4"):
        STN(size=(3, 9))
    with pytest.raises(ValueError, match=r"at least 4"):
        STN(input_shape=(3, 9, 1))
    with pytest.raises(ValueError, match="with a transformer"):
        STN(input_shape=(None, None, 1), include_top=False)
