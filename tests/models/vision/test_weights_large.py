"""Published weights of the larger networks: every file of the family is found, and fits.

On small images and, where the top has most of the weights, without it: it is the layers, by
their names and their number, that a file must fit.
"""

import pytest
from models.vision.compare import assert_published_weights

from keras_arch.models import VGG

CASES = [  # ours, side of the image, top, a part of the file's name
    ("VGG16", 32, False, "vgg16"),
    ("VGG19", 32, False, "vgg19"),
    ("ResNet50", 32, True, "resnet50_weights"),
    ("ResNet50V2", 32, False, "resnet50v2"),
    ("InceptionResNetV2", 75, False, "inception_resnet_v2"),
]


@pytest.mark.parametrize(("name", "side", "top", "part"), CASES)
def test_published_weights(name, side, top, part, tmp_path, monkeypatch, quick, caplog):
    asked = assert_published_weights(name, {}, side, top, tmp_path, monkeypatch)
    assert part in asked
    assert ("notop" in asked) is not top
    assert not caplog.records  # nothing to report


def test_kernels_of_vgg_may_be_given(monkeypatch):
    """As they are where none are given: the published network, and none but that."""
    asked = []

    def get_file(fname=None, origin=None, **_):
        asked.append(fname)
        raise FileNotFoundError

    monkeypatch.setattr("keras.src.utils.file_utils.get_file", get_file)
    sizes = {"weights": "imagenet", "include_top": False}
    with pytest.raises(FileNotFoundError):
        VGG(kernels=[3] * 5, **sizes)
    assert len(asked) == 1
    with pytest.raises(ValueError, match=r"`weights`.*VGG16: kernels=None"):
        VGG(kernels=(3, 3, 1, 1, 1), **sizes)
