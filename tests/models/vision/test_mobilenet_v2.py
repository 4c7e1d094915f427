"""MobileNetV2: the numbers of the paper, and the answers of keras.applications."""

import keras
import numpy as np
import pytest
from formula import fill_keras, image
from models.vision.compare import (
    assert_drop_in,
    assert_same_logits,
    first_logits,
    shapes,
    silence,
    trainable,
)

import keras_arch
from keras_arch.models import MobileNetV2

TAPS = [f"stage{index}" for index in range(1, 8)]


@pytest.mark.parametrize(
    ("alpha", "parameters", "all_parameters"),
    [
        (0.35, 1_677_128, 1_691_208),
        (0.5, 1_968_680, 1_987_224),
        (0.75, 2_636_424, 2_663_064),
        (1.0, 3_504_872, 3_538_984),  # table 4 of the paper: 3.4M, 6.9M for 1.4
        (1.3, 5_386_792, 5_431_048),
        (1.4, 6_108_776, 6_156_712),
    ],
)
def test_parameters(alpha, parameters, all_parameters, quick):
    model = MobileNetV2(alpha)
    assert trainable(model) == parameters
    assert model.count_params() == all_parameters


def test_feature_maps(quick):  # table 2 of the paper
    assert shapes(MobileNetV2(), "stem", *TAPS, "last_conv") == [
        (112, 112, 32),
        (112, 112, 16),
        (56, 56, 24),
        (28, 28, 32),
        (14, 14, 64),
        (14, 14, 96),
        (7, 7, 160),
        (7, 7, 320),
        (7, 7, 1280),
    ]


def test_feature_maps_for_small_images(quick):
    model = MobileNetV2(stem="cifar", input_shape=(32, 32, 4), classes=10)
    assert [shape[0] for shape in shapes(model, "stem", *TAPS)] == [32, 32, 32, 16, 8, 8, 4, 4]


def test_is_a_drop_in():
    arguments = {"input_shape": (64, 64, 3), "classes": 10, "alpha": 0.35}
    theirs = keras.applications.MobileNetV2(weights=None, **arguments)
    assert_drop_in(MobileNetV2(**arguments), theirs, "MobileNetV2")


@pytest.mark.parametrize("side", [75, None])  # 75 pixels: maps of 75, 19 and 5 are halved
def test_odd_maps_are_padded_as_theirs(side, quick):
    arguments = {"input_shape": (side, side, 3), "include_top": False, "alpha": 0.35}
    theirs = keras.applications.MobileNetV2(weights=None, **arguments)
    assert_same_logits(MobileNetV2(**arguments), theirs, "MobileNetV2", image(75, 75))


def test_answers_at_its_own_size_as_keras_applications(quick):
    theirs = keras.applications.MobileNetV2(weights=None, classifier_activation=None)
    ours = MobileNetV2(classifier_activation=None)
    assert_same_logits(ours, theirs, "MobileNetV2", image(224, 224))


def test_answers_as_torchvision(quick):
    model = MobileNetV2(padding="both", classifier_activation=None)
    expected = [-3.39833697, 4.23232465, -3.1255389, 1.69850096, 3.66939341]
    np.testing.assert_allclose(first_logits(model, epsilon=1e-5), expected, rtol=1e-4)


def small(**arguments):
    return MobileNetV2(
        depths=(1, 3), widths=(8, 16), strides=(1, 2), last_width=16,
        input_shape=(16, 16, 3), include_top=False, **arguments,
    )  # fmt: skip


def test_without_residuals_a_stage_is_the_identity():
    model = fill_keras(small())
    features = keras_arch.feature_extractor(model, ["block1_project_bn", "stage2"])
    assert np.any((maps := features(image(16, 16)))["stage2"] != maps["block1_project_bn"])
    silence(model, ["block2_project_bn", "block3_project_bn"])
    maps = features(image(16, 16))
    np.testing.assert_array_equal(maps["stage2"], maps["block1_project_bn"])


def test_the_narrow_end_is_linear():
    activated = {layer.name for layer in small().layers if layer.name.endswith("_act")}
    assert "block1_expand_act" in activated
    assert not any("project" in name for name in activated)


def test_stochastic_depth_grows_towards_the_end():
    model = small(stochastic_depth=0.4)
    rates = {layer.name: layer.rate for layer in model.layers if layer.name.endswith("survival")}
    assert rates == pytest.approx({"block2_survival": 0.3, "block3_survival": 0.4})


def test_what_cannot_be_built_is_refused():
    with pytest.raises(ValueError, match="at least 32"):
        MobileNetV2(input_shape=(31, 32, 3))
    with pytest.raises(ValueError, match=r"`depths`.*at most 101 blocks"):
        MobileNetV2(depths=(1, 2, 3, 400, 3, 3, 1))
    for argument in ("widths", "strides"):
        with pytest.raises(ValueError, match=rf"`{argument}`.*7 sizes"):
            MobileNetV2(**{argument: (1, 2)})
    for argument in ("attention", "padding", "stem", "pooling"):
        with pytest.raises(ValueError, match=f"`{argument}`.*Received: {argument}='other'"):
            small(**{argument: "other"})
    with pytest.raises(ValueError, match="`stochastic_depth`"):
        small(stochastic_depth=1.0)
