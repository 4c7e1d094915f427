"""GoogLeNet: the numbers of the paper, and the answers of other people's."""

import logging

import keras
import numpy as np
import pytest
from formula import fill_keras, image
from models.vision.compare import quick_kernels, shapes, trainable

from keras_arch.analysis import count_macs, receptive_field
from keras_arch.models import GoogLeNet

MODULES = ["stage1_module1", "stage1_module2"]
MODULES += [f"stage2_module{i}" for i in range(1, 6)]
MODULES += ["stage3_module1", "stage3_module2"]
SMALL = {"depths": (1, 3), "alpha": 0.05, "stem": "cifar", "input_shape": (8, 8, 3), "classes": 4}


@pytest.fixture(scope="module")
def whole():
    """With both auxiliary heads."""
    with pytest.MonkeyPatch.context() as patch:
        quick_kernels(patch)
        return GoogLeNet(aux=True, classifier_activation=None)


def parameters(model, prefix):
    layers = [layer for layer in model.layers if layer.name.startswith(prefix)]
    return sum(layer.count_params() for layer in layers)


def test_trainable_parameters(whole, quick):
    assert trainable(whole) == 13_378_280
    assert trainable(GoogLeNet(variant="bn")) == 6_624_904


def test_parameters_of_the_parts(whole):
    assert [parameters(whole, f"{module}_") for module in MODULES] == [
        163_696,
        388_736,
        376_176,
        449_160,
        510_104,
        605_376,
        868_352,
        1_043_456,
        1_444_080,
    ]
    assert [parameters(whole, head) for head in ("aux1", "aux2")] == [3_188_840, 3_190_888]


def test_feature_maps(whole):
    assert shapes(whole, "stem_1_conv", "stem_pool", "stem") == [
        (112, 112, 64),
        (56, 56, 64),
        (28, 28, 192),
    ]
    found = shapes(whole, *MODULES)
    channels = [256, 480, 512, 512, 512, 528, 832, 832, 1024]
    sizes = [28, 28, 14, 14, 14, 14, 14, 7, 7]
    assert found == [(s, s, c) for s, c in zip(sizes, channels, strict=True)]
    assert shapes(whole, "aux1_pool", "aux2_pool") == [(4, 4, 512), (4, 4, 528)]


def test_multiply_adds(whole):
    column = [128, 304, 73, 88, 100, 119, 170]  # "ops" of 3a to 4e in table 1, in millions
    macs = count_macs(whole)

    def part(prefix):
        return sum(n for name, n in macs.layers.items() if name.startswith(prefix))

    found = [part(f"{module}_") / 1e6 for module in MODULES[:7]]
    np.testing.assert_allclose(found, column, atol=0.8)
    assert macs.total - part("aux") == pytest.approx(1.583e9, rel=1e-3)


@pytest.mark.parametrize(
    ("variant", "stem", "first", "second", "third"),
    [  # a kernel of k sees k - 1 more of its input's pixels; a pooling between two stages, too
        ("paper", 27, 27 + 2 * 4 * 8, 91 + 2 * 8 + 5 * 4 * 16, 427 + 2 * 16 + 2 * 4 * 32),
        ("bn", 27, 27 + 2 * 2 * 8, 59 + 2 * 8 + 5 * 2 * 16, 235 + 1 * 16 + 2 * 2 * 32),
    ],
)
def test_receptive_fields(variant, stem, first, second, third):
    model = GoogLeNet(variant=variant, alpha=0.05)
    stages = {"stem": stem, "stage1": first, "stage2": second, "stage3": third}
    for name, side in stages.items():
        assert receptive_field(model, name).size == (side, side)
    assert third == {"paper": 715, "bn": 379}[variant]


def test_feature_maps_for_small_images(quick):
    model = GoogLeNet(stem="cifar", input_shape=(32, 32, 1), classes=10)
    sizes = [size for size, _, _ in shapes(model, "stem", "stage1", "stage2", "stage3")]
    assert sizes == [32, 32, 16, 8]


@pytest.mark.parametrize(
    ("variant", "expected"),
    [
        # written from the paper's table
        ("paper", {"head": [0.123809, -0.249182, -0.144213, -0.780370, -0.384180]}),
        (  # torchvision
            "bn",
            {
                "head": [0.289865, -1.87431, -3.86465, -2.62977, 2.04029],
                "aux1": [-2.3463, -2.79069, 1.91576, -0.220443, -0.391851],
                "aux2": [-2.04454, -1.00845, -7.8032, 0.249499, 3.27104],
            },
        ),
    ],
)
def test_answers_as_others_do(variant, expected, quick):
    model = GoogLeNet(variant=variant, aux=True, classifier_activation=None)
    found = fill_keras(model)(image(224, 224), training=False)
    for head, logits in expected.items():
        np.testing.assert_allclose(found[head][0, :5], logits, rtol=1e-4)


def test_auxiliary_heads_go_when_it_has_learned(tmp_path, caplog):
    taught = fill_keras(GoogLeNet(**SMALL, aux=True))
    taught.save_weights(tmp_path / "kept.weights.h5")
    with caplog.at_level(logging.WARNING, "keras_arch"):
        model = GoogLeNet(**SMALL, weights=tmp_path / "kept.weights.h5")
    assert "12 skipped, 0 untouched" not in caplog.text  # by layer: three of each head
    assert "6 skipped, 0 untouched" in caplog.text
    assert "aux2_fc: 2 weights, no such layer" in caplog.text
    x = image(8, 8)
    np.testing.assert_array_equal(model(x), taught(x)["head"])
    assert not [layer.name for layer in model.layers if layer.name.startswith("aux")]


def test_auxiliary_heads_are_new_on_weights_without(tmp_path, caplog):
    plain = fill_keras(GoogLeNet(**SMALL))
    plain.save_weights(tmp_path / "kept.weights.h5")
    with caplog.at_level(logging.WARNING, "keras_arch"):
        model = GoogLeNet(**SMALL, aux=True, weights=tmp_path / "kept.weights.h5")
    assert "0 skipped, 12 untouched" in caplog.text
    np.testing.assert_array_equal(model(image(8, 8))["head"], plain(image(8, 8)))


def test_dropout_is_that_of_the_paper():
    model = GoogLeNet(**SMALL, aux=True)
    rates = {x.name: x.rate for x in model.layers if isinstance(x, keras.layers.Dropout)}
    assert rates == {"dropout": 0.4, "aux1_dropout": 0.7, "aux2_dropout": 0.7}


@pytest.mark.parametrize("variant", ["paper", "bn"])
def test_without_dropout_there_is_none(variant):
    model = GoogLeNet(**SMALL, variant=variant, aux=True, dropout=0.0)
    assert not [x for x in model.layers if isinstance(x, keras.layers.Dropout)]


def test_adaptive_auxiliary_heads_read_images_of_any_size():
    sizes = {**SMALL, "variant": "bn", "aux": True, "classifier_activation": None}
    model = fill_keras(GoogLeNet(**{**sizes, "input_shape": (None, None, 3)}))
    for side in (8, 19):
        fixed = fill_keras(GoogLeNet(**{**sizes, "input_shape": (side, side, 3)}))
        x = image(side, side)
        for head, logits in model(x).items():
            np.testing.assert_allclose(logits, fixed(x)[head], rtol=1e-5)


def test_what_cannot_be_built_is_refused():
    with pytest.raises(ValueError, match=r"`depths`.*at most \(2, 5, 2\) modules"):
        GoogLeNet(depths=(3, 5, 2))
    with pytest.raises(ValueError, match=r"`depths`.*three stages"):
        GoogLeNet(depths=(1, 1, 1, 1))
    with pytest.raises(ValueError, match=r"`aux`.*under three modules"):
        GoogLeNet(depths=(2, 2, 2), aux=True)
    with pytest.raises(ValueError, match="a height and width"):
        GoogLeNet(input_shape=(None, None, 3), alpha=0.05, aux=True)
    for argument in ("variant", "attention", "stem", "pooling"):
        with pytest.raises(ValueError, match=f"`{argument}`.*Received: {argument}='other'"):
            GoogLeNet(**{**SMALL, "include_top": False, argument: "other"})
