"""Published weights of MobileNets and NASNet: every file of the family is found, and fits."""

import h5py
import keras
import numpy as np
import pytest
from formula import fill_keras, image
from keras.src.legacy.saving import legacy_h5_format

import keras_arch

V3 = {"include_preprocessing": False}
CASES = [  # ours, arguments that choose a file, side of the image, top, parts of the file's name
    ("MobileNet", {"alpha": 0.25}, 64, True, "mobilenet_2_5_224_tf"),
    ("MobileNet", {"alpha": 0.5}, 128, False, "mobilenet_5_0_128_tf"),
    ("MobileNetV2", {"alpha": 0.35}, 64, False, "_0.35_224"),
    ("MobileNetV2", {"alpha": 0.5}, 96, True, "_0.5_96"),
    ("MobileNetV3Small", {"alpha": 0.75, **V3}, 64, True, "small_224_0.75_float"),
    ("MobileNetV3Small", {"minimalistic": True, **V3}, 64, False, "small_minimalistic_224_1.0"),
    ("MobileNetV3Large", {"minimalistic": True, **V3}, 64, True, "large_minimalistic_224_1.0"),
    ("NASNetMobile", {}, 64, False, "nasnet_mobile"),
]


@pytest.mark.parametrize(("name", "arguments", "side", "top", "part"), CASES)
def test_published_weights(name, arguments, side, top, part, tmp_path, monkeypatch, quick, caplog):
    shape = {"input_shape": (side, side, 3), "include_top": top, "classifier_activation": None}
    theirs = getattr(keras.applications, name)(weights=None, **shape, **arguments)
    fill_keras(theirs, gain=0.9)
    legacy = tmp_path / "published.h5"  # as the published files are
    with h5py.File(legacy, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, theirs)
    theirs.save_weights(tmp_path / "published.weights.h5")

    asked = []

    def get_file(fname=None, origin=None, **_):
        asked.append(fname)
        return str(legacy)

    monkeypatch.setattr("keras.src.utils.file_utils.get_file", get_file)
    x = image(side, side)
    expected = np.asarray(theirs(x, training=False))
    assert not np.allclose(expected[0], expected[1], rtol=1e-3)
    for weights in ("imagenet", tmp_path / "published.weights.h5", legacy):
        ours = keras_arch.create(name, weights=weights, **shape, **arguments)
        atol = 1e-5 * np.abs(expected).max()
        np.testing.assert_allclose(ours(x, training=False), expected, rtol=1e-5, atol=atol)
    assert len(asked) == 1
    assert part in asked[0]
    assert ("no_top" in asked[0]) is not top
    assert not caplog.records  # nothing to report


@pytest.mark.parametrize(
    ("name", "arguments", "known"),
    [
        ("MobileNet", {"alpha": 0.3}, "as keras.applications has it.*alpha"),
        ("MobileNet", {"depth_multiplier": 2}, "depth multiplier must be 1"),
        ("MobileNetV2", {"alpha": 0.25}, "as keras.applications has it.*alpha"),
        ("MobileNetV3Large", {"alpha": 0.75, "minimalistic": True}, "alpha can be one of"),
        ("SEMobileNet", {}, "the sizes of MobileNet: attention=None"),
        ("NASNetCIFAR", {}, "the sizes of NASNetLarge: widths=.168, 336, 672."),
        ("NASNetMobile", {"depths": (1, 1, 1)}, "the sizes of NASNetMobile: depths=.4, 4, 4."),
    ],
)
def test_what_is_not_published_is_refused(name, arguments, known, monkeypatch):
    def get_file(*_, **__):
        raise AssertionError("something was fetched")

    monkeypatch.setattr("keras.src.utils.file_utils.get_file", get_file)
    with pytest.raises(ValueError, match=f"Invalid value for argument `weights`.*{known}"):
        keras_arch.create(name, weights="imagenet", **arguments)


def test_a_new_head_is_reported(tmp_path, quick, caplog):
    source = keras_arch.models.MobileNet(0.25, input_shape=(32, 32, 3))
    source.save_weights(tmp_path / "kept.weights.h5")
    ours = keras_arch.models.MobileNet(
        0.25, weights=tmp_path / "kept.weights.h5", input_shape=(32, 32, 1), classes=3
    )
    assert ours.output_shape == (None, 3)
    assert "1 adapted, 2 skipped, 2 untouched" in caplog.text
