"""VGG: the numbers of the paper, and the answers of other people's."""

import keras
import numpy as np
import pytest
from formula import fill_keras, image
from models.vision.compare import (
    assert_drop_in,
    first_logits,
    shapes,
    trainable,
)

import keras_arch
from keras_arch import models
from keras_arch.analysis import count_macs
from keras_arch.models import VGG


@pytest.mark.parametrize(
    ("preset", "arguments", "parameters"),
    [  # table 2 of the paper: 133, 133, 134, 138, 144 million
        ("VGG11", {}, 132_863_336),
        ("VGG13", {}, 133_047_848),
        ("VGG11LRN", {}, 132_863_336),  # nothing is learned in a normalization
        ("VGG16C", {}, 133_638_952),
        ("VGG16", {}, 138_357_544),
        ("VGG19", {}, 143_667_240),
        ("VGG16", {"norm": "batch"}, 138_365_992),
        # and 2 C^2 / 16 + C + C / 16 behind each convolution
        ("SEVGG16", {}, 138_365_992 + 230_792),
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


def test_multiply_adds(quick):
    sizes = {"VGG11": 7_609_090_048, "VGG13": 11_308_466_176, "VGG16": 15_470_264_320}
    for preset, expected in sizes.items():
        assert count_macs(keras_arch.create(preset)).total == expected


def test_configuration_a_lrn():
    model = models.VGG11LRN(input_shape=(32, 32, 3), include_top=False)
    kinds = [type(layer).__name__ for layer in model.layers[1:5]]
    assert kinds == ["Conv2D", "Identity", "LocalResponseNormalization", "MaxPooling2D"]
    assert sum(type(x).__name__ == "LocalResponseNormalization" for x in model.layers) == 1


def test_configuration_c_ends_its_last_stages_with_1x1():
    model = models.VGG16C(input_shape=(32, 32, 3), include_top=False)
    small = [x.name for x in model.layers if getattr(x, "kernel_size", None) == (1, 1)]
    assert small == ["stage3_conv3", "stage4_conv3", "stage5_conv3"]


def test_attention_follows_each_non_linearity():
    model = models.SEVGG16(input_shape=(32, 32, 3), include_top=False)
    names = [layer.name for layer in model.layers]
    convolutions = [name for name in names if name.endswith(("_conv1", "_conv2", "_conv3"))]
    assert len(convolutions) == 13
    for name in convolutions:
        expected = [f"{name}_conv", f"{name}_bn", name, f"{name}_attention"]
        assert names[names.index(name) - 2 :][:4] == expected
    assert keras_arch.info("SEVGG16")["paper"] == "Squeeze-and-Excitation Networks"


def test_fully_convolutional():
    """On the image that the dense form takes the same answer; on a larger one an answer a place."""
    sizes = {"depths": (1,) * 5, "widths": (4,) * 5, "units": (16, 8), "classes": 6}
    dense = VGG(**sizes, input_shape=(224, 224, 3))
    sliding = VGG(**sizes, window=7, input_shape=(None, None, 3))
    fill_keras(dense)
    sliding.set_weights(dense.get_weights())
    np.testing.assert_allclose(
        sliding(image(224, 224))[:, 0, 0], dense(image(224, 224)), rtol=1e-4, atol=1e-6
    )
    larger = image(256, 256)
    answers = np.asarray(sliding(larger))
    assert answers.shape == (2, 2, 2, 6)
    np.testing.assert_allclose(answers.sum(axis=-1), 1, rtol=1e-5)
    # Of features that were computed once, each answer is the dense layers' on 7x7 of them.
    features = keras_arch.feature_extractor(sliding, ["stage5"])(larger)["stage5"]
    x = top = keras.Input((7, 7, 4))
    for name in ("flatten", "fc1", "fc2", "head"):
        x = dense.get_layer(name)(x)
    top = keras.Model(top, x)
    for row in (0, 1):
        for column in (0, 1):
            window = features[:, row : row + 7, column : column + 7]
            np.testing.assert_allclose(answers[:, row, column], top(window), rtol=1e-4, atol=1e-6)


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
    with pytest.raises(ValueError, match="at least 224"):
        models.VGG16(window=7, input_shape=(223, 224, 3))
    for wrong in ({"units": ()}, {"include_top": False}):
        with pytest.raises(ValueError, match=r"`window`.*Received: window=7"):
            VGG(window=7, **wrong)
    for argument in ("norm", "stem", "attention"):
        with pytest.raises(ValueError, match=f"`{argument}`.*Received: {argument}='other'"):
            VGG(**{argument: "other"})
