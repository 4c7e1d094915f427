"""Image classifiers in a size for small images: one line a family.

They see 32x32 pixels, take a second or two for an epoch of the digits, and are built as
the paper says in all but size.
"""

import inspect
from typing import Any

import keras

import keras_arch

CHAIN = {"depths": (1, 1, 1), "widths": (16, 32, 64), "stem": "cifar"}
SMALL: dict[str, dict[str, Any]] = {
    "DenseNet": {"depths": (3, 6, 4), "growth": 16},
    "LeNet5": {"variant": "modern"},
    "ResNet": {**CHAIN, "block": "basic", "conv_bias": False},
    "ResNetV2": {**CHAIN, "block": "basic", "wiring": "paper"},
    "VGG": {**CHAIN, "units": (128,), "norm": "batch", "dropout": 0.5},
}
CIFAR = 64  # pixels up to which a stem keeps the resolution


def small_classifier(name: str, classes: int, shape: tuple[int, int, int]) -> keras.Model:
    """Build a family in its small size, and a preset as the catalogue says.

    Args:
        name: A family or a preset for image classification.
        classes: Units of the head.
        shape: ``(height, width, channels)``; on small images the stem of any model that
            has a choice is ``"cifar"``, if ``SMALL`` says no other.
    """
    values = SMALL.get(name, {})
    choice = "stem" in inspect.signature(keras_arch.get(name).target).parameters
    if choice and name not in SMALL and max(shape[:2]) <= CIFAR:
        values = {"stem": "cifar"}
    return keras_arch.create(name, classes=classes, input_shape=shape, **values)
