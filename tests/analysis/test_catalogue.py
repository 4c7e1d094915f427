"""Receptive field, multiply-adds and resolutions of the published networks.

Multiply-adds in millions: VGG and ResNet print theirs, the others are those of several
libraries. Receptive fields: Araujo et al., Distill 2019, and arithmetic.
"""

import pytest

import keras_arch
from keras_arch.analysis import count_macs, receptive_field, resolution_profile

IMAGENET = (224, 112, 56, 28, 14, 7)
CIFAR = (32, 16, 8)


@pytest.mark.parametrize(
    ("preset", "arguments", "field", "millions", "sides"),
    [
        ("VGG11", {}, 150, 7_609, IMAGENET),
        ("VGG13", {}, 156, 11_308, IMAGENET),
        ("VGG16", {}, 212, 15_470, IMAGENET),
        ("VGG19", {}, 268, 19_632, IMAGENET),
        ("ResNet18", {}, 435, 1_814, IMAGENET),
        ("ResNet34", {}, 899, 3_664, IMAGENET),
        ("ResNet50", {}, 483, 3_858, IMAGENET),
        ("ResNet50", {"stride_in": "3x3"}, 427, 4_089, IMAGENET),
        ("ResNet101", {}, 1027, 7_570, IMAGENET),
        ("ResNet152", {}, 1507, 11_282, IMAGENET),
        ("ResNet20CIFAR", {}, 81, 41, CIFAR),
        ("ResNet56CIFAR", {}, 249, 125, CIFAR),
        ("ResNet110CIFAR", {}, 501, 253, CIFAR),
        ("ResNet50V2", {}, 483, 3_482, IMAGENET),
        ("ResNet101V2", {}, 1027, 7_194, IMAGENET),
        ("ResNet152V2", {}, 1507, 10_907, IMAGENET),
        ("DenseNet121", {}, 2071, 2_834, IMAGENET),
        ("DenseNet161", {}, 2967, 7_728, IMAGENET),
        ("DenseNet169", {}, 3351, 3_360, IMAGENET),
        ("DenseNet201", {}, 3863, 4_291, IMAGENET),
        ("GoogLeNet", {}, 715, 1_583, IMAGENET),
    ],
)
def test_published(preset, arguments, field, millions, sides, quick):
    model = keras_arch.create(preset, **arguments)
    seen = receptive_field(model)
    macs = count_macs(model)
    assert seen.size == (field, field)
    assert seen.stride == (sides[0] // sides[-1],) * 2
    assert round(macs.total / 1e6) == millions
    assert sum(macs.layers.values()) == macs.total
    assert [sizes for _, sizes in resolution_profile(model)] == [(side, side) for side in sides]
