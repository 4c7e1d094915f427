"""Runs one Predict request on one version of a model."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import grpc
import numpy as np
from tensorflow_serving.apis import predict_pb2

from keras_arch.serving.servable import Servable
from keras_arch.serving.status import StatusError, invalid_argument, joined
from keras_arch_client import tensors

DEFAULT_SIGNATURE = "serving_default"


def predict(servable: Servable, request: predict_pb2.PredictRequest) -> predict_pb2.PredictResponse:
    """Run a signature on the tensors of a request.

    Args:
        servable: The version that the request resolves to.
        request: The request; its model name and version are not looked at.

    Returns:
        The outputs, in typed fields.

    Raises:
        StatusError: With TF-Serving's code and text.
    """
    name = request.model_spec.signature_name or DEFAULT_SIGNATURE
    signature = servable.engine.signatures.get(name)
    if signature is None:
        raise StatusError(
            grpc.StatusCode.FAILED_PRECONDITION, f'Serving signature key "{name}" not found.'
        )
    check_names(signature, request.inputs)
    feeds = {alias: _parsed(alias, signature, request.inputs) for alias in signature.inputs}
    if set(request.inputs) - set(signature.inputs):
        used = set(request.inputs) & set(signature.inputs)
        raise invalid_argument(
            f"Inputs contains invalid name. Used request inputs: {joined(used)}, "
            f"request input: {joined(request.inputs)}"
        )
    wanted = _filtered(signature, request.output_filter)
    outputs = servable.engine.run(name, feeds)
    response = predict_pb2.PredictResponse()
    response.model_spec.name = servable.name
    response.model_spec.version.value = servable.version
    response.model_spec.signature_name = name
    for alias in wanted:
        tensors.fill(response.outputs[alias], outputs[alias], content=False)
    return response


def check_names(signature: Any, inputs: Collection[str]) -> None:
    """Refuse a request with more inputs than the signature has, or fewer than it needs.

    Args:
        signature: ``SignatureDef``.
        inputs: Names of the inputs that were sent.
    """
    sent, expected = set(inputs), set(signature.inputs)
    if len(sent) > len(expected) or (len(sent) < len(expected) and not signature.defaults):
        raise invalid_argument(
            f"input size does not match signature: {len(sent)}!={len(expected)} "
            f"len({{{joined(sent)}}}) != len({{{joined(expected)}}}). "
            f"Sent extra: {{{joined(sent - expected)}}}. "
            f"Missing but required: {{{joined(expected - sent)}}}."
        )


def _parsed(alias: str, signature: Any, inputs: Mapping[str, Any]) -> np.ndarray:
    if alias in inputs:
        proto = inputs[alias]
    elif alias in signature.defaults:
        proto = signature.defaults[alias]
    else:
        raise invalid_argument(
            f"Signature input alias: {alias}(feed name: {signature.inputs[alias].name}) not found "
            "in request and no default value provided. Inputs expected to be in the request "
            f"{{{joined(inputs)}}}, or default input alias set: {joined(signature.defaults)}"
        )
    try:
        return tensors.to_array(proto)
    except ValueError as error:
        raise invalid_argument(f"tensor parsing error: {alias}") from error


def _filtered(signature, output_filter: Sequence[str]) -> Sequence[str]:
    for position, alias in enumerate(output_filter):
        if alias not in signature.outputs:
            raise invalid_argument(
                f"output tensor alias not found in signature: {alias} "
                f"Outputs expected to be in the set {{{joined(signature.outputs)}}}."
            )
        if alias in output_filter[:position]:
            raise invalid_argument(f"duplicate output tensor alias: {alias}")
    return output_filter or list(signature.outputs)
