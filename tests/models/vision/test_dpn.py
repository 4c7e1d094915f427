"""DPN: the numbers of the paper, and the answers of other people's."""

import numpy as np
import pytest
from models.vision.compare import first_logits, shapes, trainable

import keras_arch
from keras_arch import models
from keras_arch.models import DPN


@pytest.mark.parametrize(
    ("preset", "parameters"),
    [("DPN92", 37_668_392), ("DPN107", 86_917_800), ("DPN131", 79_254_504)],
)
def test_trainable_parameters(preset, parameters, quick):
    assert trainable(keras_arch.create(preset)) == parameters


def test_feature_maps_of_92(quick):
    model = models.DPN92()
    assert shapes(model, "stem_conv", "stage1", "stage2", "stage3", "stage4") == [
        (112, 112, 64),
        (56, 56, 336),
        (28, 28, 704),
        (14, 14, 1552),
        (7, 7, 2688),
    ]
    for block in range(1, 21):  # one path keeps its channels, the other gains 24
        here = f"stage3_block{block}"
        residual, dense = shapes(model, f"{here}_add", f"{here}_concat")
        assert (residual, dense) == ((14, 14, 1024), (14, 14, 24 * (block + 2)))


@pytest.mark.parametrize(
    ("preset", "parameters", "gain", "expected"),
    [  # timm and pytorchcv agree
        ("DPN68", 12_611_602, 0.8, [-11.3585, -34.384, 0.673835, -15.8238, 14.0484]),
        ("DPN98", 61_570_728, 0.7, [-64.509, 1.40359, 76.2373, -7.83629, -60.3789]),
    ],
)
def test_answers_as_others_do(preset, parameters, gain, expected, quick):
    model = keras_arch.create(preset, classifier_activation=None)
    assert trainable(model) == parameters
    np.testing.assert_allclose(first_logits(model, gain), expected, rtol=1e-4)


def test_dropout_stands_before_the_head(quick):
    model = DPN((1,), (32,), (4,), dropout=0.3, stem="cifar", input_shape=(8, 8, 3), classes=2)
    assert [layer.name for layer in model.layers[-3:]] == ["pool", "dropout", "head"]


def test_what_cannot_be_built_is_refused():
    for sizes in ("widths", "growths"):
        with pytest.raises(ValueError, match=f"`{sizes}`.*4 sizes"):
            DPN(**{sizes: (64, 128)})
    with pytest.raises(ValueError, match=r"`groups`.*divisor of each of \[96, 192, 384, 768\]"):
        DPN(groups=50)
    with pytest.raises(ValueError, match=r"`depths`.*at most 910"):
        DPN((1000,), (64,), (4,))
    for argument in ("attention", "stem", "pooling"):
        with pytest.raises(ValueError, match=f"`{argument}`.*Received: {argument}='other'"):
            DPN((1,), (32,), (4,), **{argument: "other"})
