"""Deep-learning architectures and initializers, in Keras 3."""

import importlib
from typing import TYPE_CHECKING, Any

from keras_arch import activations, initializers, layers, losses, models, training
from keras_arch.registry import cite, create, entries, get, info, list_models, register
from keras_arch.taps import feature_extractor
from keras_arch.weights import transfer_weights

if TYPE_CHECKING:
    from keras_arch import callbacks, data, export

__version__ = "0.1.0"
__all__ = [
    "activations",
    "callbacks",
    "cite",
    "create",
    "data",
    "entries",
    "export",
    "feature_extractor",
    "get",
    "info",
    "initializers",
    "layers",
    "list_models",
    "losses",
    "models",
    "recipes",
    "register",
    "serving",
    "training",
    "transfer_weights",
]

_ON_FIRST_USE = ("callbacks", "data", "export", "recipes", "serving")  # they need more than Keras


def __getattr__(name: str) -> Any:
    if name in _ON_FIRST_USE:
        return importlib.import_module(f"keras_arch.{name}")
    raise AttributeError(f"module 'keras_arch' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
