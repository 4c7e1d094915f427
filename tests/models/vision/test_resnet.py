"""ResNet: the numbers of the paper, and the answers of other people's."""

import sys
import threading

import keras
import numpy as np
import pytest
import tensorflow as tf
from formula import fill_keras, image
from models.vision.compare import assert_drop_in, first_logits, shapes, silence, trainable

import keras_arch
from keras_arch import models
from keras_arch.layers import SqueezeExcitation, StochasticDepth, depth
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
        ("ResNet200", {}, 64_673_832),
        ("SEResNet18", {}, 11_778_592),
        ("SEResNet34", {}, 21_958_868),
        ("SEResNet50", {}, 28_088_024),
        ("SEResNet101", {}, 49_326_872),
        ("SEResNet152", {}, 66_821_848),
        ("WideResNet50K2", {}, 68_883_240),
        ("WideResNet101K2", {}, 126_886_696),
        ("StochasticDepthResNet", {}, 1_727_962),
        ("ResNet20CIFAR", {}, 269_722),  # table 6 of the paper: .27M, .46M, .66M, .85M, 1.7M
        ("ResNet32CIFAR", {}, 464_154),
        ("ResNet44CIFAR", {}, 658_586),
        ("ResNet56CIFAR", {}, 853_018),
        ("ResNet110CIFAR", {}, 1_727_962),
        ("ResNet20CIFAR", B, 272_474),
        ("ResNet32CIFAR", B, 466_906),
        ("ResNet44CIFAR", B, 661_338),
        ("ResNet56CIFAR", B, 855_770),
        ("ResNet110CIFAR", B, 1_730_714),
    ],
)
def test_trainable_parameters(preset, arguments, parameters, quick):
    assert trainable(keras_arch.create(preset, **arguments)) == parameters


def test_1202_layers_have_the_papers_count(quick, monkeypatch):
    """Keras needs a longer stack than Python has for it by default."""
    monkeypatch.setattr(depth, "LONGEST_WALK", 2000)
    counts = []

    def build():
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(20_000)
        try:
            counts.append(trainable(models.ResNet110CIFAR(depths=(200, 200, 200))))
        finally:
            sys.setrecursionlimit(limit)

    before = threading.stack_size(512 * 2**20)
    thread = threading.Thread(target=build)
    thread.start()
    threading.stack_size(before)
    thread.join()
    assert counts == [19_421_274]
    plain, projected = (
        trainable(models.ResNet20CIFAR(shortcut=shortcut)) for shortcut in ("padding", "projection")
    )
    assert counts[0] + projected - plain == 19_424_026  # with option B, at any depth


@pytest.mark.parametrize("name", ["SEResNet18", "SEResNet50"])
def test_parameters_of_squeeze_and_excitation(name, quick):
    """The paper's section 3.2: the sum over stages of N (2 C^2 / r), here with biases."""
    with_it, without = (keras_arch.create(name, **a) for a in ({}, {"attention": None}))
    sizes = [gate.output.shape[-1] for gate in with_it.layers if type(gate) is SqueezeExcitation]
    assert len(sizes) == sum("_add" in layer.name for layer in without.layers)
    extra = sum(2 * c * c // 16 + c + c // 16 for c in sizes)
    assert trainable(with_it) - trainable(without) == extra


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
        ("SEResNet50", {}, 0.9, [-48.9892, 99.4913, -121.799, 29.3569, 34.8003]),
        # written from the papers
        (
            "StochasticDepthResNet",
            {"depths": (3, 3, 3)},
            1.0,
            [4.57407, 13.2359, 5.48536, 2.72972, -3.58642],
        ),
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


def test_the_later_a_block_the_more_often_it_is_left_out(quick):
    model = models.StochasticDepthResNet(depths=(2, 1, 1))
    found = [layer for layer in model.layers if isinstance(layer, StochasticDepth)]
    assert [layer.rate for layer in found] == [0.125, 0.25, 0.375, 0.5]
    assert {(layer.mode, layer.per) for layer in found} == {("paper", "batch")}
    add = model.get_layer("stage1_block1_add")
    assert add.input[1] is model.get_layer("stage1_block1_survival").output


def test_dropout_stands_before_the_head():
    model = ResNet((1,), (8,), dropout=0.4, stem="cifar", input_shape=(8, 8, 3), classes=2)
    assert [layer.name for layer in model.layers[-3:]] == ["pool", "dropout", "head"]
    assert model.get_layer("dropout").rate == 0.4


def test_a_widened_bottleneck_is_wide_only_inside(quick):
    model = models.WideResNet50K2()
    kernels = [model.get_layer(f"stage2_block1_{i}_conv").kernel.shape for i in (1, 2, 3)]
    assert kernels == [(1, 1, 256, 256), (3, 3, 256, 256), (1, 1, 256, 512)]
    plain = models.ResNet50(**TORCHVISION)
    taps = ["stem", "stage1", "stage2", "stage3", "stage4"]
    assert shapes(model, *taps) == shapes(plain, *taps)


def gradient_norms(model, layers):
    """Of the named layers' kernels, for a batch of noise, normalization in training."""
    random = np.random.default_rng(0)
    x = random.normal(size=(16, *model.input_shape[1:])).astype("float32")
    kernels = [model.get_layer(name).kernel.value for name in layers]
    with tf.GradientTape() as tape:
        loss = keras.losses.SparseCategoricalCrossentropy()(
            random.integers(0, 10, 16), model(x, training=True)
        )
    return [float(tf.norm(gradient)) for gradient in tape.gradient(loss, kernels)]


def test_shortcuts_keep_the_gradient_alike_over_56_layers():
    """Untrained and normalized, a plain network's explodes towards the image."""
    ratios = {}
    for shortcut in ("padding", "none"):
        keras.utils.set_random_seed(0)
        model = models.ResNet56CIFAR(shortcut=shortcut, input_shape=(16, 16, 3))
        assert trainable(model) == 853_018
        first, last = gradient_norms(model, ["stem_conv", "stage3_block9_2_conv"])
        ratios[shortcut] = first / last
    assert ratios["padding"] < 30
    assert ratios["none"] > 300


def test_what_cannot_be_built_is_refused():
    with pytest.raises(ValueError, match=r"`depths`.*at most 455 blocks"):
        models.ResNet110CIFAR(depths=(200, 200, 200))  # ResNet-1202
    with pytest.raises(ValueError, match=r"`widths`.*4 sizes"):
        ResNet(widths=(64, 128))
    with pytest.raises(ValueError, match=r"`depths`.*at most 151 blocks"):
        models.ResNet110CIFAR(depths=(60, 60, 60), shortcut="none")
    with pytest.raises(ValueError, match=r"`stochastic_depth`.*0 without shortcuts"):
        models.ResNet20CIFAR(shortcut="none", stochastic_depth=0.5)
    with pytest.raises(ValueError, match=r"`stochastic_depth`.*rate in \[0, 1\)"):
        models.ResNet20CIFAR(stochastic_depth=1.0)
    with pytest.raises(ValueError, match="`widening`"):
        models.ResNet18(widening=2)
    for argument in (
        "block",
        "shortcut",
        "stride_in",
        "stochastic_depth_mode",
        "attention",
        "stem",
        "pooling",
    ):
        with pytest.raises(ValueError, match=f"`{argument}`.*Received: {argument}='other'"):
            ResNet((1,), (2,), input_shape=(8, 8, 3), include_top=False, **{argument: "other"})
