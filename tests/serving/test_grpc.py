"""gRPC, called through the stubs of tensorflow-serving-api."""

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    predict_pb2,
)

from tests.serving.wire import stubs


def predict_request(name, inputs, signature="", version=None, outputs=()):
    request = predict_pb2.PredictRequest(output_filter=outputs)
    request.model_spec.name = name
    request.model_spec.signature_name = signature
    if version is not None:
        request.model_spec.version.value = version
    for key, array in inputs.items():
        request.inputs[key].CopyFrom(tf.make_tensor_proto(array))
    return request


def refusal(call, request):
    with pytest.raises(grpc.RpcError) as caught:
        call(request, timeout=30)
    return caught.value.code().name, caught.value.details()


@pytest.mark.parametrize("batch", [1, 3])
def test_predict_equals_the_model(eye, eye_server, batch):
    images = np.random.default_rng(0).random((batch, 8, 8, 3), "float32")
    with stubs(eye_server) as (service, _):
        response = service.Predict(predict_request("eye", {"image": images}), timeout=30)
    assert response.model_spec.name == "eye"
    assert response.model_spec.version.value == 1
    assert response.model_spec.signature_name == "serving_default"
    assert len(response.outputs["head"].float_val) == 5 * batch  # typed fields, by default
    np.testing.assert_allclose(
        tf.make_ndarray(response.outputs["head"]), eye[0](images), atol=1e-5, rtol=0
    )


def test_inputs_and_outputs_by_name(pair):
    model, server = pair
    a, b = np.float32([[1, 2], [3, 4]]), np.int32([[0, 1, 2], [3, 2, 1]])
    total, count = model([a, b])
    with stubs(server) as (service, _):
        both = service.Predict(predict_request("pair", {"b": b, "a": a}, version=3), timeout=30)
        one = service.Predict(
            predict_request("pair", {"a": a, "b": b}, outputs=["count"]), timeout=30
        )
    np.testing.assert_allclose(tf.make_ndarray(both.outputs["total"]), total, atol=1e-5)
    np.testing.assert_allclose(tf.make_ndarray(both.outputs["count"]), count, atol=1e-5)
    assert set(one.outputs) == {"count"}


A = np.zeros((1, 2), "float32")
B = np.zeros((1, 3), "int32")
BAD = tensor_pb2.TensorProto(dtype=1, tensor_content=b"123")
BAD.tensor_shape.dim.add(size=2)
BOMB = tensor_pb2.TensorProto(dtype=1, float_val=[0.0])
BOMB.tensor_shape.dim.add(size=2**33)


def with_tensor(proto):
    request = predict_request("pair", {"a": A, "b": B})
    request.inputs["a"].CopyFrom(proto)
    return request


def without_spec():
    request = predict_request("pair", {"a": A, "b": B})
    request.ClearField("model_spec")
    return request


def labelled():
    request = predict_request("pair", {"a": A, "b": B})
    request.model_spec.version_label = "stable"
    return request


PREDICT_REFUSALS = {
    "no spec": (without_spec(), "INVALID_ARGUMENT", "Missing ModelSpec"),
    "no name": (
        predict_request("", {}),
        "INVALID_ARGUMENT",
        "ModelSpec has no name specified.",
    ),
    "unknown model": (
        predict_request("../pair", {"a": A}),
        "NOT_FOUND",
        "Servable not found for request: Latest(../pair)",
    ),
    "unknown version": (
        predict_request("pair", {"a": A}, version=5),
        "NOT_FOUND",
        "Servable not found for request: Specific(pair, 5)",
    ),
    "unknown label": (
        labelled(),
        "INVALID_ARGUMENT",
        "Unrecognized servable version label: stable",
    ),
    "unknown signature": (
        predict_request("pair", {"a": A, "b": B}, "s"),
        "FAILED_PRECONDITION",
        'Serving signature key "s" not found.',
    ),
    "too few inputs": (
        predict_request("pair", {"a": A}),
        "INVALID_ARGUMENT",
        "input size does not match signature: 1!=2 len({a}) != len({a,b}). "
        "Sent extra: {}. Missing but required: {b}.",
    ),
    "too many inputs": (
        predict_request("pair", {"a": A, "b": B, "z": A}),
        "INVALID_ARGUMENT",
        "input size does not match signature: 3!=2 len({a,b,z}) != len({a,b}). "
        "Sent extra: {z}. Missing but required: {}.",
    ),
    "wrong input": (
        predict_request("pair", {"a": A, "z": B}),
        "INVALID_ARGUMENT",
        "Signature input alias: b(feed name: serving_default_b:0) not found in request and no "
        "default value provided. Inputs expected to be in the request {a,z}, or default input "
        "alias set: ",
    ),
    "broken tensor": (with_tensor(BAD), "INVALID_ARGUMENT", "tensor parsing error: a"),
    "memory bomb": (with_tensor(BOMB), "INVALID_ARGUMENT", "tensor parsing error: a"),
    "unknown output": (
        predict_request("pair", {"a": A, "b": B}, outputs=["z"]),
        "INVALID_ARGUMENT",
        "output tensor alias not found in signature: z Outputs expected to be in the set "
        "{count,total}.",
    ),
    "output twice": (
        predict_request("pair", {"a": A, "b": B}, outputs=["total", "total"]),
        "INVALID_ARGUMENT",
        "duplicate output tensor alias: total",
    ),
    "wrong type": (
        predict_request("pair", {"a": A.astype("float64"), "b": B}),
        "INVALID_ARGUMENT",
        "Type mismatch: actual double vs. expect float",
    ),
    "wrong size": (
        predict_request("pair", {"a": np.zeros((1, 5), "float32"), "b": B}),
        "INVALID_ARGUMENT",
        "Matrix size-incompatible: In[0]: [1,5], In[1]: [2,2]",
    ),
    "wrong rank": (
        predict_request("pair", {"a": A[0], "b": B}),
        "INVALID_ARGUMENT",
        "Input a has shape [2], but the signature takes [-1,2]",
    ),
}


@pytest.mark.parametrize("case", PREDICT_REFUSALS)
def test_predict_refuses_as_tf_serving(pair, case):
    request, code, text = PREDICT_REFUSALS[case]
    with stubs(pair[1]) as (service, _):
        received, details = refusal(service.Predict, request)
    assert received == code
    assert details.split("\n")[0] == text  # kernels add a line with the node


def test_a_wrong_rank_does_not_end_the_process(eye, eye_server):
    """The convolution of oneDNN aborts on it, so it must not get that far."""
    images = np.zeros((2, 8, 8, 3), "float32")
    with stubs(eye_server) as (service, _):
        for wrong in (images[0], images[None], np.float32(1.0)):
            assert refusal(service.Predict, predict_request("eye", {"image": wrong}))[0] == (
                "INVALID_ARGUMENT"
            )
        assert service.Predict(predict_request("eye", {"image": images}), timeout=30).outputs


def test_long_texts_are_cut(pair):
    name = "m" * 3000
    with stubs(pair[1]) as (service, _):
        details = refusal(service.Predict, predict_request(name, {}))[1]
    assert details.endswith("...TRUNCATED")
    assert len(details) == 1024 + len("...TRUNCATED")


def test_bytes_that_are_no_message(pair):
    with grpc.insecure_channel(f"127.0.0.1:{pair[1].grpc_port}") as channel:
        call = channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
        code, details = refusal(call, b"\xff\xff\xff")
        assert (code, details) == ("INVALID_ARGUMENT", "Not a tensorflow.serving.PredictRequest")
        other = channel.unary_unary("/tensorflow.serving.PredictionService/Classify")
        assert refusal(other, b"")[0] == "UNIMPLEMENTED"


def test_metadata(pair):
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = "pair"
    with stubs(pair[1]) as (service, _):
        response = service.GetModelMetadata(request, timeout=30)
    assert (response.model_spec.name, response.model_spec.version.value) == ("pair", 3)
    assert not response.model_spec.signature_name
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert response.metadata["signature_def"].Unpack(signatures)
    assert "__saved_model_init_op" in signatures.signature_def
    signature = signatures.signature_def["serving_default"]
    assert {k: i.dtype for k, i in signature.inputs.items()} == {"a": 1, "b": 3}
    assert [d.size for d in signature.outputs["count"].tensor_shape.dim] == [-1, 3, 2]


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ([], "GetModelMetadataRequest must specify at least one metadata_field"),
        (["z"], "Metadata field z is not supported"),
    ],
)
def test_metadata_refusals(pair, fields, text):
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=fields)
    request.model_spec.name = "pair"
    with stubs(pair[1]) as (service, _):
        assert refusal(service.GetModelMetadata, request) == ("INVALID_ARGUMENT", text)
        request.ClearField("model_spec")
        assert refusal(service.GetModelMetadata, request)[1] == "Missing ModelSpec"


def test_status(pair):
    request = get_model_status_pb2.GetModelStatusRequest()
    with stubs(pair[1]) as (_, models):
        assert refusal(models.GetModelStatus, request) == ("INVALID_ARGUMENT", "Missing ModelSpec")
        request.model_spec.name = "nobody"
        text = "Could not find any versions of model nobody"
        assert refusal(models.GetModelStatus, request) == ("NOT_FOUND", text)
        request.model_spec.name = "pair"
        (status,) = models.GetModelStatus(request, timeout=30).model_version_status
        request.model_spec.version.value = 5
        text = "Could not find version 5 of model pair"
        assert refusal(models.GetModelStatus, request) == ("NOT_FOUND", text)
    assert (status.version, status.state, status.status.error_code) == (3, 30, 0)


def test_the_highest_version_is_served(odd_server):
    with stubs(odd_server) as (service, _):
        response = service.Predict(predict_request("odd", {"x": np.float32([4.0])}), timeout=30)
        assert refusal(service.Predict, predict_request("odd", {}, version=6))[0] == "NOT_FOUND"
    assert response.model_spec.version.value == 7
    assert tf.make_ndarray(response.outputs["y"]).tolist() == [2.0]


@pytest.mark.parametrize(
    ("signature", "name", "array", "output"),
    [
        ("half", "h", np.float16([1.5, -2.0]), np.float16([3.0, -4.0])),
        ("small", "u", np.uint8([0, 255]), np.uint8([0, 255])),
        ("long", "n", np.int64([-(2**62)]), np.int64([-(2**62)])),
        ("flag", "p", np.array([True, False]), np.array([False, True])),
        ("text", "s", np.array([b"\xff", b""], object), np.array([b"\xff", b""], object)),
    ],
)
def test_types_survive(odd_server, signature, name, array, output):
    with stubs(odd_server) as (service, _):
        response = service.Predict(predict_request("odd", {name: array}, signature), timeout=30)
    for proto in response.outputs.values():
        received = tf.make_ndarray(proto)
        assert received.dtype == output.dtype
        assert received.tolist() == output.tolist()
