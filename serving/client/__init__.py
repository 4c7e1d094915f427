"""Clients of TF-Serving's protocols that need no TensorFlow."""

from keras_arch_client.errors import ServingError
from keras_arch_client.grpc_client import GrpcClient
from keras_arch_client.rest_client import RestClient

__all__ = ["GrpcClient", "RestClient", "ServingError"]
