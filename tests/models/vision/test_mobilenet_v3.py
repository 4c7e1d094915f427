"""MobileNetV3: the numbers of the paper, and the answers of keras.applications."""

import keras
import numpy as np
import pytest
from formula import image
from models.vision.compare import (
    assert_drop_in,
    assert_same_logits,
    first_logits,
    shapes,
    trainable,
)

import keras_arch
from keras_arch.models import MobileNetV3, MobileNetV3Large, MobileNetV3Small

MINIMALISTIC = {"minimalistic": True}
THIN = {"alpha": 0.75}


@pytest.mark.parametrize(
    ("preset", "arguments", "parameters", "all_parameters"),
    [
        ("MobileNetV3Small", {}, 2_542_856, 2_554_968),  # table 3 of the paper: 2.5M, 5.4M
        ("MobileNetV3Large", {}, 5_483_032, 5_507_432),
        ("MobileNetV3Small", THIN, 2_041_872, 2_051_552),
        ("MobileNetV3Large", THIN, 3_993_528, 4_012_616),
        ("MobileNetV3Small", MINIMALISTIC, 2_044_736, 2_056_848),
        ("MobileNetV3Large", MINIMALISTIC, 3_924_288, 3_948_688),
    ],
)
def test_parameters(preset, arguments, parameters, all_parameters, quick):
    model = keras_arch.create(preset, **arguments)
    assert trainable(model) == parameters
    assert model.count_params() == all_parameters


def test_feature_maps(quick):  # tables 1 and 2 of the paper
    taps = ("stem", "stage1", "stage2", "stage3", "stage4")
    assert shapes(MobileNetV3Large(), *taps, "stage5", "last_conv", "fc") == [
        (112, 112, 16),
        (112, 112, 16),
        (56, 56, 24),
        (28, 28, 40),
        (14, 14, 112),
        (7, 7, 160),
        (7, 7, 960),
        (1, 1, 1280),
    ]
    assert shapes(MobileNetV3Small(), *taps, "last_conv", "fc") == [
        (112, 112, 16),
        (56, 56, 16),
        (28, 28, 24),
        (14, 14, 48),
        (7, 7, 96),
        (7, 7, 576),
        (1, 1, 1024),
    ]


def test_feature_maps_for_small_images(quick):
    model = MobileNetV3Small(stem="cifar", input_shape=(32, 32, 1), classes=10)
    taps = ("stem", "stage1", "stage2", "stage3", "stage4")
    assert [shape[0] for shape in shapes(model, *taps)] == [32, 32, 16, 8, 4]


@pytest.mark.parametrize("preset", ["MobileNetV3Small", "MobileNetV3Large"])
@pytest.mark.parametrize("minimalistic", [False, True])
def test_is_a_drop_in(preset, minimalistic):
    arguments = {
        "input_shape": (64, 64, 3),
        "alpha": 0.75,
        "minimalistic": minimalistic,
        "include_preprocessing": False,
        "classes": 10,
    }
    theirs = getattr(keras.applications, preset)(weights=None, **arguments)
    assert_drop_in(keras_arch.create(preset, **arguments), theirs, "MobileNetV3")


@pytest.mark.parametrize("preset", ["MobileNetV3Small", "MobileNetV3Large"])
def test_answers_at_its_own_size_as_keras_applications(preset, quick):
    build = getattr(keras.applications, preset)
    theirs = build(weights=None, classifier_activation=None, input_shape=(224, 224, 3))
    ours = keras_arch.create(preset, classifier_activation=None)
    pixels = 127.5 * (image(224, 224) + 1)
    assert_same_logits(ours, theirs, "MobileNetV3", pixels)


@pytest.mark.parametrize(
    ("size", "gain", "expected"),
    [
        ("Small", 1.0, [-9.53361224, 8.40459615, -11.1637949, -15.5255825, -23.5130843]),
        ("Large", 0.95, [-233.764311, -76.1931477, -151.584905, -19.3157772, 202.281862]),
    ],
)
def test_answers_as_torchvision(size, gain, expected, quick):
    sizes = {"padding": "both", "include_preprocessing": False, "classifier_activation": None}
    found = first_logits(keras_arch.create(f"MobileNetV3{size}", **sizes), gain)
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_the_image_is_scaled_within_or_before(quick):
    models = [
        MobileNetV3Small(include_preprocessing=inside, include_top=False, input_shape=(32, 32, 3))
        for inside in (True, False)
    ]
    assert models[0].count_params() == models[1].count_params() == 939_120
    first = [keras_arch.feature_extractor(model, ["stem_conv"]) for model in models]
    kernel = np.random.default_rng(0).normal(size=(3, 3, 3, 16))
    for model in models:
        model.get_layer("stem_conv").kernel.assign(kernel)
    x = image(32, 32)
    inside, before = (f(y)["stem_conv"] for f, y in zip(first, (127.5 * (x + 1), x), strict=True))
    np.testing.assert_allclose(inside, before, atol=1e-4)


def test_gates_and_activations_are_those_of_the_table(quick):
    model = MobileNetV3Large()
    gated = [layer.name for layer in model.layers if layer.name.endswith("_se")]
    assert gated == [f"block{index}_se" for index in (3, 4, 5, 10, 11, 12, 13, 14)]
    units = [model.get_layer(name).squeeze.filters for name in gated]
    assert units == [24, 32, 32, 120, 168, 168, 240, 240]  # a quarter, a multiple of 8
    names = [model.get_layer(f"block{i}_depthwise_act").activation.__name__ for i in range(15)]
    assert names == 6 * ["relu"] + 9 * ["hard_silu"]
    plain = MobileNetV3Large(minimalistic=True)
    assert not any(layer.name.endswith("_se") for layer in plain.layers)
    assert {
        layer.kernel_size[0]
        for layer in plain.layers
        if isinstance(layer, keras.layers.DepthwiseConv2D)
    } == {3}


def test_stochastic_depth_grows_towards_the_end(quick):
    model = MobileNetV3Small(stochastic_depth=0.55)
    rates = {layer.name: layer.rate for layer in model.layers if layer.name.endswith("survival")}
    expected = {f"block{i}_survival": 0.05 * (i + 1) for i in (2, 4, 5, 7, 9, 10)}
    assert rates == pytest.approx(expected)


def test_what_cannot_be_built_is_refused():
    with pytest.raises(ValueError, match="at least 32"):
        MobileNetV3Small(input_shape=(31, 32, 3))
    with pytest.raises(ValueError, match=r"`blocks`.*six entries"):
        MobileNetV3((((3, 16, 16, False, "relu"),),))
    with pytest.raises(ValueError, match=r"`blocks`.*at most 91 blocks"):
        MobileNetV3((((3, 16, 16, False, "relu", 1),) * 100,))
    for argument in ("padding", "stem", "pooling"):
        with pytest.raises(ValueError, match=f"`{argument}`.*Received: {argument}='other'"):
            MobileNetV3(**{argument: "other"})
