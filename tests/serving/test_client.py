"""The light client: no TensorFlow, the same bytes, the same answers as the official stubs."""

import contextlib
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    predict_pb2,
)

from keras_arch_client import GrpcClient, RestClient, ServingError, messages, tensors


@pytest.fixture(params=["grpc", "rest"])
def connect(request):
    """A function from server to client, for each protocol."""

    with contextlib.ExitStack() as stack:

        def connect(server):
            if request.param == "rest":
                client = RestClient(f"http://127.0.0.1:{server.rest_port}")
            else:
                client = GrpcClient(f"127.0.0.1:{server.grpc_port}")
            return stack.enter_context(client)

        yield connect


def test_it_imports_no_tensorflow():
    code = "import sys, keras_arch_client; print(sorted({'tensorflow', 'keras'} & {*sys.modules}))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


def test_predict(connect, pair):
    model, server = pair
    a, b = np.float32([[1, 2], [3, 4]]), np.int32([[0, 1, 2], [3, 2, 1]])
    for version in (None, 3):
        answer = connect(server).predict("pair", {"a": a, "b": b}, version=version)
        for name, expected in zip(("total", "count"), model([a, b]), strict=True):
            assert answer[name].dtype == np.float32
            np.testing.assert_allclose(answer[name], expected, atol=1e-5, rtol=0)


def test_a_single_output_keeps_its_name(connect, eye, eye_server):
    images = np.random.default_rng(0).random((2, 8, 8, 3), "float32")
    answer = connect(eye_server).predict("eye", {"image": images})
    np.testing.assert_allclose(answer["head"], eye[0](images), atol=1e-5, rtol=0)


def test_bytes_and_signatures(connect, odd_server):
    strings = np.array([[b"\xff\x00"], ["é"]], object)[:, 0]
    answer = connect(odd_server).predict("odd", {"s": strings}, signature_name="text")
    assert answer["same_bytes"].tolist() == [b"\xff\x00", "é".encode()]
    numbers = connect(odd_server).predict("odd", {"n": np.int64([2**62])}, signature_name="long")
    assert numbers["same"].tolist() == [2**62]
    assert numbers["same"].dtype == np.int64


def test_metadata_and_status(connect, pair):
    client = connect(pair[1])
    assert client.status("pair") == {3: "AVAILABLE"}
    assert client.status("pair", 3) == {3: "AVAILABLE"}
    assert client.metadata("pair")["serving_default"] == {
        "inputs": {"a": ("float", [-1, 2]), "b": ("int32", [-1, 3])},
        "outputs": {"total": ("float", [-1, 2]), "count": ("float", [-1, 3, 2])},
    }


def test_refusals_read_alike(connect, pair):
    client = connect(pair[1])
    with pytest.raises(ServingError) as caught:
        client.predict("nobody", {"a": 1.0})
    assert caught.value.code == "NOT_FOUND"
    assert caught.value.message == "Servable not found for request: Latest(nobody)"
    with pytest.raises(ServingError, match="Could not find version 4 of model pair"):
        client.status("pair", 4)


def test_nobody_there(unused_port):
    with pytest.raises(ServingError, match="UNAVAILABLE"):
        RestClient(f"http://127.0.0.1:{unused_port}").status("pair")
    with (
        GrpcClient(f"127.0.0.1:{unused_port}") as client,
        pytest.raises(ServingError, match="UNAVAILABLE"),
    ):
        client.status("pair")


def test_urls_of_files_are_refused():
    with pytest.raises(ValueError, match="Invalid value for argument `url`"):
        RestClient("file:///etc")


def request_of(kind):
    """The same PredictRequest, in either package's messages."""
    request = kind()
    request.model_spec.name = "m"
    request.model_spec.version.value = 2**40
    request.model_spec.signature_name = "s"
    request.output_filter.append("out")
    tensors.fill(request.inputs["x"], np.float32([[1, 2]]))
    tensors.fill(request.inputs["y"], np.array([b"a"], object))
    return request


def test_requests_are_the_same_bytes():
    ours, official = request_of(messages.PredictRequest), request_of(predict_pb2.PredictRequest)
    assert predict_pb2.PredictRequest.FromString(ours.SerializeToString()) == official
    assert messages.PredictRequest.FromString(official.SerializeToString()) == ours
    labelled = predict_pb2.PredictRequest()
    labelled.model_spec.version_label = "stable"
    read = messages.PredictRequest.FromString(labelled.SerializeToString())
    assert read.model_spec.version_label == "stable"


def test_answers_are_the_same_bytes():
    status = get_model_status_pb2.GetModelStatusResponse()
    status.model_version_status.add(version=7, state=50).status.error_message = "gone"
    (read,) = messages.GetModelStatusResponse.FromString(
        status.SerializeToString()
    ).model_version_status
    assert (read.version, read.state, read.status.error_message) == (7, 50, "gone")

    found = get_model_metadata_pb2.SignatureDefMap()
    info = found.signature_def["s"].inputs["x"]
    info.name, info.dtype = "x:0", 3
    info.tensor_shape.dim.add(size=-1)
    found.signature_def["s"].defaults["x"].CopyFrom(tf.make_tensor_proto([1.0]))
    read = messages.SignatureDefMap.FromString(found.SerializeToString())
    assert read.signature_def["s"].inputs["x"].tensor_shape.dim[0].size == -1
    assert read.signature_def["s"].inputs["x"].dtype == 3
    assert read.signature_def["s"].defaults["x"].float_val == [1.0]
    assert found == get_model_metadata_pb2.SignatureDefMap.FromString(read.SerializeToString())
