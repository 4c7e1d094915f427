"""Inception v4: the numbers of the paper, and the answers of other people's."""

import numpy as np
import pytest
from models.vision.compare import first_logits, quick_kernels, shapes, trainable

from keras_arch.analysis import count_macs
from keras_arch.models import InceptionV4

STAGES = ("stem", "stage1", "stage2", "stage3")


@pytest.fixture(scope="module")
def whole():
    with pytest.MonkeyPatch.context() as patch:
        quick_kernels(patch)
        return InceptionV4(classifier_activation=None)


def test_trainable_parameters(whole):
    assert trainable(whole) == 42_679_816
    assert count_macs(whole).total == pytest.approx(12.25e9, rel=1e-3)


def test_feature_maps(whole):  # figure 3 and 9 of the paper
    stem = ["stem_1_conv", "stem_2_conv", "stem_3_conv", "stem_4", "stem_5", "stem_6"]
    assert shapes(whole, *stem, "stage2_reduction", "stage3_reduction", *STAGES) == [
        (149, 149, 32),
        (147, 147, 32),
        (147, 147, 64),
        (73, 73, 160),
        (71, 71, 192),
        (35, 35, 384),
        (17, 17, 1024),
        (8, 8, 1536),
        (35, 35, 384),
        (35, 35, 384),
        (17, 17, 1024),
        (8, 8, 1536),
    ]


def test_answers_as_others_do(whole):
    expected = [-12.5517, -16.7720, -5.94403, 10.5173, -1.57307]  # timm and pytorchcv agree
    np.testing.assert_allclose(first_logits(whole, epsilon=1e-3), expected, rtol=1e-4)


def test_answers_as_others_do_without_scale(quick):
    model = InceptionV4(bn_scale=False, classifier_activation=None)
    expected = [-8.43436, -17.5940, -4.09029, 8.82000, -0.937969]  # timm and pytorchcv agree
    np.testing.assert_allclose(first_logits(model), expected, rtol=1e-4)


@pytest.mark.parametrize(("size", "sizes"), [(32, [32, 32, 15, 7]), (7, [7, 7, 3, 1])])
def test_feature_maps_for_small_images(size, sizes, quick):
    model = InceptionV4((1, 1, 1), stem="cifar", input_shape=(size, size, 1), classes=10)
    assert [size for size, _, _ in shapes(model, *STAGES)] == sizes


def test_what_cannot_be_built_is_refused(quick):
    with pytest.raises(ValueError, match=r"`depths`.*three stages"):
        InceptionV4(depths=(1, 1, 1, 1))
    with pytest.raises(ValueError, match=r"`depths`.*at most 227 blocks"):
        InceptionV4(depths=(100, 100, 100))
    with pytest.raises(ValueError, match="at least 75"):
        InceptionV4(input_shape=(74, 75, 3))
    assert InceptionV4(alpha=0.01, input_shape=(75, 75, 3)).output_shape == (None, 1000)
    for argument in ("attention", "stem", "pooling"):
        with pytest.raises(ValueError, match=f"`{argument}`.*Received: {argument}='other'"):
            InceptionV4(
                (1,), 0.1, input_shape=(27, 27, 3), include_top=False, **{argument: "other"}
            )
