"""The recorded requests of a version, to be played before anybody waits for an answer."""

import pathlib
from collections.abc import Iterator

import grpc
import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from keras_arch.serving.status import StatusError, invalid_argument

_FILE = pathlib.PurePath("assets.extra", "tf_serving_warmup_requests")
_MOST = 1000  # records, as in TF-Serving


def requests(version_path: pathlib.Path) -> Iterator[predict_pb2.PredictRequest]:
    """Read the warm-up requests of a version; there may be none.

    Args:
        version_path: Directory of the version.

    Raises:
        StatusError: If the file is not a TFRecord of ``PredictionLog``, or holds more than
            1,000 records.
    """
    path = version_path / _FILE
    if not path.exists():
        return
    try:
        for count, record in enumerate(tf.data.TFRecordDataset(str(path)).as_numpy_iterator()):
            if count == _MOST:
                raise invalid_argument(
                    f"Number of warmup records exceeds the maximum ({_MOST}) at {path}"
                )
            yield _request(record, path)
    except tf.errors.DataLossError as error:
        raise StatusError(
            grpc.StatusCode.DATA_LOSS,
            f"{error.message}. Please verify your warmup data is in TFRecord format.",
        ) from error


def _request(record, path):
    try:
        log = prediction_log_pb2.PredictionLog.FromString(record)
    except DecodeError as error:
        raise invalid_argument(f"Failed to parse warmup record from {path}") from error
    kind = log.WhichOneof("log_type")
    if kind in ("classify_log", "regress_log"):
        return _of_examples(getattr(log, kind).request)
    if kind != "predict_log":
        raise StatusError(grpc.StatusCode.UNIMPLEMENTED, f"Unsupported log_type for warmup: {kind}")
    return log.predict_log.request


def _of_examples(asked):
    """The same as a request for tensors: such a signature takes serialised examples."""
    request = predict_pb2.PredictRequest(model_spec=asked.model_spec)
    examples = asked.input.example_list.examples
    if asked.input.WhichOneof("kind") != "example_list" or not examples:
        raise invalid_argument("Input is empty.")
    rows = np.array([example.SerializeToString() for example in examples], object)
    request.inputs["inputs"].CopyFrom(tf.make_tensor_proto(rows))
    return request
