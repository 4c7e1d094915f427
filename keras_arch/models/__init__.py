"""Model families, one a file; this list is the table of contents.

Every preset of a family is a function here too: ``DenseNet121(classes=10)``.
"""

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import keras

from keras_arch import registry
from keras_arch.models.dense.mlp import MLP
from keras_arch.models.dense.perceptron import Perceptron
from keras_arch.models.generative.gan import GAN
from keras_arch.models.graph.gcn import GCN
from keras_arch.models.vision.densenet import DenseNet
from keras_arch.models.vision.lenet import LeNet5
from keras_arch.models.vision.lenet1 import LeNet1
from keras_arch.models.vision.lenet_zip1989 import LeNetZip1989
from keras_arch.models.vision.locally_connected import LocallyConnectedNet
from keras_arch.models.vision.resnet import ResNet
from keras_arch.models.vision.resnet_v2 import ResNetV2
from keras_arch.models.vision.siamese import SiameseNetwork
from keras_arch.models.vision.vgg import VGG

__all__ = [
    "GAN",
    "GCN",
    "MLP",
    "VGG",
    "DenseNet",
    "LeNet1",
    "LeNet5",
    "LeNetZip1989",
    "LocallyConnectedNet",
    "Perceptron",
    "ResNet",
    "ResNetV2",
    "SiameseNetwork",
]


def _preset(entry: registry.Entry, name: str) -> Callable[..., keras.Model]:
    """The factory with a preset's arguments as defaults, all by keyword."""
    values = entry.arguments(name)

    def build(**arguments: Any) -> keras.Model:
        return entry.target(**{**values, **arguments})

    signature = inspect.signature(entry.target)
    build.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[
            parameter.replace(
                kind=inspect.Parameter.KEYWORD_ONLY,
                default=values.get(parameter.name, parameter.default),
            )
            for parameter in signature.parameters.values()
        ]
    )
    build.__name__ = build.__qualname__ = name
    build.__module__ = __name__
    shown = ", ".join(f"{key}={value!r}" for key, value in entry.presets[name].items())
    _, _, rest = (inspect.getdoc(entry.target) or "").partition("\n\n")
    rest, _, _ = rest.partition("Example:")  # of the family, with the family's name
    build.__doc__ = f"{name}: ``{entry.name}`` with {shown}.\n\n{rest.rstrip()}\n"
    return build


for _entry in registry.entries(room="models"):
    if _entry.target.__name__ in __all__:
        for _name in _entry.presets:
            globals()[_name] = _preset(_entry, _name)
            __all__ += [_name]

if TYPE_CHECKING:  # type checkers cannot see the presets

    def __getattr__(name: str) -> Callable[..., keras.Model]: ...
