"""MobileNet: the numbers of the paper, and the answers of other people's."""

import keras
import numpy as np
import pytest
from formula import fill_keras, image
from models.vision.compare import (
    assert_drop_in,
    assert_same_logits,
    first_logits,
    shapes,
    trainable,
)

import keras_arch
from keras_arch import models
from keras_arch.models import MobileNet

TAPS = ("stem", "stage1", "stage2", "stage3", "stage4", "stage5")


@pytest.mark.parametrize(
    ("alpha", "parameters", "all_parameters"),
    [
        (0.25, 470_072, 475_544),  # table 6 of the paper: 0.5M, 1.3M, 2.6M, 4.2M
        (0.5, 1_331_592, 1_342_536),
        (0.75, 2_585_560, 2_601_976),
        (1.0, 4_231_976, 4_253_864),
    ],
)
def test_parameters(alpha, parameters, all_parameters, quick):
    model = MobileNet(alpha)
    assert trainable(model) == parameters
    assert model.count_params() == all_parameters


def test_feature_maps(quick):
    assert shapes(MobileNet(), *TAPS) == [
        (112, 112, 32),
        (112, 112, 64),
        (56, 56, 128),
        (28, 28, 256),
        (14, 14, 512),
        (7, 7, 1024),
    ]


def test_feature_maps_for_small_images(quick):
    model = MobileNet(stem="cifar", input_shape=(32, 32, 1), classes=10)
    assert [shape[0] for shape in shapes(model, *TAPS)] == [32, 32, 32, 16, 8, 4]
    assert model.output_shape == (None, 10)


def test_is_a_drop_in():
    arguments = {"input_shape": (64, 64, 3), "classes": 10, "alpha": 0.5}
    theirs = keras.applications.MobileNet(weights=None, **arguments)
    assert_drop_in(MobileNet(**arguments), theirs, "MobileNet")


@pytest.mark.parametrize("side", [100, None])  # 100 pixels: a map of 25 is halved
def test_odd_maps_are_padded_as_theirs(side, quick):
    arguments = {"input_shape": (side, side, 3), "include_top": False, "alpha": 0.25}
    theirs = keras.applications.MobileNet(weights=None, **arguments)
    assert_same_logits(MobileNet(**arguments), theirs, "MobileNet", image(100, 100))


def test_answers_at_its_own_size_as_keras_applications(quick):
    theirs = keras.applications.MobileNet(weights=None, classifier_activation=None)
    ours = MobileNet(classifier_activation=None)
    assert_same_logits(ours, theirs, "MobileNet", image(224, 224))


@pytest.mark.parametrize(
    ("padding", "expected"),
    [
        ("both", [1.41856588, 1.8560147, -0.201295548, 0.0454003096, 0.319308182]),
        ("same", [1.13848068, 2.13162233, -0.267334496, -0.0307282565, 0.24598519]),
        ("behind", [1.13848068, 2.13162233, -0.267334496, -0.0307282565, 0.24598519]),
    ],
)
def test_answers_as_timm(padding, expected, quick):  # mobilenetv1_100, and with pad_type="same"
    model = MobileNet(padding=padding, classifier_activation=None)
    np.testing.assert_allclose(first_logits(model, epsilon=1e-5), expected, rtol=1e-4)


def test_attention_costs_what_its_paper_says(quick):
    widths = (64, *2 * (128,), *2 * (256,), *6 * (512,), *2 * (1024,))
    more = sum(2 * c**2 // 16 + c + c // 16 for c in widths)
    model = models.SEMobileNet()
    assert trainable(model) == 4_231_976 + more == 4_718_044  # the paper: 4.7M
    gates = [layer for layer in model.layers if layer.name.endswith("_se")]
    assert [gate.excite.filters for gate in gates] == list(widths)
    assert keras_arch.cite("SEMobileNet").startswith("@inproceedings{hu2018squeeze")


def test_a_narrow_network_is_the_same_with_every_width_scaled():
    half = MobileNet(0.5, depths=(1, 2), widths=(16, 24), input_shape=(16, 16, 3), classes=4)
    stem = half.get_layer("stem_conv").filters
    assert stem == 16
    assert shapes(half, "stage1", "stage2") == [(8, 8, 8), (4, 4, 12)]


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_dropout_and_channels(channels):
    arguments = {"depths": (1,), "widths": (8,), "input_shape": (8, 8, channels), "classes": 3}
    model = MobileNet(dropout=0.5, **arguments)
    x = fill_keras(model) and image(8, 8, channels)
    assert np.any(model(x, training=True) != model(x, training=False))
    assert not any(
        isinstance(layer, keras.layers.Dropout)
        for layer in MobileNet(dropout=0.0, **arguments).layers
    )


def test_what_cannot_be_built_is_refused():
    with pytest.raises(ValueError, match="at least 32"):
        MobileNet(input_shape=(31, 32, 3))
    with pytest.raises(ValueError, match="at least 8"):
        MobileNet(stem="cifar", input_shape=(7, 8, 3))
    with pytest.raises(ValueError, match=r"`widths`.*5 sizes"):
        MobileNet(widths=(64, 128))
    with pytest.raises(ValueError, match=r"`alpha`.*Received: alpha=0.01"):
        MobileNet(0.01)
    with pytest.raises(ValueError, match=r"`depths`.*at most 113 blocks"):
        MobileNet(depths=(1, 2, 2, 600, 2))
    for argument in ("padding", "attention", "stem", "pooling"):
        with pytest.raises(ValueError, match=f"`{argument}`.*Received: {argument}='other'"):
            MobileNet(depths=(1, 1), widths=(2, 2), input_shape=(32, 32, 3), **{argument: "other"})
