"""What each call does, as functions from message to message; both protocols use them."""

import grpc
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    predict_pb2,
)

from keras_arch.serving.manager import Manager
from keras_arch.serving.predict import predict
from keras_arch.serving.status import StatusError, invalid_argument

_SIGNATURE_DEF = "signature_def"  # the one kind of metadata there is


def _required(request):
    if not request.HasField("model_spec"):
        raise invalid_argument("Missing ModelSpec")
    return request.model_spec


def answer_predict(
    manager: Manager, request: predict_pb2.PredictRequest
) -> predict_pb2.PredictResponse:
    """``PredictionService.Predict``."""
    return predict(manager.resolve(_required(request)), request)


def answer_metadata(
    manager: Manager, request: get_model_metadata_pb2.GetModelMetadataRequest
) -> get_model_metadata_pb2.GetModelMetadataResponse:
    """``PredictionService.GetModelMetadata``."""
    model_spec = _required(request)
    if not request.metadata_field:
        raise invalid_argument("GetModelMetadataRequest must specify at least one metadata_field")
    for field in request.metadata_field:
        if field != _SIGNATURE_DEF:
            raise invalid_argument(f"Metadata field {field} is not supported")
    servable = manager.resolve(model_spec)
    response = get_model_metadata_pb2.GetModelMetadataResponse()
    response.model_spec.name = servable.name
    response.model_spec.version.value = servable.version
    signatures = get_model_metadata_pb2.SignatureDefMap()
    for name, signature in servable.engine.signatures.items():
        signatures.signature_def[name].CopyFrom(signature)
    response.metadata[_SIGNATURE_DEF].Pack(signatures)
    return response


def answer_status(
    manager: Manager, request: get_model_status_pb2.GetModelStatusRequest
) -> get_model_status_pb2.GetModelStatusResponse:
    """``ModelService.GetModelStatus``; a label is not looked at, as in TF-Serving."""
    model_spec = _required(request)
    versions = manager.versions(model_spec.name)
    missing = f"Could not find any versions of model {model_spec.name}"
    if model_spec.HasField("version"):
        version = model_spec.version.value
        versions = [version] if version in versions else []
        missing = f"Could not find version {version} of model {model_spec.name}"
    if not versions:
        raise StatusError(grpc.StatusCode.NOT_FOUND, missing)
    response = get_model_status_pb2.GetModelStatusResponse()
    for version in versions:
        response.model_version_status.add(
            version=version, state=get_model_status_pb2.ModelVersionStatus.AVAILABLE
        ).status.SetInParent()
    return response
