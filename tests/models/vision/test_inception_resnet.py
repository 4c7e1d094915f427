"""Inception-ResNet v1 and v2: the numbers of the papers, and the answers of other people's."""

import keras
import numpy as np
import pytest
from formula import fill_keras, image
from models.vision.compare import assert_drop_in, first_logits, shapes, trainable

import keras_arch
from keras_arch import models
from keras_arch.analysis import count_macs
from keras_arch.layers import StochasticDepth
from keras_arch.models import InceptionResNetV1, InceptionResNetV2

STAGES = ("stem", "stage1", "stage2", "stage3")
SMALL = {"alpha": 0.05, "stem": "cifar", "input_shape": (8, 8, 3), "classes": 4}


def test_v1_has_the_sizes_of_the_paper(quick):
    model = InceptionResNetV1()
    assert shapes(model, "stem_4", "stem_6_conv", *STAGES) == [
        (73, 73, 64),
        (71, 71, 192),
        (35, 35, 256),
        (35, 35, 256),
        (17, 17, 896),
        (8, 8, 1792),
    ]


def test_the_usual_v1_answers_as_others_do(quick):
    model = models.InceptionResNetV1FaceNet(classifier_activation=None)
    assert trainable(model) == 23_995_624
    expected = [-20.2134, 31.601, -9.18052, 42.0656, 1.04802]  # pytorchcv
    np.testing.assert_allclose(first_logits(model, epsilon=1e-3), expected, rtol=1e-4)


def test_v2_answers_as_others_do(quick):
    model = InceptionResNetV2(bn_scale=True, classifier_activation=None)
    assert trainable(model) == 55_843_464
    assert count_macs(model).total == pytest.approx(13.156e9, rel=1e-3)
    channels = [320, 320, 1088, 2080]
    sizes = [35, 35, 17, 8]
    found = shapes(model, *STAGES, "final_conv")
    assert found == [*((s, s, c) for s, c in zip(sizes, channels, strict=True)), (8, 8, 1536)]
    expected = [-113.135, -18.1921, -70.5505, 69.1942, 42.0233]  # pytorchcv
    np.testing.assert_allclose(first_logits(model, 0.9, epsilon=1e-3), expected, rtol=1e-4)


def test_v2_is_a_drop_in(quick):
    # Without normalization's scale, logits grow so much that softmax would saturate.
    arguments = {"weights": None, "classes": 10, "classifier_activation": keras.ops.abs}
    theirs = keras.applications.InceptionResNetV2(**arguments)
    ours = InceptionResNetV2(**arguments)
    assert trainable(ours) == 55_813_192 - 990 * (1536 + 1)  # of 10 classes, not 1000
    assert_drop_in(ours, theirs, "InceptionResNetV2")


def test_squeeze_and_excitation_costs_what_its_paper_says(quick):
    blocks = {320: 10, 1088: 20, 2080: 10}
    extra = sum(n * (2 * c * c // 16 + c + c // 16) for c, n in blocks.items())
    assert trainable(models.SEInceptionResNetV2()) == 55_813_192 + extra
    assert keras_arch.info("SEInceptionResNetV2")["year"] == 2018


@pytest.mark.parametrize("factory", [InceptionResNetV1, InceptionResNetV2])
def test_with_scale_0_every_block_is_the_identity(factory):
    model = factory((2, 2, 2), (0, 0, 0, 0), **SMALL)
    fill_keras(model)
    inputs = ["stem", "stage2_reduction", "stage3_reduction"]
    maps = keras_arch.feature_extractor(model, [*inputs, *STAGES])(image(8, 8), training=False)
    for before, after in zip(inputs, STAGES[1:], strict=True):
        np.testing.assert_array_equal(maps[after], maps[before])
        assert np.any(maps[after])
    other = fill_keras(factory((2, 2, 2), (0, 0, 0.1, 0), **SMALL))
    assert np.abs(other(image(8, 8)) - model(image(8, 8))).max() > 1e-4


def test_blocks_are_left_out_more_often_towards_the_end():
    model = InceptionResNetV2((2, 1, 1), stochastic_depth=0.4, **SMALL)
    rates = [layer.rate for layer in model.layers if isinstance(layer, StochasticDepth)]
    np.testing.assert_allclose(rates, [0.1, 0.2, 0.3, 0.4])


@pytest.mark.parametrize("factory", [InceptionResNetV1, InceptionResNetV2])
def test_only_the_very_last_block_may_end_without_relu(factory):
    model = factory((1, 1, 2), (0.2, 0.2, 0.2, 1.0), **SMALL)
    names = {layer.name for layer in model.layers}
    assert "stage3_block1_relu" in names
    assert "stage3_block2_relu" not in names
    assert "stage3_block2_scale" not in names  # by 1
    plain = factory((1, 1, 2), (0.2, 0.2, 0.2), **SMALL)
    assert "stage3_block2_relu" in {layer.name for layer in plain.layers}


@pytest.mark.parametrize("factory", [InceptionResNetV1, InceptionResNetV2])
def test_what_cannot_be_built_is_refused(factory):
    with pytest.raises(ValueError, match=r"`depths`.*three stages"):
        factory(depths=(1, 1, 1, 1))
    with pytest.raises(ValueError, match=r"`depths`.*at most 455 blocks"):
        factory(depths=(100, 300, 100))
    with pytest.raises(ValueError, match=r"`scales`.*2 factors"):
        factory(depths=(1, 1), scales=(0.1,))
    with pytest.raises(ValueError, match="at least 75"):
        factory(input_shape=(74, 75, 3))
    with pytest.raises(ValueError, match="`stochastic_depth`"):
        factory((1,), (0.1,), stochastic_depth=1.0, **SMALL)
    assert factory(depths=(1, 1, 1), alpha=0.01, input_shape=(75, 75, 3)).output_shape[-1] == 1000
    for argument in ("attention", "stem", "pooling"):
        with pytest.raises(ValueError, match=f"`{argument}`.*Received: {argument}='other'"):
            factory((1,), (0.1,), **{**SMALL, "include_top": False, argument: "other"})
