"""Classifiers go from fine to coarse, and what does not is noticed."""

import itertools
import math

import keras
import pytest
from keras import layers

import keras_arch
from keras_arch.analysis import resolution_profile

CLASSIFIERS = [
    next(iter(entry.presets), entry.name)
    for entry in keras_arch.entries(room="models", task="image-classification")
    if entry.path[-1] == "vision"  # the others read a vector
]


def grows(profile):
    places = [math.prod(sizes) for _, sizes in profile]
    return any(before < after for before, after in itertools.pairwise(places))


@pytest.mark.parametrize("preset", CLASSIFIERS)
def test_no_classifier_grows(preset, quick):
    profile = resolution_profile(keras_arch.create(preset))
    assert not grows(profile)
    assert profile[0][0] == "image"
    assert math.prod(profile[-1][1]) < math.prod(profile[0][1])


@pytest.mark.parametrize(("preset", "last"), [("MobileNetV3Small", 7), ("NASNetMobile", 7)])
def test_of_keras_applications(preset, last, quick):
    """Gates, and cells that read the two before them."""
    size = {"input_shape": (224, 224, 3)} if preset == "MobileNetV3Small" else {}
    profile = resolution_profile(getattr(keras.applications, preset)(weights=None, **size))
    assert not grows(profile)
    assert (last, last) in [sizes for _, sizes in profile]


def test_an_autoencoder_grows():
    image = keras.Input((8, 8, 1), name="image")
    x = layers.Conv2D(2, 3, strides=2, padding="same", name="down")(image)
    x = layers.UpSampling2D(2, name="up")(x)
    profile = resolution_profile(keras.Model(image, x))
    assert profile == [("image", (8, 8)), ("down", (4, 4)), ("up", (8, 8))]
    assert grows(profile)


def test_padding_and_gates_are_no_growth():
    image = keras.Input((8, 8, 2), name="image")
    x = layers.ZeroPadding2D(3, name="pad")(image)
    x = layers.Conv2D(2, 7, strides=2, name="conv")(x)
    gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
    for _ in range(3):  # longer than the path that it scales
        gate = layers.Conv2D(2, 1)(gate)
    x = layers.ReLU(name="relu")(layers.Multiply(name="scaled")([gate, x]))
    profile = resolution_profile(keras.Model(image, x))
    assert profile == [("image", (8, 8)), ("conv", (4, 4))]


def test_an_image_of_any_size_is_refused():
    with pytest.raises(ValueError, match="images of known size"):
        resolution_profile(keras_arch.models.VGG16(include_top=False))


def test_the_model_stays_as_it_is(untouched):
    image = keras.Input((8, 8, 2))
    model = keras.Model(image, layers.BatchNormalization()(layers.Conv2D(2, 3)(image)))
    before = untouched(model)
    resolution_profile(model)
    assert untouched(model) == before
