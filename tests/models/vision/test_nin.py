"""Network in Network: the numbers of the paper, and the answers of other people's."""

import keras
import numpy as np
import pytest
from models.vision.compare import first_logits, shapes, trainable

import keras_arch
from keras_arch import models
from keras_arch.models import NiN


@pytest.mark.parametrize(
    ("preset", "parameters"),
    [("NiN", 966_986), ("NiNCIFAR100", 984_356), ("NiNImageNet", 7_595_176)],
)
def test_trainable_parameters(preset, parameters, quick):
    assert trainable(keras_arch.create(preset)) == parameters


def test_feature_maps(quick):
    assert shapes(NiN(), "stem", "stage1", "stage2", "head", "head_activation") == [
        (32, 32, 96),
        (16, 16, 192),
        (8, 8, 192),
        (8, 8, 10),
        (10,),
    ]
    assert shapes(models.NiNImageNet(), "stem", "stage1", "stage2", "stage3", "head") == [
        (54, 54, 96),
        (27, 27, 256),
        (13, 13, 384),
        (6, 6, 1024),
        (6, 6, 1000),
    ]


@pytest.mark.parametrize(
    ("padding", "expected"),
    [
        ("both", [0, 0.162064275, 0, 0.00223028198, 0.0203445521]),
        # its poolings padded behind the image as the authors' are, not around
        ("behind", [0, 0.166777, 0, 0.00155807, 0.0123507]),
    ],
)
def test_answers_as_pytorchcv(padding, expected, quick):
    found = first_logits(NiN(padding=padding, classifier_activation=None))
    np.testing.assert_allclose(found, expected, rtol=1e-4)


@pytest.mark.parametrize("preset", ["NiN", "NiNImageNet"])
def test_there_is_no_dense_layer(preset, quick):
    model = keras_arch.create(preset)
    assert not [x for x in model.layers if isinstance(x, keras.layers.Dense | keras.layers.Flatten)]
    assert {x.kernel_size for x in model.layers if x.name.endswith(("_2", "_3"))} == {(1, 1)}


def test_the_logits_are_means_of_the_maps():
    model = NiN(input_shape=(12, 12, 3), classifier_activation=None)
    x = np.random.default_rng(0).normal(size=(2, 12, 12, 3))
    maps = keras_arch.feature_extractor(model, ["head"])(x)["head"]
    np.testing.assert_allclose(model(x), np.mean(maps, axis=(1, 2)), rtol=1e-5)
    assert np.min(maps) == 0


def test_poolings_and_dropout(quick):
    def kinds(model):
        layers = keras.layers
        wanted = (layers.MaxPooling2D, layers.AveragePooling2D, layers.Dropout)
        return [type(x).__name__ for x in model.layers if isinstance(x, wanted)]

    assert kinds(NiN()) == ["MaxPooling2D", "Dropout", "AveragePooling2D", "Dropout"]
    assert kinds(models.NiNImageNet()) == ["MaxPooling2D"] * 3 + ["Dropout"]
    assert NiN(dropout=0.2).get_layer("stage2_dropout").rate == 0.2
    assert NiN().get_layer("stage1_dropout").rate == 0.5
    assert "Dropout" not in kinds(NiN(dropout=0.0))


def test_what_cannot_be_built_is_refused():
    with pytest.raises(ValueError, match=r"`variant`.*Received: variant='other'"):
        NiN("other")
    with pytest.raises(ValueError, match=r"`norm`.*Received: norm='other'"):
        NiN(norm="other")
    for variant, padding in (("cifar10", "same"), ("imagenet", "both")):
        with pytest.raises(ValueError, match=rf"`padding`.*Received: padding='{padding}'"):
            NiN(variant, padding=padding)
    with pytest.raises(ValueError, match=r"`widths`.*3 tuples"):
        NiN(widths=((4, 4), (4, 4)))
    sizes = {"widths": ((2,), (2,), (2,), (2,)), "include_top": False}
    assert NiN("imagenet", **sizes, input_shape=(39, 39, 1)).output_shape == (None, 1, 1, 2)
    with pytest.raises(ValueError, match="at least 39"):
        NiN("imagenet", **sizes, input_shape=(38, 39, 1))
