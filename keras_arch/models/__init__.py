"""Model families, one a file; this list is the table of contents.

Every preset of a family is a function here too: ``DenseNet121(classes=10)``.
"""

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import keras

from keras_arch import registry
from keras_arch.models.dense.highway_mlp import HighwayMLP
from keras_arch.models.dense.mlp import MLP
from keras_arch.models.dense.perceptron import Perceptron
from keras_arch.models.generative.gan import GAN
from keras_arch.models.graph.gcn import GCN
from keras_arch.models.vision.alexnet import AlexNet
from keras_arch.models.vision.bn_inception import BNInception
from keras_arch.models.vision.densenet import DenseNet
from keras_arch.models.vision.dpn import DPN
from keras_arch.models.vision.googlenet import GoogLeNet
from keras_arch.models.vision.highway_cnn import HighwayCNN
from keras_arch.models.vision.inception_resnet_v1 import InceptionResNetV1
from keras_arch.models.vision.inception_resnet_v2 import InceptionResNetV2
from keras_arch.models.vision.inception_v3 import InceptionV3
from keras_arch.models.vision.inception_v4 import InceptionV4
from keras_arch.models.vision.lenet import LeNet5
from keras_arch.models.vision.lenet1 import LeNet1
from keras_arch.models.vision.lenet_zip1989 import LeNetZip1989
from keras_arch.models.vision.locally_connected import LocallyConnectedNet
from keras_arch.models.vision.mobilenet import MobileNet
from keras_arch.models.vision.mobilenet_v2 import MobileNetV2
from keras_arch.models.vision.mobilenet_v3 import MobileNetV3
from keras_arch.models.vision.nasnet import NASNet
from keras_arch.models.vision.nin import NiN
from keras_arch.models.vision.plain_cnn import PlainCNN
from keras_arch.models.vision.resnet import ResNet
from keras_arch.models.vision.resnet_v2 import ResNetV2
from keras_arch.models.vision.ror import RoR
from keras_arch.models.vision.senet import SENet
from keras_arch.models.vision.shufflenet import ShuffleNet
from keras_arch.models.vision.siamese import SiameseNetwork
from keras_arch.models.vision.squeezenet import SqueezeNet
from keras_arch.models.vision.stn import STN
from keras_arch.models.vision.vanilla_cnn import VanillaCNN
from keras_arch.models.vision.vgg import VGG
from keras_arch.models.vision.wide_resnet import WideResNet
from keras_arch.models.vision.zfnet import ZFNet

__all__ = [
    "AlexNet",
    "BNInception",
    "DPN",
    "DenseNet",
    "GAN",
    "GCN",
    "GoogLeNet",
    "HighwayCNN",
    "HighwayMLP",
    "InceptionResNetV1",
    "InceptionResNetV2",
    "InceptionV3",
    "InceptionV4",
    "LeNet1",
    "LeNet5",
    "LeNetZip1989",
    "LocallyConnectedNet",
    "MLP",
    "MobileNet",
    "MobileNetV2",
    "MobileNetV3",
    "NASNet",
    "NiN",
    "Perceptron",
    "PlainCNN",
    "ResNet",
    "ResNetV2",
    "RoR",
    "SENet",
    "STN",
    "ShuffleNet",
    "SiameseNetwork",
    "SqueezeNet",
    "VGG",
    "VanillaCNN",
    "WideResNet",
    "ZFNet",
]


def _preset(entry: registry.Entry, name: str) -> Callable[..., keras.Model]:
    """The factory with a preset's arguments as defaults, all by keyword."""
    values = entry.arguments(name)

    def build(**arguments: Any) -> keras.Model:
        return entry.target(**entry.arguments(name, **arguments))

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
