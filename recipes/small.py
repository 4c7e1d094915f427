"""Image classifiers in a size for small images: one line a family.

They see 32x32 pixels and take a second or two for an epoch of the digits. The blocks are the
papers'; what has few units drops few of them, and where a paper has nets with and without
normalization, or there is no other way for one recipe to train all, it is the one with.
"""

import inspect
from typing import Any

import keras

import keras_arch

CHAIN = {"depths": (1, 1, 1), "widths": (8, 16, 32), "stem": "cifar"}
WIDE = {  # half of the units, as the papers drop them, is too much for so few
    "widths": (16, 32, 48, 48, 32),
    "units": (128, 128),
    "dropout": 0.2,
    "kernel_initializer": "he_normal",
    "stem": "cifar",
}
INCEPTION = {"depths": (1, 1, 1), "alpha": 0.0625, "stem": "cifar"}
SMALL: dict[str, dict[str, Any]] = {
    "AlexNet": WIDE,
    "BNInception": INCEPTION,
    "DPN": {
        **CHAIN,
        "growths": (8, 8, 8),
        "bottleneck": 16,
        "groups": 4,
        "stem_width": 16,
    },
    "DenseNet": {"depths": (3, 6, 4), "growth": 16},
    "GoogLeNet": {**INCEPTION, "alpha": 0.125, "variant": "bn"},
    "HighwayCNN": {"depths": (2, 2, 2)},
    "HighwayMLP": {"depth": 10},
    "InceptionResNetV1": INCEPTION,
    "InceptionResNetV2": INCEPTION,
    "InceptionV3": INCEPTION,
    "InceptionV4": INCEPTION,
    "LeNet1": {},
    "LeNet5": {"variant": "modern"},
    "LeNetZip1989": {},
    "LocallyConnectedNet": {
        "widths": (8, 16),
        "kernels": (5, 5),
        "units": (64,),
        "activation": "relu",
        "dropout": 0.5,
    },
    "MLP": {"units": (256, 128), "activation": "relu"},
    "MobileNet": {"depths": (1, 1, 2), "widths": (16, 32, 64), "stem": "cifar"},
    "MobileNetV2": {
        "depths": (1, 2, 2),
        "widths": (8, 12, 24),
        "strides": (1, 2, 2),
        "expansion": 3,
        "last_width": 64,
        "stem": "cifar",
    },
    "MobileNetV3": {
        "blocks": (
            ((3, 16, 16, True, "relu", 2),),
            ((3, 48, 24, False, "relu", 2), (3, 72, 24, False, "relu", 1)),
            ((5, 96, 32, True, "hard_swish", 1), (5, 96, 32, True, "hard_swish", 1)),
        ),
        "last_width": 64,
        "include_preprocessing": False,
        "stem": "cifar",
    },
    "NASNet": {
        "depths": (1, 1),
        "widths": (8, 16),
        "stem_width": 16,
        "skip_reduction": False,
        "stem": "cifar",
    },
    "NiN": {"widths": ((32, 24, 16), (32, 32, 32), (32, 32)), "norm": "batch"},
    "PlainCNN": {"depths": (16, 16, 16), "widths": (4, 8, 16)},
    "ResNet": {**CHAIN, "block": "basic", "conv_bias": False},
    "ResNetV2": {**CHAIN, "block": "basic", "wiring": "paper"},
    "RoR": {"depth": 8},
    "SENet": {**CHAIN, "widths": (4, 8, 16), "groups": 2},
    "STN": {"widths": (16, 32), "localization_widths": (8, 16)},
    "ShuffleNet": {"depths": (2, 2, 2), "widths": (48, 96, 192), "stem": "cifar"},
    "SqueezeNet": {"width": 32, "squeeze_ratio": 0.25, "norm": "batch", "stem": "cifar"},
    "VGG": {**CHAIN, "units": (128,), "norm": "batch", "dropout": 0.5},
    "VanillaCNN": {"depth": 50, "width": 8},
    "WideResNet": {"depth": 10, "k": 1},
    "ZFNet": WIDE,
}
VECTORS = ("MLP",)  # what reads an image as a vector
CIFAR = 64  # pixels up to which a stem keeps the resolution


def image_classifiers() -> list[str]:
    """The families that an optimizer can train to name images."""
    found = keras_arch.entries(room="models", task="image-classification")
    return sorted([*VECTORS, *(entry.name for entry in found)])


def small_classifier(name: str, classes: int, shape: tuple[int, int, int]) -> keras.Model:
    """Build a family in its small size, and a preset as the catalogue says.

    Args:
        name: A family or a preset for image classification.
        classes: Units of the head.
        shape: ``(height, width, channels)``; on small images the stem of any model that
            has a choice is ``"cifar"``, if ``SMALL`` says no other.
    """
    values = SMALL.get(name, {})
    if name in VECTORS:
        image = keras.Input(shape, name="image")
        vector = keras.layers.Flatten(name="features")(image)
        top = keras_arch.create(name, features=vector.shape[-1], classes=classes, **values)
        return keras.Model(image, top(vector), name=f"{top.name}_on_images")
    choice = "stem" in inspect.signature(keras_arch.get(name).target).parameters
    if choice and name not in SMALL and max(shape[:2]) <= CIFAR:
        values = {"stem": "cifar"}
    return keras_arch.create(name, classes=classes, input_shape=shape, **values)
