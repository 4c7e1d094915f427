"""Inception v3 and v2: the numbers of the paper, and the answers of other people's."""

import h5py
import keras
import numpy as np
import pytest
from formula import fill_keras, image
from keras.src.legacy.saving import legacy_h5_format
from models.vision.compare import assert_drop_in, fill_apart, shapes, trainable

from keras_arch import models
from keras_arch.analysis import count_macs
from keras_arch.models import InceptionV3

STAGES = ("stem", "stage1", "stage2", "stage3")


def test_trainable_parameters_and_feature_maps(quick):
    model = InceptionV3()
    assert trainable(model) == 23_817_352
    assert count_macs(model).total == pytest.approx(5.713e9, rel=1e-3)
    assert sum(isinstance(layer, keras.layers.Conv2D) for layer in model.layers) == 94
    modules = [f"stage1_module{i}" for i in (1, 2, 3)]
    modules += ["stage2_reduction", *(f"stage2_module{i}" for i in (1, 2, 3, 4))]
    modules += ["stage3_reduction", "stage3_module1", "stage3_module2"]
    sizes = [35] * 3 + [17] * 5 + [8] * 3
    channels = [256, 288, 288, *[768] * 5, 1280, 2048, 2048]
    assert shapes(model, *modules) == [(s, s, c) for s, c in zip(sizes, channels, strict=True)]


@pytest.mark.parametrize(
    ("count_padding", "expected"),
    [
        (True, {"head": [-1.67079688, 3.64279158, 2.66988762, 6.47658751, 0.324339183]}),
        (  # its average poolings made to leave padding out
            False,
            {
                "head": [-1.87535, 4.21463, 3.06835, 7.0924, 0.266034],
                "aux1": [-6.28922, 5.23426, 1.3495, 5.30698, -3.41204],
            },
        ),
    ],
)
def test_answers_as_torchvision_does(count_padding, expected, quick):
    model = InceptionV3(
        bn_scale=True, count_padding=count_padding, aux=True, classifier_activation=None
    )
    assert trainable(model) == 27_161_264
    found = fill_keras(model)(image(299, 299), training=False)
    for head, logits in expected.items():
        np.testing.assert_allclose(found[head][0, :5], logits, rtol=1e-4)


def test_is_a_drop_in(quick):
    arguments = {"weights": None, "classes": 10}
    keras.layers.Conv2D(1, 1)  # their layers are numbered through the process
    theirs = keras.applications.InceptionV3(**arguments)
    assert_drop_in(InceptionV3(**arguments), theirs, "InceptionV3")


def test_published_weights(tmp_path, monkeypatch, quick):
    arguments = {"include_top": False, "pooling": "avg", "input_shape": (75, 75, 3)}
    theirs = fill_apart(keras.applications.InceptionV3(weights=None, **arguments))
    x = image(75, 75)
    expected = np.asarray(theirs(x))
    new, old = tmp_path / "new.weights.h5", tmp_path / "old.h5"
    theirs.save_weights(new)
    with h5py.File(old, "w") as file:  # as the published files are
        legacy_h5_format.save_weights_to_hdf5_group(file, theirs)
    monkeypatch.setattr("keras.src.utils.file_utils.get_file", lambda *_, **__: str(old))
    monkeypatch.setattr("keras.utils.get_file", lambda *_, **__: str(old))
    for weights in ("imagenet", new, old):
        ours = InceptionV3(weights=weights, **arguments)
        scale = np.abs(expected).max()
        np.testing.assert_allclose(ours(x), expected, rtol=1e-5, atol=1e-5 * scale)


def test_v2_has_the_sizes_of_table_1(quick):
    model = models.InceptionV2(dropout=0.1)
    outputs = ["stem_1_conv", "stem_2_conv", "stem_3_conv", "stem_4", "stem_5_conv", "stem_6_conv"]
    assert shapes(model, *outputs, *STAGES) == [
        (149, 149, 32),
        (147, 147, 32),
        (147, 147, 64),
        (73, 73, 64),
        (71, 71, 80),
        (35, 35, 192),
        (35, 35, 288),
        (35, 35, 288),
        (17, 17, 768),
        (8, 8, 2048),
    ]
    sizes = [x.kernel_size for x in model.layers if isinstance(x, keras.layers.Conv2D)]
    assert (5, 5) not in sizes


@pytest.mark.parametrize(("size", "sizes"), [(32, [32, 32, 15, 7]), (7, [7, 7, 3, 1])])
def test_feature_maps_for_small_images(size, sizes, quick):
    model = InceptionV3(stem="cifar", aux=True, input_shape=(size, size, 1), classes=10)
    assert [size for size, _, _ in shapes(model, *STAGES)] == sizes


def test_what_cannot_be_built_is_refused(quick):
    with pytest.raises(ValueError, match=r"`depths`.*at most \(3, 4, 2\) modules"):
        InceptionV3(depths=(3, 4, 3))
    with pytest.raises(ValueError, match=r"`aux`.*without a second stage"):
        InceptionV3(depths=(3,), aux=True)
    with pytest.raises(ValueError, match="a height and width, with `aux`"):
        InceptionV3(alpha=0.01, aux=True, input_shape=(None, 299, 3))
    headless = InceptionV3((1, 1), 0.01, aux=True, input_shape=(None, None, 3), include_top=False)
    assert headless.output_shape == (None, None, None, 8)
    with pytest.raises(ValueError, match="at least 75"):
        InceptionV3(input_shape=(74, 75, 3))
    assert InceptionV3(alpha=0.01, input_shape=(75, 75, 3)).output_shape == (None, 1000)
    with pytest.raises(
        ValueError, match=r"`weights`.*InceptionV3: variant='keras', bn_scale=False"
    ):
        models.InceptionV2(weights="imagenet")
    for argument in ("variant", "attention", "stem", "pooling"):
        with pytest.raises(ValueError, match=f"`{argument}`.*Received: {argument}='other'"):
            InceptionV3(
                (1,), 0.1, input_shape=(27, 27, 3), include_top=False, **{argument: "other"}
            )
