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


@pytest.mark.parametrize(
    ("preset", "millions"),
    [
        ("DPN68", 2_326.2),
        ("DPN92", 6_501.7),
        ("DPN98", 11_671.2),
        ("DPN107", 18_298.8),
        ("DPN131", 16_013.6),
        ("SEResNet50", 3_860.5),
        ("WideResNet50K2", 11_398.0),
        ("MobileNet", 568.7),
        ("MobileNetV2", 300.8),
        ("MobileNetV3Small", 56.5),
        ("MobileNetV3Large", 216.6),
        ("NASNetMobile", 563.6),
    ],
)
def test_multiply_adds(preset, millions, quick):
    """With gates, groups, two paths and depthwise convolutions."""
    macs = count_macs(keras_arch.create(preset))
    assert round(macs.total / 1e6, 1) == millions
    assert sum(macs.layers.values()) == macs.total


@pytest.mark.parametrize(
    ("preset", "field"),
    [("NiN", 27), ("ZFNet", 171), ("MobileNet", 315), ("WideResNet50K2", 427)],
)
def test_fields(preset, field, quick):
    assert receptive_field(keras_arch.create(preset)).size == (field, field)
