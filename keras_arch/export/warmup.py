"""Warm-up requests, in TF-Serving's place and format, tried out before they are written."""

from collections.abc import Mapping
from typing import Any

from keras_arch.errors import invalid
from keras_arch.export.signatures import Signature

PATH = "assets.extra/tf_serving_warmup_requests"


def try_out(signatures: Mapping[str, Signature]) -> None:
    """A server refuses a version whose warm-up fails: find that out here."""
    import tensorflow as tf

    for name, (function, requests, _) in signatures.items():
        for request in requests:
            try:
                function(**{key: tf.constant(array) for key, array in request.items()})
            except (tf.errors.OpError, TypeError, ValueError) as error:
                shapes = {key: array.shape for key, array in request.items()}
                expected = f"a batch that the model can run ({name})"
                raise invalid("warmup", expected, shapes) from error


def write(signatures: Mapping[str, Signature], model_name: str, path: Any) -> None:
    """Write a record for each example of each signature."""
    import tensorflow as tf

    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for name, signature in signatures.items():
            for request in signature.requests:
                log = _log(signature.method, request)
                kind = getattr(log, log.WhichOneof("log_type")).request
                kind.model_spec.name = model_name
                kind.model_spec.signature_name = name
                writer.write(log.SerializeToString())


def _log(method, arrays):
    import tensorflow as tf
    from tensorflow_serving.apis import prediction_log_pb2

    log = prediction_log_pb2.PredictionLog()
    if method == "predict":
        for name, array in arrays.items():
            # Equal numbers are written once: of zeros in the size of images, nothing is left.
            equal = array.dtype != object and array.size and (array == array.flat[0]).all()
            values = array.flat[0] if equal else array
            proto = tf.make_tensor_proto(values, array.dtype, array.shape)
            log.predict_log.request.inputs[name].CopyFrom(proto)
        return log
    one = log.classify_log if method == "classify" else log.regress_log
    for serialized in arrays["inputs"]:
        one.request.input.example_list.examples.add().ParseFromString(serialized)
    return log
