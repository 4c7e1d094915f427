"""A client of TF-Serving's gRPC protocol, without TensorFlow."""

from collections.abc import Mapping
from typing import Any

import grpc
import numpy as np

from keras_arch_client import messages, tensors
from keras_arch_client.errors import ServingError

_STATES = {0: "UNKNOWN", 10: "START", 20: "LOADING", 30: "AVAILABLE", 40: "UNLOADING", 50: "END"}


class GrpcClient:
    """Asks a TF-Serving compatible server over gRPC.

    Args:
        target: Address, ``"host:port"``.
        timeout: Seconds that a call may take.

    Example:

    ```python
    with GrpcClient("127.0.0.1:8500") as client:
        client.predict("digits", {"image": images})["head"]
    ```
    """

    def __init__(self, target: str, timeout: float = 60.0):
        self._timeout = timeout
        unlimited = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
        self._channel = grpc.insecure_channel(target, options=unlimited)

    def predict(
        self,
        model: str,
        inputs: Mapping[str, Any],
        signature_name: str = "",
        version: int | None = None,
    ) -> dict[str, np.ndarray]:
        """Run a signature of a model.

        Args:
            model: Name of the model.
            inputs: Arrays by name of the input.
            signature_name: By default ``serving_default``.
            version: By default the latest.

        Returns:
            Arrays by name of the output.

        Raises:
            ServingError: If the server refuses.
        """
        request = messages.PredictRequest()
        _address(request.model_spec, model, version)
        request.model_spec.signature_name = signature_name
        for name, array in inputs.items():
            tensors.fill(request.inputs[name], array)
        response = self._call("PredictionService/Predict", request, messages.PredictResponse)
        return {name: tensors.to_array(proto) for name, proto in response.outputs.items()}

    def metadata(self, model: str, version: int | None = None) -> dict[str, Any]:
        """Describe a model's signatures.

        Returns:
            ``{signature: {"inputs": {name: (dtype, shape)}, "outputs": ...}}``, with ``-1``
            for a dimension of any size, and ``None`` for an unknown shape.
        """
        request = messages.GetModelMetadataRequest(metadata_field=["signature_def"])
        _address(request.model_spec, model, version)
        response = self._call(
            "PredictionService/GetModelMetadata", request, messages.GetModelMetadataResponse
        )
        signatures = messages.SignatureDefMap.FromString(response.metadata["signature_def"].value)
        return {
            name: {"inputs": _described(found.inputs), "outputs": _described(found.outputs)}
            for name, found in signatures.signature_def.items()
        }

    def status(self, model: str, version: int | None = None) -> dict[int, str]:
        """Say where each version of a model stands: ``{1: "AVAILABLE"}``."""
        request = messages.GetModelStatusRequest()
        _address(request.model_spec, model, version)
        response = self._call(
            "ModelService/GetModelStatus", request, messages.GetModelStatusResponse
        )
        return {found.version: _STATES[found.state] for found in response.model_version_status}

    def close(self) -> None:
        """Hang up."""
        self._channel.close()

    def __enter__(self) -> "GrpcClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _call(self, method, request, response):
        call = self._channel.unary_unary(
            f"/tensorflow.serving.{method}",
            request_serializer=type(request).SerializeToString,
            response_deserializer=response.FromString,
        )
        try:
            return call(request, timeout=self._timeout)
        except grpc.RpcError as error:
            raise ServingError(error.code().name, error.details()) from error


def _address(model_spec, model, version):
    model_spec.name = model
    if version is not None:
        model_spec.version.value = version


def _described(infos):
    return {
        name: (
            tensors.name_of(info.dtype),
            None if info.tensor_shape.unknown_rank else [d.size for d in info.tensor_shape.dim],
        )
        for name, info in infos.items()
    }
