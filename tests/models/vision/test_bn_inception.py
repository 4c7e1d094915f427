"""BN-Inception: the numbers of the paper, and the answers of other people's."""

import numpy as np
import pytest
from formula import fill_keras, image
from models.vision.compare import first_logits, quick_kernels, shapes, trainable

import keras_arch
from keras_arch import models
from keras_arch.analysis import count_macs
from keras_arch.models import BNInception

NAMES = ["stage1_module1", "stage1_module2", "stage2_reduction"]
NAMES += [f"stage2_module{i}" for i in range(1, 5)]
NAMES += ["stage3_reduction", "stage3_module1", "stage3_module2"]
PAPER = [256, 320, 576, 576, 576, 576, 576, 1024, 1024, 1024]
CAFFE = [256, 320, 576, 576, 576, 608, 608, 1056, 1024, 1024]


@pytest.fixture(scope="module")
def paper():
    with pytest.MonkeyPatch.context() as patch:
        quick_kernels(patch)
        return BNInception(classifier_activation=None)


@pytest.mark.parametrize(
    ("preset", "arguments", "parameters"),
    [
        ("BNInception", {"conv_bias": True}, 11_204_936),
        ("BNInceptionCaffe", {}, 11_295_240),
        ("BNInception", {"separable": True}, 11_194_984 - 7 * 7 * 3 * 64 + 7 * 7 * 24 + 24 * 64),
    ],
)
def test_trainable_parameters(preset, arguments, parameters, quick):
    assert trainable(keras_arch.create(preset, **arguments)) == parameters


def test_the_paper_has_11_2_million(paper):
    assert trainable(paper) == 11_194_984
    assert count_macs(paper).total == pytest.approx(2.03e9, rel=0.01)


def test_squeeze_and_excitation_costs_what_its_paper_says(paper, quick):
    extra = sum(2 * c * c // 16 + c + c // 16 for c in PAPER)
    assert trainable(models.SEBNInception()) == trainable(paper) + extra
    assert keras_arch.info("SEBNInception")["paper"] == "Squeeze-and-Excitation Networks"


def test_feature_maps(paper):
    sizes = [28, 28, 14, 14, 14, 14, 14, 7, 7, 7]
    assert shapes(paper, *NAMES) == [(s, s, c) for s, c in zip(sizes, PAPER, strict=True)]
    kinds = {
        name: type(paper.get_layer(f"{name}_branch4_1")).__name__
        for name in NAMES
        if "module" in name
    }
    assert kinds.pop("stage3_module2") == "MaxPooling2D"
    assert set(kinds.values()) == {"AveragePooling2D"}


def test_answers_as_others_do(paper):
    # pytorchcv with the paper's widths, TensorFlow's padding, and averages without padding
    expected = [0.613719, 1.08519, -7.0413, 0.0190326, 0.952265]
    np.testing.assert_allclose(first_logits(paper, epsilon=1e-5), expected, rtol=1e-4)


def test_the_caffe_model_answers_as_others_do(quick):
    model = models.BNInceptionCaffe(classifier_activation=None)
    assert [channels for _, _, channels in shapes(model, *NAMES)] == CAFFE
    expected = [-0.962265, 1.07520, -6.70690, 2.40138, -2.80735]  # pytorchcv
    np.testing.assert_allclose(first_logits(model, epsilon=1e-5), expected, rtol=1e-4)


def test_a_separable_first_convolution_has_a_convolution_in_its_place():
    """As in the released network: no normalization, no ReLU between its two parts."""
    sizes = {"depths": (1,), "alpha": 0.1, "input_shape": (31, 32, 3), "include_top": False}
    separable, plain = fill_keras(BNInception(**sizes, separable=True)), BNInception(**sizes)
    depthwise, pointwise, *others = separable.get_weights()
    assert depthwise.shape == (7, 7, 3, 8)
    kernel = np.einsum("hwcm,cmn->hwcn", depthwise, pointwise.reshape(3, 8, -1))
    plain.set_weights([kernel, *others])
    answers = [
        keras_arch.feature_extractor(model, ["stem_1_relu", "stage1"])(image(31, 32))
        for model in (separable, plain)
    ]
    for name, found in answers[0].items():
        assert np.asarray(found).std() > 1e-3
        np.testing.assert_allclose(found, answers[1][name], rtol=1e-4, atol=1e-5)


def test_feature_maps_for_small_images(quick):
    model = BNInception(stem="cifar", input_shape=(32, 32, 1), classes=10)
    sizes = [size for size, _, _ in shapes(model, "stem", "stage1", "stage2", "stage3")]
    assert sizes == [32, 32, 16, 8]


def test_what_cannot_be_built_is_refused():
    with pytest.raises(ValueError, match=r"`depths`.*at most \(2, 4, 2\) modules"):
        BNInception(depths=(2, 5, 2))
    for argument in ("variant", "attention", "stem", "pooling"):
        with pytest.raises(ValueError, match=f"`{argument}`.*Received: {argument}='other'"):
            BNInception((1,), 0.1, input_shape=(8, 8, 3), include_top=False, **{argument: "other"})
