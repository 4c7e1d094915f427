"""The gRPC front end."""

import logging
from collections.abc import Callable
from concurrent import futures
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    predict_pb2,
)

from keras_arch.serving import handlers
from keras_arch.serving.manager import Manager
from keras_arch.serving.status import StatusError, invalid_argument

logger = logging.getLogger(__name__)

MAX_MESSAGE_BYTES = 256 << 20
_THREADS = 8  # more of them only wait for each other's turn in Python
_MAX_TEXT = 1024  # of an error, as in TF-Serving

_METHODS = {
    "tensorflow.serving.PredictionService": {
        "Predict": (handlers.answer_predict, predict_pb2.PredictRequest),
        "GetModelMetadata": (
            handlers.answer_metadata,
            get_model_metadata_pb2.GetModelMetadataRequest,
        ),
    },
    "tensorflow.serving.ModelService": {
        "GetModelStatus": (handlers.answer_status, get_model_status_pb2.GetModelStatusRequest),
    },
}


class GrpcServer:
    """Answers gRPC calls from threads of its own.

    Args:
        manager: Where the models are.
        host: Address to listen on.
        port: Port to listen on; 0 lets the system choose.

    Attributes:
        port: The port.
    """

    def __init__(self, manager: Manager, host: str, port: int):
        self._server = grpc.server(
            futures.ThreadPoolExecutor(_THREADS, thread_name_prefix="grpc"),
            options=[
                ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
                ("grpc.max_send_message_length", -1),
                ("grpc.so_reuseport", 0),  # a port that is taken is an error
            ],
        )
        for service, methods in _METHODS.items():
            calls = {name: _unary(manager, *method) for name, method in methods.items()}
            self._server.add_generic_rpc_handlers(
                (grpc.method_handlers_generic_handler(service, calls),)
            )
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        try:
            self.port: int = self._server.add_insecure_port(address)
        except RuntimeError as error:
            raise OSError(f"cannot listen on {address} for gRPC") from error
        self._server.start()

    def stop(self, grace: float) -> None:
        """Refuse new calls, and wait for those under way.

        Args:
            grace: Seconds after which they are cancelled.
        """
        self._server.stop(grace).wait()


def _unary(manager: Manager, answer: Callable[..., Any], request_type: Any):
    """Messages are parsed here, where a broken one can be refused with a proper status."""

    def handle(raw: bytes, context: grpc.ServicerContext) -> bytes:
        try:
            try:
                request = request_type.FromString(raw)
            except DecodeError as error:
                raise invalid_argument(f"Not a {request_type.DESCRIPTOR.full_name}") from error
            return answer(manager, request).SerializeToString()
        except StatusError as error:
            code, text = error.code, error.message
        except Exception:
            logger.exception("a request failed for a reason of our own")
            code, text = grpc.StatusCode.INTERNAL, "Internal error; the server's log says more."
        context.set_code(code)
        context.set_details(text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}...TRUNCATED")
        return b""

    return grpc.unary_unary_rpc_method_handler(handle)
