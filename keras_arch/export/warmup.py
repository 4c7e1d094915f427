"""Warm-up requests, in TF-Serving's place and format, tried out before they are written."""

import keras
import numpy as np

from keras_arch.errors import invalid
from keras_arch.export import signatures

PATH = "assets.extra/tf_serving_warmup_requests"
_FREE = 32  # size that a warm-up gives to a dimension of any size


def examples(model, warmup):
    """Named arrays of one request."""
    names = signatures.names(signatures.structure_of_inputs(model), "inputs")
    if warmup is None:
        batch = model.inputs[0].shape[0] or 1
        arrays = [
            np.zeros([batch, *(size or _FREE for size in tensor.shape[1:])])
            for tensor in model.inputs
        ]
    else:
        arrays = keras.tree.flatten(warmup)
    if len(arrays) != len(names):
        raise invalid("warmup", f"arrays for the inputs {names}", warmup)
    return {
        name: keras.ops.convert_to_numpy(keras.ops.cast(array, tensor.dtype))
        for name, tensor, array in zip(names, model.inputs, arrays, strict=True)
    }


def encoded_examples(model):
    """One black image, named and encoded."""
    import tensorflow as tf

    name = signatures.names(signatures.structure_of_inputs(model), "inputs")[0]
    blank = tf.io.encode_png(np.zeros(model.inputs[0].shape[1:], "uint8")).numpy()
    return {f"{name}_bytes": np.array([blank], object)}


def try_out(functions, requests):
    """A server refuses a version whose warm-up fails: find that out here."""
    import tensorflow as tf

    for signature, function in functions.items():
        request = requests[signature]
        try:
            function(**{name: tf.constant(array) for name, array in request.items()})
        except (tf.errors.OpError, TypeError, ValueError) as error:
            shapes = {name: array.shape for name, array in request.items()}
            raise invalid(
                "warmup", f"a batch that the model can run ({signature})", shapes
            ) from error


def write(requests, model_name, path):
    """Write a record for each signature."""
    import tensorflow as tf
    from tensorflow_serving.apis import prediction_log_pb2

    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature, arrays in requests.items():
            log = prediction_log_pb2.PredictionLog()
            request = log.predict_log.request
            request.model_spec.name = model_name
            request.model_spec.signature_name = signature
            for name, array in arrays.items():
                request.inputs[name].CopyFrom(tf.make_tensor_proto(array))
            writer.write(log.SerializeToString())
