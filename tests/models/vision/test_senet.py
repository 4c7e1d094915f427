"""SENet-154: the numbers of the paper and of its ports."""

import numpy as np
import pytest
from formula import fill_keras, image
from models.vision.compare import first_logits, quick_kernels, shapes, silence, trainable

import keras_arch
from keras_arch import models
from keras_arch.layers import SqueezeExcitation
from keras_arch.models import SENet


@pytest.fixture(scope="module")
def senet154():
    with pytest.MonkeyPatch.context() as patch:
        quick_kernels(patch)
        return models.SENet154()


def test_trainable_parameters(senet154):
    assert trainable(senet154) == 115_088_984
    gates = [layer for layer in senet154.layers if isinstance(layer, SqueezeExcitation)]
    sizes = [gate.output.shape[-1] for gate in gates]
    assert sizes == [256] * 3 + [512] * 8 + [1024] * 36 + [2048] * 3
    excitation = sum(2 * c * c // 16 + c + c // 16 for c in sizes)
    assert sum(gate.count_params() for gate in gates) == excitation


def test_feature_maps(senet154):
    taps = ["stem_1_relu", "stem_3_relu", "stem", "stage1", "stage2", "stage3", "stage4"]
    assert shapes(senet154, *taps) == [
        (112, 112, 64),
        (112, 112, 128),
        (56, 56, 128),
        (56, 56, 256),
        (28, 28, 512),
        (14, 14, 1024),
        (7, 7, 2048),
    ]


def test_what_the_appendix_changes(senet154):
    """Half the first 1x1, three 3x3 for the 7x7, 3x3 where shortcuts stride, dropout 0.2."""
    kernels = [senet154.get_layer(f"stage3_block1_{i}_conv").kernel.shape for i in (1, 2, 3)]
    assert kernels == [(1, 1, 512, 512), (3, 3, 512 // 64, 1024), (1, 1, 1024, 1024)]
    found = [
        senet154.get_layer(f"stage{stage}_block1_shortcut_conv").kernel.shape[:2]
        for stage in (1, 2, 3, 4)
    ]
    assert found == [(1, 1), (3, 3), (3, 3), (3, 3)]
    assert senet154.get_layer("dropout").rate == 0.2


@pytest.mark.parametrize(
    ("padding", "expected"),
    [
        ("both", [-2.45222861, 2.40294654, 4.40419816, -3.34228618, -1.58450944]),
        # with the pooling of timm and Caffe in its stem
        ("behind", [-2.53246804, 2.41375117, 4.50906803, -3.29428287, -1.67370311]),
    ],
)
def test_a_small_one_answers_as_pytorchcv(padding, expected):
    sizes = {"padding": padding, "classes": 10, "classifier_activation": None}
    model = SENet((1, 1, 1, 2), (8, 16, 32, 64), 8, **sizes)
    np.testing.assert_allclose(first_logits(model, epsilon=1e-5), expected, rtol=1e-4)


def test_an_odd_map_is_pooled_as_caffe_does():
    """The last window reaches across the edge where a row would be left over, not before it."""
    sizes = {"depths": (1,), "widths": (4,), "groups": 2, "include_top": False}
    for padding, side in (("behind", 6), ("both", 7)):
        model = SENet(**sizes, padding=padding, input_shape=(25, 25, 3))
        assert shapes(model, "stem_3_relu", "stem") == [(13, 13, 8), (side, side, 8)]


def test_without_residuals_a_stage_is_the_identity():
    model = SENet((3,), (4,), groups=2, attention=None, stem="cifar", input_shape=(8, 8, 3))
    fill_keras(model)
    silence(model, ["stage1_block2_3_bn", "stage1_block3_3_bn"])
    maps = keras_arch.feature_extractor(model, ["stage1_block1_relu", "stage1"])(image(8, 8))
    np.testing.assert_array_equal(maps["stage1"], maps["stage1_block1_relu"])


def test_what_cannot_be_built_is_refused():
    with pytest.raises(ValueError, match=r"`widths`.*4 sizes"):
        SENet(widths=(64, 128))
    with pytest.raises(ValueError, match=r"`groups`.*divisor of twice each of \(4, 8\)"):
        SENet((1, 1), (4, 8), groups=3)
    with pytest.raises(ValueError, match=r"`depths`.*at most 455"):
        SENet((500,), (4,), groups=2)
    for argument in ("attention", "padding", "stem", "pooling"):
        with pytest.raises(ValueError, match=f"`{argument}`.*Received: {argument}='other'"):
            SENet((1,), (4,), groups=2, **{argument: "other"})
