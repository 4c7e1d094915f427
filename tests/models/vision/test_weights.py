"""``weights=``: published by keras.applications, from a file, or refused."""

import functools
import logging

import h5py
import keras
import numpy as np
import pytest
from formula import fill_keras, image
from keras.src.legacy.saving import legacy_h5_format
from models.vision.compare import fill_apart, quick_kernels

import keras_arch
from keras_arch import models

SIZE = {"input_shape": (64, 64, 3)}


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """DenseNet121 of keras.applications: files by whether they have a top, and the models."""
    folder = tmp_path_factory.mktemp("published")
    files = {True: folder / "top.weights.h5", False: folder / "notop.h5"}
    theirs = {}
    with pytest.MonkeyPatch.context() as patch:
        quick_kernels(patch)
        for top in (True, False):
            model = keras.applications.DenseNet121(weights=None, include_top=top, **SIZE)
            theirs[top] = fill_apart(model)
    theirs[True].save_weights(files[True])
    with h5py.File(files[False], "w") as file:  # as the published files are
        legacy_h5_format.save_weights_to_hdf5_group(file, theirs[False])
    return files, theirs


@pytest.fixture
def fetched(published, monkeypatch):
    """Addresses that were asked for, each answered by a file of keras.applications."""
    addresses = []

    def get_file(fname=None, origin=None, **_):
        addresses.append(origin)
        return str(published[0]["notop" not in fname])

    monkeypatch.setattr("keras.src.utils.file_utils.get_file", get_file)
    monkeypatch.setattr("keras.utils.get_file", get_file)
    return addresses


@pytest.mark.parametrize("top", [True, False], ids=["weights.h5", "legacy h5 without top"])
def test_published_weights(top, published, fetched, quick, caplog):
    sizes = {"depths": [6, 12, 24, 16]}  # by which they are recognised, whatever the name
    ours = models.DenseNet(**sizes, weights="imagenet", include_top=top, **SIZE)
    assert len(fetched) == 1
    assert "densenet121" in fetched[0]
    assert ("notop" in fetched[0]) is not top
    x = image(64, 64)
    expected = np.asarray(published[1][top](x))
    scale = np.abs(expected).max()
    np.testing.assert_allclose(ours(x), expected, rtol=1e-5, atol=1e-5 * scale)
    assert not caplog.records  # nothing to report


def test_a_new_head_and_other_channels_are_reported(published, fetched, quick, caplog):
    with caplog.at_level(logging.WARNING, "keras_arch"):
        ours = models.DenseNet121(weights="imagenet", classes=5, input_shape=(64, 64, 1))
    (record,) = caplog.records
    assert "1 adapted, 2 skipped, 2 untouched" in record.message
    assert "stem_conv/kernel: 3 to 1 channels" in record.message
    theirs = published[1][False]
    grey = image(64, 64, 1)
    features = keras_arch.feature_extractor(ours, ["final_relu"])(grey)["final_relu"]
    expected = theirs(np.repeat(grey, 3, axis=-1))
    np.testing.assert_allclose(features, expected, atol=1e-5 * np.abs(expected).max())
    assert ours.output_shape == (None, 5)


def test_four_channels_from_a_file(published, quick, caplog):
    with caplog.at_level(logging.WARNING, "keras_arch"):
        ours = models.DenseNet121(
            weights=str(published[0][False]), include_top=False, input_shape=(64, 64, 4)
        )
    assert "stem_conv/kernel: 3 to 4 channels" in caplog.text
    new, old = (
        ours.get_layer("stem_conv").kernel,
        published[1][False].get_layer("conv1_conv").kernel,
    )
    expected = np.stack([old[:, :, i % 3] * 0.75 for i in range(4)], axis=2)
    np.testing.assert_allclose(new, expected, rtol=1e-6)


@pytest.mark.parametrize("extension", [".keras", ".weights.h5"])
def test_a_file_of_ours(extension, tmp_path, caplog):
    source = fill_keras(models.LeNet5())
    path = tmp_path / f"kept{extension}"
    source.save(path) if extension == ".keras" else source.save_weights(path)
    x = image(32, 32, 1)
    np.testing.assert_array_equal(models.LeNet5(weights=path)(x), source(x))
    with caplog.at_level(logging.WARNING, "keras_arch"):
        other = models.LeNet5(weights=path, classes=3)
    assert "untouched" in caplog.text
    np.testing.assert_array_equal(other.get_layer("f6").kernel, source.get_layer("f6").kernel)


def small(**arguments):
    defaults = {"depths": (1, 1), "widths": (4, 6), "stem": "cifar", "input_shape": (8, 8, 3)}
    return models.ResNet(**{**defaults, "block": "basic", "classes": 3, **arguments})


@pytest.mark.parametrize(
    "wrong",
    [{"depths": (1, 2)}, {"widths": (4, 8)}, {"block": "bottleneck"}, {"conv_bias": False}],
)
def test_weights_of_another_size_are_refused(wrong, tmp_path):
    small().save_weights(tmp_path / "kept.weights.h5")
    with pytest.raises(ValueError, match=r"`weights`. They are not those of this model: \d+ of"):
        small(weights=tmp_path / "kept.weights.h5", **wrong)


@pytest.mark.parametrize(
    ("source", "model"),
    [
        (lambda: small(depths=(2, 1)), small),
        (lambda: small(depths=(1, 2)), small),  # behind all that is copied
        (
            lambda: models.RoR(depth=8),
            lambda **to: models.ResNet20CIFAR(depths=(1, 1, 1), shortcut="projection", **to),
        ),
        (
            lambda: small(attention=lambda x, name: keras.layers.Dense(x.shape[-1], name=name)(x)),
            small,
        ),
        (lambda: models.LeNet5("full"), lambda **to: models.LeNet5("modern", **to)),
    ],
)
@pytest.mark.parametrize("top", [True, False])
def test_weights_that_this_model_has_no_place_for_are_refused(source, model, top, tmp_path):
    source().save_weights(tmp_path / "kept.weights.h5")
    with pytest.raises(ValueError, match=r"`weights`.*, \d+ parts of them have no place in it"):
        model(weights=tmp_path / "kept.weights.h5", include_top=top)


@pytest.mark.parametrize("family", ["VGG", "LeNet5", "MobileNetV3", "InceptionResNetV1"])
def test_without_the_top_the_weights_of_the_top_are_left(family, tmp_path):
    """Of whatever stands behind the features, not only of the head."""
    entry = keras_arch.get(family)
    size = entry.tiny[next(iter(entry.tiny))]
    source = fill_keras(entry.target(**size))
    source.save_weights(tmp_path / "kept.weights.h5")
    model = entry.target(**{**size, "include_top": False}, weights=tmp_path / "kept.weights.h5")
    for layer in model.layers:
        expected = source.get_layer(layer.name).get_weights()
        assert all(map(np.array_equal, layer.get_weights(), expected))


def test_a_missing_file_is_refused_before_anything_is_built(monkeypatch, tmp_path):
    def built(*_, **__):
        raise AssertionError("a layer was made")

    monkeypatch.setattr(keras.layers.Layer, "__init__", built)
    for path in (tmp_path / "missing.h5", "https://example.com/resnet.h5", "imagenet21k"):
        with pytest.raises(ValueError, match="Invalid value for argument `weights`"):
            small(weights=path)


class FoundError(Exception):
    """Raised in the place of a model of keras.applications."""


@pytest.mark.parametrize(
    "name",
    [
        name
        for entry in keras_arch.entries(room="models")
        if entry.reference == "keras.applications"
        for name in (entry.name, *entry.presets)
        if hasattr(keras.applications, name)
    ],
)
def test_whatever_keras_applications_has_is_found(name, monkeypatch):
    """By the sizes of the family, whichever way they reach it."""

    @functools.wraps(getattr(keras.applications, name))
    def build(**_):
        raise FoundError

    monkeypatch.setattr(keras.applications, name, build)
    with pytest.raises(FoundError):
        keras_arch.create(name, weights="imagenet")


@pytest.mark.parametrize(
    ("name", "arguments", "known"),
    [
        ("LeNet5", {}, r"`None` or a path\. "),
        ("ResNet18", {}, "ResNet50: .*conv_bias=True"),
        ("ResNet50", {"conv_bias": False}, "ResNet50: conv_bias=True"),
        ("VGG16", {"norm": "batch", "include_top": False}, "VGG16: .*norm=None"),
    ],
)
def test_what_keras_applications_does_not_have_is_refused(name, arguments, known, fetched, quick):
    with pytest.raises(ValueError, match=f"Invalid value for argument `weights`.*{known}"):
        keras_arch.create(name, weights="imagenet", **arguments)
    assert not fetched
