"""The recipe that trains any classifier: which model, which data, which optimizer."""

import keras
import numpy as np
import pytest

import keras_arch
from recipes.small import SMALL, image_classifiers, small_classifier
from recipes.vision import classify

FAMILIES = image_classifiers()


def test_every_family_has_a_small_size():
    assert sorted(SMALL) == sorted(FAMILIES)


@pytest.mark.parametrize("family", FAMILIES)
def test_small_classifiers(family):
    model = small_classifier(family, 7, (32, 32, 1))
    assert (model.input_shape, model.output_shape) == ((None, 32, 32, 1), (None, 7))
    assert model.count_params() < 3e6


def test_a_preset_is_what_the_catalogue_says(monkeypatch):
    asked = []
    monkeypatch.setattr(keras_arch, "create", lambda *name, **values: asked.append((name, values)))
    for side in (32, 224):
        small_classifier("DenseNet40K12CIFAR", 10, (side, side, 3))
    shared = {"classes": 10}
    assert asked == [
        (("DenseNet40K12CIFAR",), {**shared, "input_shape": (32, 32, 3), "stem": "cifar"}),
        (("DenseNet40K12CIFAR",), {**shared, "input_shape": (224, 224, 3)}),
    ]


def test_the_rate_rises_for_an_epoch_and_falls_as_a_cosine():
    rate = classify.optimizer(0.4, steps=10, epochs=5)._learning_rate
    found = [float(rate(step)) for step in range(51)]
    falling = [0.2 * (1 + np.cos(np.pi * step / 40)) for step in range(41)]
    np.testing.assert_allclose(found[10:], falling, atol=1e-6)
    np.testing.assert_allclose(np.diff(found[:11]), (0.4 - 0.004) / 10, rtol=1e-4)


def test_a_step_is_that_of_the_papers():
    """Nesterov momentum, as written out by Sutskever, and decay of what is left of the weight."""
    optimizer = classify.optimizer(0.1, steps=1, epochs=9)
    rates = [float(optimizer._learning_rate(step)) for step in (0, 1)]
    weight = keras.Variable(np.array([1.0, -2.0]), name="kernel")
    expected, velocity = np.array([1.0, -2.0]), 0.0
    optimizer.build([weight])
    for rate, gradient in zip(rates, np.array([[0.5, 1.0], [-0.25, 2.0]]), strict=True):
        expected = expected * (1 - rate * classify.WEIGHT_DECAY)
        velocity = 0.9 * velocity - rate * gradient
        expected = expected + 0.9 * velocity - rate * gradient
        optimizer.apply([keras.ops.convert_to_tensor(gradient, "float32")])
    np.testing.assert_allclose(weight, expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("shape", "pixels", "mirror"),
    [((32, 32, 3), 4, True), ((32, 32, 1), 2, False), ((64, 64, 3), 8, True)],
)
def test_only_coloured_images_are_mirrored(shape, pixels, mirror, monkeypatch):
    asked = []
    monkeypatch.setattr(keras_arch.data, "shift_and_mirror", lambda *a: asked.append(a))
    classify.augmentation(shape)
    classify.augmentation(shape, mirror=False)
    assert asked == [(pixels, mirror), (pixels, False)]
