"""Deep-learning architectures and initializers, in Keras 3."""

import importlib
from typing import TYPE_CHECKING, Any

from keras_arch import activations, initializers, layers, losses, models, regularizers, training
from keras_arch.registry import cite, create, entries, get, info, list_models, register
from keras_arch.taps import feature_extractor
from keras_arch.weights import transfer_weights

if TYPE_CHECKING:
    from keras_arch import analysis, callbacks, data, export

__version__ = "0.1.0"
__all__ = [
    "activations",
    "analysis",
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
    "regularizers",
    "serving",
    "training",
    "transfer_weights",
]

# They need more than Keras, or a model to look at.
_ON_FIRST_USE = ("analysis", "callbacks", "data", "export", "recipes", "serving")


def __getattr__(name: str) -> Any:
    if name in _ON_FIRST_USE:
        return importlib.import_module(f"keras_arch.{name}")
    raise AttributeError(f"module 'keras_arch' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
