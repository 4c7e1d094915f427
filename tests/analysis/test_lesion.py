"""Lesions: the same as silencing or exchanging weights by hand, and exact binomials."""

import keras
import numpy as np
import pytest
from formula import fill_keras, image
from models.vision.compare import silence

from keras_arch import models
from keras_arch.analysis import (
    lesion_study,
    path_lengths,
    residual_blocks,
    swapped_blocks,
    without_block,
)

SMALL = {"stem": "cifar", "input_shape": (8, 8, 3), "classes": 4, "classifier_activation": None}


def residual(depths=(3, 2), **arguments):
    sizes = {"widths": (4, 6), "block": "basic", "wiring": "paper"}
    return fill_keras(models.ResNetV2(depths, **sizes, **SMALL, **arguments))


def plain():
    sizes = {"block": "basic", "conv_bias": False, "shortcut": "none"}
    return fill_keras(models.ResNet((2, 2), (4, 6), **sizes, **SMALL))


X = image(8, 8)


def test_blocks_are_the_additions():
    expected = [f"stage{s}_block{b}_add" for s, b in ((1, 1), (1, 2), (1, 3), (2, 1), (2, 2))]
    assert residual_blocks(residual()) == expected
    assert residual_blocks(plain()) == []


@pytest.mark.parametrize("block", ["stage1_block2", "stage2_block1"])
def test_without_a_block_only_its_shortcut_is_left(block):
    model = residual()
    before = [np.array(weight) for weight in model.get_weights()]
    without = without_block(model, f"{block}_add")
    assert not np.allclose(without(X), model(X), rtol=1e-3)
    for weight, old in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, old)
    assert without.count_params() < model.count_params()
    silence(model, [f"{block}_2_conv"])
    np.testing.assert_allclose(without(X), model(X), rtol=1e-5)


def test_the_order_of_an_additions_inputs_does_not_matter():
    inputs = keras.Input((3,))
    y = keras.layers.Dense(3, name="a")(inputs)
    z = keras.layers.Dense(3, name="b")(keras.layers.Dense(3, name="c")(y))
    model = keras.Model(inputs, keras.layers.Add(name="add")([z, y]))
    x = np.ones((2, 3))
    left = keras.Model(inputs, y)
    np.testing.assert_array_equal(without_block(model, "add")(x), left(x))


def test_further_shortcuts_stay():
    model = fill_keras(models.RoR("preresnet", depth=8, **SMALL))
    without = without_block(model, "stage3_block1_add")
    assert len(without.get_layer("stage3_block1_add").input) == 3
    silence(model, ["stage3_block1_2_conv"])
    np.testing.assert_allclose(without(X), model(X), rtol=1e-5)


def test_a_plain_block_has_a_first_and_a_last_layer():
    model = plain()
    block = ("stage1_block2_1_conv", "stage1_block2_relu")
    shorter = models.ResNet(
        (1, 2), (4, 6), block="basic", conv_bias=False, shortcut="none", **SMALL
    )
    for layer in shorter.layers:
        layer.set_weights(model.get_layer(layer.name).get_weights())
    np.testing.assert_array_equal(without_block(model, block)(X), shorter(X))
    alone = without_block(model, "stage1_block2_2_bn")
    assert "stage1_block2_2_bn" not in [layer.name for layer in alone.layers]


def test_swapped_blocks_have_each_others_weights():
    model, by_hand = residual(), residual()
    for index, scale in ((1, 2.0), (3, 3.0)):  # by formula blocks are alike: tell them apart
        for network, block in ((model, index), (by_hand, 4 - index)):
            layer = network.get_layer(f"stage1_block{block}_2_conv")
            layer.set_weights([scale * weight for weight in layer.get_weights()])
    swapped = swapped_blocks(model, "stage1_block1_add", "stage1_block3_add")
    assert swapped.count_params() == model.count_params()
    assert not np.allclose(swapped(X), model(X), rtol=1e-3)
    np.testing.assert_allclose(swapped(X), by_hand(X), rtol=1e-5)


def test_a_study_measures_every_block():
    model = residual()
    silence(model, ["stage1_block3_2_conv"])

    def score(network):
        return float(np.abs(network(X)).sum())

    changes = lesion_study(model, score)
    assert list(changes) == residual_blocks(model)
    assert changes["stage1_block3_add"] == 0
    for block in ("stage1_block1_add", "stage2_block2_add"):
        expected = score(without_block(model, block)) - score(model)
        assert changes[block] == expected != 0
    pair = ("stage1_block2_1_bn", "stage1_block2_add")
    named = lesion_study(model, score, {"second": pair})
    assert named == {"second": changes["stage1_block2_add"]}


def test_a_compiled_model_is_compiled_without_a_block():
    model = residual()
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    changes = lesion_study(model, lambda network: network.evaluate(X, np.zeros(2), verbose=0))
    assert len(changes) == 5


def test_lengths_of_paths_are_binomial():
    share = path_lengths(54)  # ResNet-110
    assert share.sum() == pytest.approx(1)
    assert share[19:36].sum() == pytest.approx(0.980, abs=5e-4)  # "more than 95 %"
    assert share[5:18].sum() == pytest.approx(0.00454, abs=5e-6)  # "0.45 %"
    assert np.argmax(share) == 27


def test_what_cannot_be_left_out_is_refused():
    model = residual()
    with pytest.raises(ValueError, match=r"`block`.*names of layers"):
        without_block(model, "stage9")
    with pytest.raises(ValueError, match=r"`block`.*keeps the shape"):
        without_block(model, "stage2_block1_1_conv")
    with pytest.raises(ValueError, match=r"`second`.*same layers"):
        swapped_blocks(model, "stage1_block2_add", "stage2_block2_add")
    with pytest.raises(ValueError, match="`first`"):
        swapped_blocks(model, "stage1", "stage2_block2_add")
    with pytest.raises(ValueError, match=r"`blocks`.*no additions"):
        lesion_study(plain(), lambda network: 0.0)
