"""Published weights of MobileNets and NASNet: every file of the family is found, and fits."""

import pytest
from models.vision.compare import assert_published_weights

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
    asked = assert_published_weights(name, arguments, side, top, tmp_path, monkeypatch)
    assert part in asked
    assert ("no_top" in asked) is not top
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
