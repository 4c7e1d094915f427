"""ResNet: the numbers of the paper, and the answers of other people's."""

import keras
import numpy as np
import pytest
from formula import fill_keras, image
from models.vision.compare import assert_drop_in, first_logits, shapes, silence, trainable

import keras_arch
from keras_arch import models
from keras_arch.models import ResNet

PAPER = {"conv_bias": False}
TORCHVISION = {"conv_bias": False, "stride_in": "3x3"}
B = {"shortcut": "projection"}


@pytest.mark.parametrize(
    ("preset", "arguments", "parameters"),
    [
        ("ResNet18", {}, 11_689_512),
        ("ResNet34", {}, 21_797_672),
        ("ResNet50", {}, 25_583_592),
        ("ResNet101", {}, 44_601_832),
        ("ResNet152", {}, 60_268_520),
        ("ResNet50", PAPER, 25_557_032),
        ("ResNet101", PAPER, 44_549_160),
        ("ResNet152", PAPER, 60_192_808),
        ("ResNet20CIFAR", {}, 269_722),  # table 6 of the paper: .27M, .46M, .66M, .85M, 1.7M
        ("ResNet32CIFAR", {}, 464_154),
        ("ResNet44CIFAR", {}, 658_586),
        ("ResNet56CIFAR", {}, 853_018),
        ("ResNet110CIFAR", {}, 1_727_962),
        ("ResNet20CIFAR", B, 272_474),
        ("ResNet56CIFAR", B, 855_770),
        ("ResNet110CIFAR", B, 1_730_714),
    ],
)
def test_trainable_parameters(preset, arguments, parameters, quick):
    assert trainable(keras_arch.create(preset, **arguments)) == parameters


@pytest.mark.parametrize("arguments", [{}, TORCHVISION], ids=["paper", "torchvision"])
def test_feature_maps_of_50(arguments, quick):
    model = models.ResNet50(**arguments)
    assert shapes(model, "stem_conv", "stem", "stage1", "stage2", "stage3", "stage4") == [
        (112, 112, 64),
        (56, 56, 64),
        (56, 56, 256),
        (28, 28, 512),
        (14, 14, 1024),
        (7, 7, 2048),
    ]
    first = model.get_layer("stage2_block1_1_conv").strides
    assert first == ((1, 1) if arguments else (2, 2))


def test_feature_maps_for_small_images(quick):
    model = models.ResNet20CIFAR(input_shape=(28, 28, 1))
    assert shapes(model, "stem", "stage1", "stage2", "stage3", "head") == [
        (28, 28, 16),
        (28, 28, 16),
        (14, 14, 32),
        (7, 7, 64),
        (10,),
    ]


@pytest.mark.parametrize("preset", ["LeNet5", "VGG16", "ResNet50", "ResNet50V2", "DenseNet121"])
def test_channels_first_is_refused_by_name(preset, channels_first, quick):
    received = "Received: image_data_format='channels_first'"
    with pytest.raises(ValueError, match=f'`image_data_format`.*"channels_last".*{received}'):
        keras_arch.create(preset)


def test_is_a_drop_in():
    arguments = {"input_shape": (64, 64, 3), "weights": None, "classes": 10}
    theirs = keras.applications.ResNet50(**arguments)
    assert_drop_in(models.ResNet50(**arguments), theirs, "ResNet")


@pytest.mark.parametrize(
    ("preset", "arguments", "gain", "expected"),
    [  # torchvision and pytorchcv agree
        ("ResNet18", {}, 1.0, [-105.997, -10.3503, 50.8011, 36.7138, 6.43078]),
        ("ResNet34", {}, 0.7, [-79.594, -2.65803, 16.9764, 16.6902, -24.4286]),
        ("ResNet50", TORCHVISION, 0.7, [-6.13807, 5.94603, -35.2957, -3.47469, -4.84787]),
        # pytorchcv
        ("ResNet50", PAPER, 0.7, [-5.51394, 6.03743, -34.4397, -2.4222, -4.81237]),
        ("ResNet20CIFAR", B, 1.0, [-6.62153, -15.9676, 2.78792, 26.7884, -30.5795]),
        # written from the paper's table
        ("ResNet20CIFAR", {}, 1.0, [7.98006, 43.723, 6.34091, 17.0091, -4.05293]),
    ],
)
def test_answers_as_others_do(preset, arguments, gain, expected, quick):
    model = keras_arch.create(preset, classifier_activation=None, **arguments)
    found = first_logits(model, gain, epsilon=1e-5)
    np.testing.assert_allclose(found, expected, rtol=1e-4)


@pytest.mark.parametrize("block", ["basic", "bottleneck"])
def test_without_residuals_a_stage_is_the_identity(block):
    model = ResNet(
        (3, 1), (8, 4), block=block, stem="cifar", input_shape=(8, 8, 3), include_top=False
    )
    fill_keras(model)
    last = "3" if block == "bottleneck" else "2"
    silence(model, [f"stage1_block{i}_{last}_bn" for i in (2, 3)])  # 0 * anything + 0
    features = keras_arch.feature_extractor(model, ["stage1_block1_relu", "stage1"])
    maps = features(image(8, 8), training=False)
    np.testing.assert_array_equal(maps["stage1"], maps["stage1_block1_relu"])
    assert np.any(maps["stage1"])


def test_option_a_subsamples_and_appends_zeros():
    model = ResNet(
        (1, 1),
        (4, 6),
        block="basic",
        shortcut="padding",
        stem="cifar",
        input_shape=(9, 9, 3),
        include_top=False,
    )
    fill_keras(model)
    silence(model, ["stage2_block1_2_bn"])
    features = keras_arch.feature_extractor(model, ["stage1", "stage2"])
    maps = {tap: np.asarray(x) for tap, x in features(image(9, 9), training=False).items()}
    np.testing.assert_array_equal(maps["stage2"][..., :4], maps["stage1"][:, ::2, ::2])
    assert not maps["stage2"][..., 4:].any()


def test_what_cannot_be_built_is_refused():
    with pytest.raises(ValueError, match=r"`depths`.*at most 455 blocks"):
        models.ResNet110CIFAR(depths=(200, 200, 200))  # ResNet-1202
    with pytest.raises(ValueError, match=r"`widths`.*4 sizes"):
        ResNet(widths=(64, 128))
    for argument in ("block", "shortcut", "stride_in", "stem", "pooling"):
        with pytest.raises(ValueError, match=f"`{argument}`.*Received: {argument}='other'"):
            ResNet((1,), (2,), input_shape=(8, 8, 3), include_top=False, **{argument: "other"})
