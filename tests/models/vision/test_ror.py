"""RoR: the paper's arithmetic; no other implementation keeps to it."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from formula import fill_keras, image
from models.vision.compare import shapes, silence, trainable

import keras_arch
from keras_arch import models
from keras_arch.models import RoR

BASES = {"resnet": (8, 1), "preresnet": (8, 1), "wrn": (10, 2)}
UPPER = ["stage1_shortcut", "stage2_shortcut", "stage3_shortcut", "stages_shortcut"]


@pytest.mark.parametrize(
    ("preset", "parameters"),
    [  # that of the base, and 1x1 convolutions, normalized on a ResNet
        ("RoR3L110CIFAR", 1_727_962 + 1024 + 128 + 512 + 64 + 2048 + 128),
        ("PreRoR3L110CIFAR", 1_730_522 - 512 - 2048 + 1024 + 512 + 2048),
        ("RoR3WRN40K2CIFAR", 2_243_546 + 2048 + 512 + 2048 + 8192),
    ],
)
def test_trainable_parameters(preset, parameters, quick):
    assert trainable(keras_arch.create(preset)) == parameters


@pytest.mark.parametrize(
    ("base", "of_ours"),
    [
        ("resnet", lambda: models.ResNet20CIFAR(depths=(1, 1, 1), shortcut="projection")),
        ("preresnet", lambda: models.PreActResNet110CIFAR(depths=(1, 1, 1))),
        ("wrn", lambda: models.WideResNet(10, 2)),
    ],
)
def test_with_one_level_it_is_its_base(base, of_ours):
    depth, k = BASES[base]
    model, plain = RoR(base, 1, depth, k), of_ours()
    for network in (model, plain):
        fill_keras(network)
    np.testing.assert_array_equal(model(image(32, 32)), plain(image(32, 32)))


@pytest.mark.parametrize("base", BASES)
def test_without_branches_only_shortcuts_are_left(base):
    """What each stage hands on is what entered it, twice over, and at last the stem too."""
    depth, k = BASES[base]
    model = RoR(base, 3, depth, k, "padding", input_shape=(8, 8, 3), include_top=False)
    fill_keras(model)
    last = "2_bn" if base == "resnet" else "2_conv"
    silence(model, [f"stage{stage}_block1_{last}" for stage in (1, 2, 3)])
    taps = ["stem", "stage1", "stage2", "stage3"]
    maps = {
        tap: np.asarray(x)
        for tap, x in keras_arch.feature_extractor(model, taps)(image(8, 8)).items()
    }

    def shortcut(x, name, stride):
        names = [layer.name for layer in model.layers]
        if f"{name}_conv" not in names and name not in names:
            return x
        y = x[:, ::stride, ::stride]
        convolution = model.get_layer(f"{name}_conv" if base == "resnet" else name)
        y = y @ np.asarray(convolution.kernel)[0, 0]
        if base != "resnet":
            return y
        return np.asarray(model.get_layer(f"{name}_bn")(y))

    def padded(x, width, stride):
        x = x[:, ::stride, ::stride]
        return np.pad(x, [(0, 0)] * 3 + [(0, width - x.shape[-1])])

    x = maps["stem"]
    for stage, width in enumerate((16, 32, 64), start=1):
        stride = 2 if stage > 1 else 1
        total = padded(x, k * width, stride) + shortcut(x, f"stage{stage}_shortcut", stride)
        if stage == 3:
            total = total + shortcut(maps["stem"], "stages_shortcut", 4)
        x = np.maximum(total, 0) if base == "resnet" else total
        np.testing.assert_allclose(maps[f"stage{stage}"], x, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("level", ["blocks", "stages", "all"])
def test_each_level_carries_the_gradient_alone(level):
    model = RoR("preresnet", depth=8, input_shape=(8, 8, 3))
    fill_keras(model)
    projections = {
        "blocks": [f"stage{stage}_block1_shortcut" for stage in (2, 3)],
        "stages": ["stage2_shortcut", "stage3_shortcut"],
        "all": ["stages_shortcut"],
    }
    silence(model, [f"stage{stage}_block1_2_conv" for stage in (1, 2, 3)])
    silence(model, [x for other, names in projections.items() if other != level for x in names])
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(image(8, 8)) ** 2)
    gradient = tape.gradient(loss, model.get_layer("stem_conv").kernel.value)
    assert np.abs(gradient).max() > 1e-6
    silence(model, projections[level])
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(image(8, 8)) ** 2)
    assert not np.any(tape.gradient(loss, model.get_layer("stem_conv").kernel.value))


def test_blocks_and_feature_maps_of_110(quick):
    model = models.RoR3L110CIFAR()
    blocks = [x.name for x in model.layers if isinstance(x, keras.layers.Add)]
    assert len(blocks) == 54
    assert {len(model.get_layer(name).input) for name in blocks} == {2, 3, 4}
    assert len(model.get_layer("stage3_block18_add").input) == 4
    assert shapes(model, "stem", "stage1", "stage2", "stage3") == [
        (32, 32, 16),
        (32, 32, 16),
        (16, 16, 32),
        (8, 8, 64),
    ]


def test_two_levels_have_no_shortcut_over_stages():
    names = [layer.name for layer in RoR("wrn", 2, 10, 2).layers]
    assert [name for name in UPPER if name in names] == ["stages_shortcut"]


def test_what_cannot_be_built_is_refused():
    for base, depth, rule in (("resnet", 112, r"6n \+ 2"), ("wrn", 110, r"6n \+ 4")):
        with pytest.raises(ValueError, match=f"`depth`.*{rule}"):
            RoR(base, depth=depth)
    with pytest.raises(ValueError, match=r"`depth`.*at most 455"):
        RoR(depth=2 + 6 * 200)
    for wrong in ({"levels": 4}, {"k": 0}, {"base": "vgg"}, {"shortcut": "none"}):
        (argument,) = wrong
        with pytest.raises(ValueError, match=f"`{argument}`"):
            RoR(**wrong)
    for argument in ("attention", "stem", "pooling"):
        with pytest.raises(ValueError, match=f"`{argument}`.*Received: {argument}='other'"):
            RoR(depth=8, **{argument: "other"})
