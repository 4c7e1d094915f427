"""What stands in a version directory, read with TensorFlow's and TF-Serving's own means."""

import json

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import prediction_log_pb2

WARMUP = "assets.extra/tf_serving_warmup_requests"
MANIFEST = "assets.extra/manifest.json"


def loaded(path):
    """Signatures of a SavedModel, which keep it alive."""
    found = tf.saved_model.load(str(path))
    signatures = {name: found.signatures[name] for name in found.signatures}
    return found, signatures


def names(path):
    """``{signature: (inputs, outputs)}``, by TensorFlow's own loader."""
    return {
        name: (
            {
                key: tuple(spec.shape)
                for key, spec in function.structured_input_signature[1].items()
            },
            {key: tuple(spec.shape) for key, spec in function.structured_outputs.items()},
        )
        for name, function in loaded(path)[1].items()
    }


def ask(path, signature, **arrays):
    """The answer of a signature, as arrays."""
    found = tf.saved_model.load(str(path))
    answer = found.signatures[signature](**{k: tf.constant(v) for k, v in arrays.items()})
    return {name: tensor.numpy() for name, tensor in answer.items()}


def signature_defs(path):
    """The ``SignatureDef`` protos, by name, as a server reads them."""
    proto = saved_model_pb2.SavedModel.FromString((path / "saved_model.pb").read_bytes())
    (graph,) = proto.meta_graphs
    assert list(graph.meta_info_def.tags) == ["serve"]
    return dict(graph.signature_def)


def logs(path):
    """The records of the warm-up."""
    for record in tf.data.TFRecordDataset(str(path / WARMUP)).as_numpy_iterator():
        yield prediction_log_pb2.PredictionLog.FromString(record)


def requests(path):
    """The requests of the warm-up, all of them for Predict."""
    return [log.predict_log.request for log in logs(path)]


def manifest(path):
    """The manifest."""
    return json.loads((path / MANIFEST).read_text())


def weight_bytes(path):
    """Bytes of a version that are not warm-up or manifest."""
    files = [path / "saved_model.pb", *(path / "variables").glob("*")]
    return sum(file.stat().st_size for file in files)


def example(**features):
    """A serialised ``tf.train.Example``."""
    found = tf.train.Example()
    for name, values in features.items():
        values = np.ravel(values).tolist()
        feature = found.features.feature[name]
        kind = {bytes: "bytes_list", float: "float_list", int: "int64_list"}[type(values[0])]
        getattr(feature, kind).value.extend(values)
    return found.SerializeToString()
