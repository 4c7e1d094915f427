"""VGG: the numbers of the paper, and the answers of other people's."""

import keras
import numpy as np
import pytest
from models.vision.compare import assert_drop_in, first_logits, shapes, trainable

import keras_arch
from keras_arch import models
from keras_arch.models import VGG


@pytest.mark.parametrize(
    ("preset", "arguments", "parameters"),
    [  # table 2 of the paper: 133, 133, 134, 138, 144 million
        ("VGG11", {}, 132_863_336),
        ("VGG13", {}, 133_047_848),
        ("VGG16", {"kernels": (3, 3, 1, 1, 1)}, 133_638_952),  # configuration C
        ("VGG16", {}, 138_357_544),
        ("VGG19", {}, 143_667_240),
        ("VGG16", {"norm": "batch"}, 138_365_992),
        ("VGG16", {"include_top": False}, 14_714_688),
        ("VGG19", {"include_top": False}, 20_024_384),
    ],
)
def test_trainable_parameters(preset, arguments, parameters, quick):
    assert trainable(keras_arch.create(preset, **arguments)) == parameters


def test_feature_maps(quick):
    model = models.VGG16(include_top=False, input_shape=(224, 224, 3))
    assert shapes(model, "stem", "stage1", "stage2", "stage3", "stage4", "stage5") == [
        (224, 224, 64),
        (112, 112, 64),
        (56, 56, 128),
        (28, 28, 256),
        (14, 14, 512),
        (7, 7, 512),
    ]


def test_feature_maps_for_small_images(quick):
    model = models.VGG16(stem="cifar", input_shape=(28, 28, 1), units=(32,), classes=10)
    stages = [f"stage{i}" for i in range(1, 6)]
    assert [size for size, _, _ in shapes(model, *stages)] == [28, 14, 7, 3, 1]


@pytest.mark.parametrize(
    ("preset", "top"),
    [("VGG16", {"classes": 10}), ("VGG19", {"include_top": False, "pooling": "max"})],
)
def test_is_a_drop_in(preset, top):
    arguments = {"input_shape": (32, 32, 3), "weights": None, **top}
    theirs = getattr(keras.applications, preset)(**arguments)
    assert_drop_in(getattr(models, preset)(**arguments), theirs, "VGG")


@pytest.mark.parametrize(
    ("preset", "expected"),
    [  # torchvision and pytorchcv agree
        ("VGG11", [0.301432, -3.5623, 2.71118, 1.50227, -1.4035]),
        ("VGG13", [0.310796, -2.8995, 1.51734, 1.4695, -1.19314]),
    ],
)
def test_answers_as_others_do(preset, expected, quick):
    found = first_logits(keras_arch.create(preset, classifier_activation=None))
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_normalization_stands_between_convolution_and_relu():
    model = VGG((1,), (4,), norm="batch", input_shape=(8, 8, 1), include_top=False)
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds[1:4] == ["Conv2D", "BatchNormalization", "ReLU"]
    assert model.layers[1].activation is keras.activations.linear


def test_dropout_follows_each_fully_connected_layer():
    model = VGG((1,), (4,), units=(8, 8), dropout=0.5, input_shape=(8, 8, 1), classes=2)
    names = [layer.name for layer in model.layers]
    assert names[-5:] == ["fc1", "fc1_dropout", "fc2", "fc2_dropout", "head"]


def test_dropout_is_that_of_the_argument():
    def rates(**arguments):
        model = VGG((1,), (4,), units=(8, 8), input_shape=(8, 8, 1), classes=2, **arguments)
        return [layer.rate for layer in model.layers if isinstance(layer, keras.layers.Dropout)]

    assert rates(dropout=0.3) == [0.3, 0.3]
    assert rates() == []


def test_what_cannot_be_built_is_refused():
    with pytest.raises(ValueError, match="at least 32"):
        models.VGG16(input_shape=(28, 28, 1))
    with pytest.raises(ValueError, match="a height and width"):
        models.VGG16(input_shape=(None, None, 3))
    for sizes in ("widths", "kernels"):
        with pytest.raises(ValueError, match=f"`{sizes}`.*2 sizes"):
            VGG((1, 1), **{"widths": (4, 4), sizes: (3,)})
    for argument in ("norm", "stem"):
        with pytest.raises(ValueError, match=f"`{argument}`.*Received: {argument}='other'"):
            VGG(**{argument: "other"})
