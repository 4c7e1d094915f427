"""ResNet V2: the numbers of the paper, and the answers of other people's."""

import keras
import numpy as np
import pytest
from formula import fill_keras, image
from models.vision.compare import assert_drop_in, first_logits, shapes, trainable

import keras_arch
from keras_arch import models
from keras_arch.layers import StochasticDepth
from keras_arch.models import ResNetV2

PAPER = {"wiring": "paper"}


@pytest.mark.parametrize(
    ("preset", "arguments", "parameters"),
    [
        ("ResNet50V2", {}, 25_568_360),
        ("ResNet101V2", {}, 44_577_896),
        ("ResNet152V2", {}, 60_236_904),
        ("ResNet50V2", PAPER, 25_549_480),
        ("ResNet101V2", PAPER, 44_541_608),
        ("ResNet152V2", PAPER, 60_185_256),
        ("ResNet200V2", {}, 64_666_280),
        ("PreActResNet18", {}, 11_687_848),
        ("PreActResNet110CIFAR", {}, 1_730_522),
        ("PreActResNet164CIFAR", {}, 1_703_258),
    ],
)
def test_trainable_parameters(preset, arguments, parameters, quick):
    assert trainable(keras_arch.create(preset, **arguments)) == parameters


def test_1001_layers_have_the_papers_count(quick):
    """Each further block of all three stages adds as much as the one before."""
    shallow, deeper, deep = (
        trainable(models.PreActResNet1001CIFAR(depths=(n, n, n))) for n in (2, 3, 4)
    )
    assert deep - deeper == deeper - shallow
    assert shallow + (111 - 2) * (deeper - shallow) == 10_327_706


@pytest.mark.parametrize(
    ("arguments", "sizes"),
    [({}, [28, 14, 7, 7]), (PAPER, [56, 28, 14, 7])],
    ids=["last block strides", "first block strides"],
)
def test_feature_maps_of_50(arguments, sizes, quick):
    model = models.ResNet50V2(**arguments)
    found = shapes(model, "stem", "stage1", "stage2", "stage3", "stage4")
    channels = [256, 512, 1024, 2048]
    assert found == [(56, 56, 64), *((s, s, c) for s, c in zip(sizes, channels, strict=True))]


def test_is_a_drop_in():
    arguments = {"input_shape": (64, 64, 3), "weights": None, "classes": 10}
    theirs = keras.applications.ResNet50V2(**arguments)
    assert_drop_in(models.ResNet50V2(**arguments), theirs, "ResNetV2")


@pytest.mark.parametrize(
    ("preset", "arguments", "gain", "expected"),
    [
        # pytorchcv
        ("PreActResNet18", {}, 1.0, [-108.013, -12.3837, 54.8132, 32.6074, 5.63778]),
        # written from the source of keras.applications
        ("ResNet50V2", {}, 0.7, [-6.97763, -0.459385, -28.6808, -0.861753, -4.33904]),
        # written from the paper
        (
            "PreActResNet110CIFAR",
            {"depths": (3, 3, 3), "shortcut": "padding"},
            1.0,
            [8.36148, 25.5283, 6.16221, 7.52032, -4.68593],
        ),
    ],
)
def test_answers_as_others_do(preset, arguments, gain, expected, quick):
    model = keras_arch.create(preset, classifier_activation=None, **arguments)
    found = first_logits(model, gain, epsilon=1e-5)
    np.testing.assert_allclose(found, expected, rtol=1e-4)


@pytest.mark.parametrize(("block", "last"), [("basic", 2), ("bottleneck", 3)])
def test_a_stage_adds_up_its_residuals(block, last):
    depth = 5
    model = ResNetV2(
        (depth,),
        (4,),
        block=block,
        wiring="paper",
        stem="cifar",
        input_shape=(8, 8, 3),
        include_top=False,
    )
    fill_keras(model)
    branches = [f"stage1_block{i}_{last}_conv" for i in range(2, depth + 1)]
    taps = ["stage1_block1_add", *branches, "stage1"]
    maps = keras_arch.feature_extractor(model, taps)(image(8, 8), training=False)
    total = sum(np.asarray(maps[branch]) for branch in branches)
    gained = np.asarray(maps["stage1"]) - np.asarray(maps["stage1_block1_add"])
    assert np.abs(total).max() > 1
    np.testing.assert_allclose(gained, total, rtol=1e-4, atol=1e-4)


def test_zero_padded_shortcuts_have_no_parameters(quick):
    plain = models.PreActResNet110CIFAR(depths=(1, 1, 1), shortcut="padding")
    projected = models.PreActResNet110CIFAR(depths=(1, 1, 1))
    extra = 16 * 32 + 32 * 64
    assert trainable(projected) - trainable(plain) == extra


@pytest.mark.parametrize("block", ["basic", "bottleneck"])
def test_switches(block):
    model = ResNetV2(
        (1, 1),
        (16, 16),
        block=block,
        dropout=0.4,
        stochastic_depth=0.5,
        attention="squeeze_excitation",
        stem="cifar",
        input_shape=(8, 8, 3),
        classes=2,
    )
    rates = [layer.rate for layer in model.layers if isinstance(layer, StochasticDepth)]
    assert rates == [0.25, 0.5]
    gate = model.get_layer("stage2_block1_attention")
    assert (
        gate.input is model.get_layer(f"stage2_block1_{2 if block == 'basic' else 3}_conv").output
    )
    assert [layer.name for layer in model.layers[-3:]] == ["pool", "dropout", "head"]


def test_what_cannot_be_built_is_refused():
    with pytest.raises(ValueError, match=r"`depths`.*at most 910 blocks"):
        ResNetV2(depths=(303, 304, 304), widths=(4, 4, 4))
    with pytest.raises(ValueError, match=r"`widths`.*4 sizes"):
        ResNetV2(widths=(64, 128))
    for argument in ("block", "shortcut", "wiring", "attention", "stem", "pooling"):
        with pytest.raises(ValueError, match=f"`{argument}`.*Received: {argument}='other'"):
            ResNetV2((1,), (2,), input_shape=(8, 8, 3), include_top=False, **{argument: "other"})
