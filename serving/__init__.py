"""A server that speaks TF-Serving's protocols, over gRPC and REST."""

from keras_arch.serving.server import Server
from keras_arch.serving.status import StatusError

__all__ = ["Server", "StatusError"]
