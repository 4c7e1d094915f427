"""ShuffleNet: the numbers of the paper, and the answers of other people's."""

import keras
import numpy as np
import pytest
from formula import fill_keras, image
from models.vision.compare import first_logits, shapes, silence, trainable

import keras_arch
from keras_arch.analysis import count_macs
from keras_arch.models import ShuffleNet

SMALL = {"stem": "cifar", "input_shape": (8, 8, 3), "include_top": False}


@pytest.mark.parametrize(
    ("groups", "parameters", "widths", "macs", "expected"),
    [  # tf2cv; pytorchcv has the same counts. The paper: about 140 million
        (
            1,
            1_531_936,
            (144, 288, 576),
            143_078_976,
            [-140.902, -64.3862, 36.2268, -55.3458, 17.423],
        ),
        (
            2,
            1_733_848,
            (200, 400, 800),
            140_836_512,
            [14.3364, -1.79133, 15.0506, 6.97329, 17.8564],
        ),
        (
            3,
            1_865_728,
            (240, 480, 960),
            137_460_672,
            [34.4242, -33.3733, -12.4499, 12.8597, 29.1115],
        ),
        (
            4,
            1_968_344,
            (272, 544, 1088),
            134_339_776,
            [-7.9674, -20.9746, -3.53459, -0.171478, -31.5278],
        ),
        (
            8,
            2_434_768,
            (384, 768, 1536),
            138_365_952,
            [-9.61713, 0.369905, -25.1309, -2.60065, 12.4396],
        ),
    ],
)
def test_published_sizes(groups, parameters, widths, macs, expected, quick):
    model = keras_arch.create(
        f"ShuffleNetG{groups}", concatenation="branch_first", classifier_activation=None
    )
    assert trainable(model) == parameters
    assert count_macs(model).total == macs
    found = shapes(model, "stem", "stage1", "stage2", "stage3")
    sizes = zip((56, 28, 14, 7), (24, *widths), strict=True)
    assert found == [(size, size, width) for size, width in sizes]
    np.testing.assert_allclose(first_logits(model, 0.7, epsilon=1e-5), expected, rtol=1e-4)


def test_answers_as_the_authors_order_does(quick):
    model = ShuffleNet(classifier_activation=None)  # written from the paper's table
    expected = [26.4271, 9.04268, -41.9544, 9.88054, 17.0723]
    np.testing.assert_allclose(first_logits(model, 0.7, epsilon=1e-5), expected, rtol=1e-4)


@pytest.mark.parametrize(
    ("groups", "alpha", "parameters"),
    [  # pytorchcv
        (1, 0.75, 975_214),
        (3, 0.75, 1_238_266),
        (1, 0.5, 534_484),
        (3, 0.5, 718_324),
        (1, 0.25, 209_746),
        (3, 0.25, 305_902),
    ],
)
def test_narrower_ones(groups, alpha, parameters, quick):
    assert trainable(ShuffleNet(groups, alpha=alpha)) == parameters


def test_the_stem_of_eight_groups_at_half_the_width():
    assert ShuffleNet(8, alpha=0.5, include_top=False).get_layer("stem").output.shape[-1] == 16


def test_without_residuals_a_unit_is_the_identity():
    model = ShuffleNet(2, (3,), (32,), **SMALL)
    fill_keras(model)
    silence(model, ["stage1_unit2_3_bn", "stage1_unit3_3_bn"])
    maps = keras_arch.feature_extractor(model, ["stage1_unit1_relu", "stage1"])(image(8, 8))
    np.testing.assert_array_equal(maps["stage1"], maps["stage1_unit1_relu"])
    assert np.any(maps["stage1"])


@pytest.mark.parametrize("order", ["shortcut_first", "branch_first"])
def test_a_halving_unit_keeps_its_averaged_input(order):
    model = ShuffleNet(2, (1,), (32,), concatenation=order, **SMALL)
    fill_keras(model)
    maps = keras_arch.feature_extractor(model, ["stem", "stage1"])(image(8, 8))
    padded = np.pad(maps["stem"], [(0, 0), (1, 1), (1, 1), (0, 0)])
    expected = sum(padded[:, i : i + 7 : 2, j : j + 7 : 2] for i in range(3) for j in range(3)) / 9
    kept = maps["stage1"][..., :24] if order == "shortcut_first" else maps["stage1"][..., -24:]
    np.testing.assert_allclose(kept, expected, rtol=1e-5)


def test_only_the_first_convolution_is_not_grouped():
    model = ShuffleNet(2, (2, 1), (32, 48), **SMALL)
    grouped = {x.name: x.groups for x in model.layers if type(x) is keras.layers.Conv2D}
    assert grouped.pop("stem_conv") == grouped.pop("stage1_unit1_1_conv") == 1
    assert set(grouped.values()) == {2}
    assert len(grouped) == 5


def test_squeeze_excitation_ends_the_branch():
    model = ShuffleNet(2, (2,), (64,), attention="squeeze_excitation", **SMALL)
    names = [x.name for x in model.layers]
    assert names[names.index("stage1_unit2_3_bn") + 1] == "stage1_unit2_attention"
    assert names[names.index("stage1_unit2_attention") + 1] == "stage1_unit2_add"


def test_stochastic_depth_grows_past_the_units_that_add():
    model = ShuffleNet(2, (2, 2), (32, 64), stochastic_depth=0.4, **SMALL)
    rates = {x.name: x.rate for x in model.layers if x.name.endswith("survival")}
    assert rates == pytest.approx({"stage1_unit2_survival": 0.2, "stage2_unit2_survival": 0.4})
    names = [x.name for x in model.layers]
    assert names[names.index("stage1_unit2_survival") + 1] == "stage1_unit2_add"


def test_what_cannot_be_built_is_refused():
    with pytest.raises(ValueError, match=r"`groups`.*Received: groups=5"):
        ShuffleNet(5)
    with pytest.raises(ValueError, match=r"`widths`.*2 sizes"):
        ShuffleNet(depths=(1, 1), widths=(48,))
    with pytest.raises(ValueError, match=r"`widths`.*multiples of 4 x 2 groups"):
        ShuffleNet(2, alpha=0.5)
    with pytest.raises(ValueError, match=r"`widths`.*grow"):
        ShuffleNet(2, (1, 1), (48, 32))
    with pytest.raises(ValueError, match=r"`depths`.*at most 455"):
        ShuffleNet(2, (400, 400), (32, 48))
    with pytest.raises(ValueError, match="`stochastic_depth`"):
        ShuffleNet(stochastic_depth=1.0)
    for argument in ("concatenation", "attention", "stem"):
        with pytest.raises(ValueError, match=f"`{argument}`.*Received: {argument}='other'"):
            ShuffleNet(**{argument: "other"})
