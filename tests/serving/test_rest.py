"""REST, called through plain HTTP."""

import base64
import concurrent.futures
import gzip
import json
import math
import socket
import zlib

import numpy as np
import pytest

from tests.serving.wire import http_call, rest

A, B = [[1.0, 2.0], [3.0, 4.0]], [[0, 1, 2], [3, 2, 1]]
PAIR = "/v1/models/pair:predict"
ODD = "/v1/models/odd:predict"


def test_rows_and_columns_equal_the_model(eye, eye_server):
    images = np.random.default_rng(0).random((3, 8, 8, 3), "float32")
    expected = eye[0](images)
    for path in (
        "/v1/models/eye:predict",
        "/v1/models/eye/versions/1:predict",
        "/V1/Models/eye:Predict",
    ):
        status, rows = rest(eye_server, path, {"instances": images.tolist()})
        assert status == 200
        np.testing.assert_allclose(rows["predictions"], expected, atol=1e-5)
    named = [{"image": image} for image in images.tolist()]
    columns = [images.tolist(), {"image": images.tolist()}]
    for body in ({"instances": named}, *({"inputs": column} for column in columns)):
        _, answer = rest(eye_server, "/v1/models/eye:predict", body)
        (key,) = answer
        assert key == ("predictions" if "instances" in body else "outputs")
        np.testing.assert_allclose(answer[key], expected, atol=1e-5)


def test_several_inputs_and_outputs(pair):
    model, server = pair
    total, count = model([np.float32(A), np.int32(B)])
    rows = [{"a": a, "b": b} for a, b in zip(A, B, strict=True)]
    _, answer = rest(server, PAIR, {"instances": rows, "signature_name": "serving_default"})
    assert [set(row) for row in answer["predictions"]] == [{"total", "count"}] * 2
    np.testing.assert_allclose([row["total"] for row in answer["predictions"]], total, atol=1e-5)
    np.testing.assert_allclose([row["count"] for row in answer["predictions"]], count, atol=1e-5)
    _, answer = rest(server, PAIR, {"inputs": {"a": A, "b": B, "ignored": 1}})
    np.testing.assert_allclose(answer["outputs"]["total"], total, atol=1e-5)
    np.testing.assert_allclose(answer["outputs"]["count"], count, atol=1e-5)


ELEMENT = "Failed to process element: {} of 'instances' list. Error: INVALID_ARGUMENT: {}"
EYE_REFUSALS = {
    "empty": (b"", "JSON Parse error: The document is empty"),
    "blank": (b" \n", "JSON Parse error: The document is empty. at offset: 2"),
    "no json": (b"what", "JSON Parse error: Invalid value. at offset: 0"),
    "cut off": (b'{"instances": [1,', "JSON Parse error: Invalid value. at offset: 17"),
    "no name": (b"{1}", "JSON Parse error: Missing a name for object member. at offset: 1"),
    "no colon": (
        b'{"a" 1}',
        "JSON Parse error: Missing a colon after a name of object member. at offset: 5",
    ),
    "no comma": (
        b'{"a": [1 2]}',
        "JSON Parse error: Missing a comma or ] after an array element. at offset: 9",
    ),
    "no brace": (
        b'{"a": [1] 2',
        "JSON Parse error: Missing a comma or } after an object member. at offset: 10",
    ),
    "no object": (b"[1]", "JSON Value: [1] Is not object"),
    "signature is no text": (
        b'{"signature_name": 5, "instances": [1]}',
        'JSON Value: {\n    "signature_name": 5,\n    "instances": [1]\n} not formatted '
        "correctly. 'signature_name' key must be a string value.",
    ),
    "unknown signature": (
        b'{"signature_name": "s", "instances": [1]}',
        'Serving signature name: "s" not found in signature def',
    ),
    "both": (
        b'{"instances": [], "inputs": []}',
        'JSON Value: {\n    "instances": [],\n    "inputs": []\n} Not formatted correctly '
        "expecting only one of 'inputs' or 'instances' keys to exist ",
    ),
    "neither": (b"{}", "Missing 'inputs' or 'instances' key"),
    "rows are no list": (
        b'{"instances": 1}',
        "JSON Value: {\n    \"instances\": 1\n} Expecting 'instances' to be an list/array",
    ),
    "no rows": (
        b'{"instances": []}',
        "JSON Value: {\n    \"instances\": []\n} No values in 'instances' array",
    ),
    "ragged": (
        b'{"instances": [[1,2],[3,4],[5,6,7]]}',
        ELEMENT.format(2, "Expecting tensor size: 2 but got: 3"),
    ),
    "another shape": (
        b'{"instances": [[1,2],[3,4],[[5,6]]]}',
        ELEMENT.format(2, "Expecting shape [2] but got: [1,2]"),
    ),
    "ragged inside": (
        b'{"instances": [[[1],[2,3]]]}',
        ELEMENT.format(0, "Encountered list at unexpected size: 2 at level: 1 expected size: 1"),
    ),
    "nested too deep": (
        b'{"instances": [[1,[2]]]}',
        ELEMENT.format(0, "Encountered list at unexpected level: 1 expected < 1"),
    ),
    "nested too little": (
        b'{"instances": [[[1],2]]}',
        ELEMENT.format(
            0, "JSON Value: 2 found at incorrect level: 2 in the JSON DOM. Expected at level: 2"
        ),
    ),
    "text": (
        b'{"instances": ["x"]}',
        ELEMENT.format(0, 'JSON Value: "x" Type: String is not of expected type: float'),
    ),
    "bool": (
        b'{"instances": [1, true]}',
        ELEMENT.format(1, "JSON Value: true Type: True is not of expected type: float"),
    ),
    "null": (
        b'{"inputs": null}',
        "JSON Value: null Type: Null is not of expected type: float",
    ),
    "object in a list": (
        b'{"instances": [1, {"image": 2}]}',
        "Expecting value/list but got object at item 1 of input list",
    ),
    "list among objects": (
        b'{"instances": [{"image": 2}, 1]}',
        "Expecting object but got list at item 1 of input list",
    ),
    "wrong name": (
        b'{"instances": [{"z": 1}]}',
        "Failed to process element: 0 key: z of 'instances' list. Error: INVALID_ARGUMENT: "
        "JSON object: does not have named input: z",
    ),
    "missing column": (b'{"inputs": {"z": 1}}', "Missing named input: image in 'inputs' object."),
    "half a surrogate": (
        b'{"signature_name": "\\ud800", "inputs": 1}',
        'JSON Value: {\n    "signature_name": "\ud800",\n    "inputs": 1\n} not formatted '
        "correctly. 'signature_name' key must be a string value.",
    ),
}


@pytest.mark.parametrize("case", EYE_REFUSALS)
def test_predict_refuses_as_tf_serving(eye_server, case):
    body, text = EYE_REFUSALS[case]
    status, kind, answer = http_call(eye_server, "POST", "/v1/models/eye:predict", body)
    assert (status, kind) == (400, "application/json")
    assert json.loads(answer) == {"error": text}
    assert answer.startswith(b'{\n    "error": "')


PAIR_REFUSALS = {
    "plain rows": (
        {"instances": [1]},
        400,
        "instances is a plain list, but expecting list of objects as multiple input tensors "
        "required as per tensorinfo_map",
    ),
    "plain columns": (
        {"inputs": [1]},
        400,
        "inputs is a plain value/list, but expecting an object as multiple input tensors "
        "required as per tensorinfo_map",
    ),
    "a name is missing": (
        {"instances": [{"a": [1]}]},
        400,
        "Failed to process element: 0 of 'instances' list. JSON object: "
        '{\n    "a": [1]\n} keys must be equal to: a,b',
    ),
    "whole numbers only": (
        {"inputs": {"a": A, "b": [[0, 1.0, 2]]}},
        400,
        "JSON Value: 1.0 Type: Number is not of expected type: int32",
    ),
    "32 bits only": (
        {"inputs": {"a": A, "b": 2**31}},
        400,
        "JSON Value: 2147483648 Type: Number is not of expected type: int32",
    ),
    "kernel": (
        {"inputs": {"a": [[1, 2, 3]], "b": B}},
        400,
        "Matrix size-incompatible: In[0]: [1,3], In[1]: [2,2]",
    ),
    "rank": (
        {"inputs": {"a": [1, 2], "b": B}},
        400,
        "Input a has shape [2], but the signature takes [-1,2]",
    ),
}


@pytest.mark.parametrize("case", PAIR_REFUSALS)
def test_several_inputs_are_refused_as_by_tf_serving(pair, case):
    body, code, text = PAIR_REFUSALS[case]
    status, answer = rest(pair[1], PAIR, body)
    assert status == code
    assert answer["error"].split("\n\t")[0] == text  # kernels add a line with the node


ODD_ANSWERS = {
    "zero batch": ({"inputs": []}, 200, {"outputs": []}),
    "text": (
        {"signature_name": "text", "instances": ["é", {"b64": "/w"}]},
        200,
        {
            "predictions": [
                {"same": "é", "same_bytes": {"b64": "w6k="}},
                {"same": "\ufffd", "same_bytes": {"b64": "/w=="}},
            ]
        },
    ),
    "half is not for json": (
        {"signature_name": "half", "inputs": [1.5]},
        501,
        {"error": "Conversion of JSON Value: 1.5 to type: half"},
    ),
    "bytes wrap": (
        {"signature_name": "small", "inputs": [255, 256, -1]},
        200,
        {"outputs": [255, 0, 255]},
    ),
    "large integers": (
        {"signature_name": "long", "inputs": [2**63 - 1, -(2**63)]},
        200,
        {"outputs": [2**63 - 1, -(2**63)]},
    ),
    "too large": (
        {"signature_name": "long", "inputs": [2**63]},
        400,
        {"error": "JSON Value: 9223372036854775808 Type: Number is not of expected type: int64"},
    ),
    "bools": (
        {"signature_name": "flag", "instances": [True, False]},
        200,
        {"predictions": [False, True]},
    ),
    "numbers are no bools": (
        {"signature_name": "flag", "inputs": [1]},
        400,
        {"error": "JSON Value: 1 Type: Number is not of expected type: bool"},
    ),
    "bytes that are none": (
        {"signature_name": "text", "inputs": [{"b64": "*"}]},
        400,
        {"error": "Unable to base64 decode"},
    ),
    "another key": (
        {"signature_name": "text", "inputs": [{"b46": "aa"}]},
        400,
        {"error": 'JSON Value: {\n    "b46": "aa"\n} not formatted correctly for base64 data'},
    ),
    "a scalar has no rows": (
        {"signature_name": "scalar", "instances": [1, 2]},
        400,
        {"error": "Tensor name: sum has no shape information "},
    ),
    "a scalar has columns": (
        {"signature_name": "scalar", "inputs": [1, 2.5]},
        200,
        {"outputs": 3.5},
    ),
    "rows must be even": (
        {"signature_name": "uneven", "instances": [1, 2]},
        400,
        {"error": "Tensor name: rest has inconsistent batch size: 1 expecting: 2"},
    ),
}


@pytest.mark.parametrize("case", ODD_ANSWERS)
def test_types_of_json(odd_server, case):
    body, code, expected = ODD_ANSWERS[case]
    assert rest(odd_server, ODD, body) == (code, expected)


def test_numbers_that_json_lacks(odd_server):
    body = b'{"instances": [NaN, Infinity, 1e300, -1.0, 0.01]} and what follows'
    status, _, answer = http_call(odd_server, "POST", ODD, body)
    assert status == 200
    assert b"0.1" in answer  # the shortest text of the float32
    assert b"0.10" not in answer
    assert b"NaN" in answer
    received = json.loads(answer)["predictions"]
    assert math.isnan(received[0])
    assert received[1] == received[2] == math.inf
    assert math.isnan(received[3])
    whole = http_call(odd_server, "POST", ODD, b'{"inputs": [4, 0.01]}')[2]
    assert whole == b'{"outputs":[2.0,0.1]}'


def test_zipped_bodies(odd_server):
    body = b'{"inputs": [4]}'
    zipped = {"Content-Encoding": "gzip"}
    assert http_call(odd_server, "POST", ODD, gzip.compress(body), zipped)[0] == 200
    bomb = zlib.compressobj(9, wbits=31)
    large = bomb.compress(b" " * (101 << 20)) + bomb.flush()
    for wrong in (body, gzip.compress(body)[:-9], large):
        status, _, answer = http_call(odd_server, "POST", ODD, wrong, zipped)
        assert (status, json.loads(answer)["error"]) == (
            400,
            "JSON Parse error: The document is empty",
        )


def test_deeply_nested_bodies_are_refused(odd_server):
    for opening in (b"[", b'{"a":'):
        body = b'{"inputs": ' + opening * 100_000
        status, _, answer = http_call(odd_server, "POST", ODD, body)
        assert status == 400
        assert "error" in json.loads(answer)
    nested = b'{"inputs": ' + b"[" * 80 + b"1" + b"]" * 80 + b"}"
    assert http_call(odd_server, "POST", ODD, nested)[0] == 400


def test_too_large_a_body_is_refused_at_once(odd_server):
    with socket.create_connection(("127.0.0.1", odd_server.rest_port), timeout=10) as connection:
        head = f"POST {ODD} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {10**12}\r\n\r\n"
        connection.sendall(head.encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


def test_metadata(pair):
    status, answer = rest(pair[1], "/v1/models/pair/metadata")
    assert status == 200
    assert answer["model_spec"] == {"name": "pair", "signature_name": "", "version": "3"}
    signature = answer["metadata"]["signature_def"]["signature_def"]["serving_default"]
    assert signature["method_name"] == "tensorflow/serving/predict"
    assert signature["defaults"] == {}
    assert signature["inputs"]["b"] == {
        "dtype": "DT_INT32",
        "name": "serving_default_b:0",
        "tensor_shape": {
            "dim": [{"size": "-1", "name": ""}, {"size": "3", "name": ""}],
            "unknown_rank": False,
        },
    }
    assert rest(pair[1], "/v1/models/pair/versions/3/metadata") == (status, answer)


def test_status(pair):
    available = {
        "version": "3",
        "state": "AVAILABLE",
        "status": {"error_code": "OK", "error_message": ""},
    }
    for path in ("/v1/models/pair", "/v1/models/pair/versions/3", "/v1/models/pair/labels/any"):
        assert rest(pair[1], path) == (200, {"model_version_status": [available]})


ADDRESSES = {
    "GET /v1/foo": (400, "Malformed request: GET /v1/foo"),
    "GET /v1/models/pair/": (400, "Malformed request: GET /v1/models/pair/"),
    "GET /v1/models/pair:predict": (400, "Malformed request: GET /v1/models/pair:predict"),
    "POST /v1/models/pair": (400, "Malformed request: POST /v1/models/pair"),
    "POST /v1/models/pair:foo": (400, "Malformed request: POST /v1/models/pair:foo"),
    "PUT /v1/models/pair": (400, "Malformed request: PUT /v1/models/pair"),
    "DELETE /v1/models/pair": (400, "Malformed request: DELETE /v1/models/pair"),
    "GET /v1/models": (400, "Missing model name in request."),
    "GET /v1/models/metadata/metadata": (
        404,
        "Servable not found for request: Latest(metadata)",
    ),
    "GET /v1/models/nobody": (404, "Could not find any versions of model nobody"),
    "GET /v1/models/pair/versions/5": (404, "Could not find version 5 of model pair"),
    "GET /v1/models/pair/versions/5/metadata": (
        404,
        "Servable not found for request: Specific(pair, 5)",
    ),
    "GET /v1/models/pair/versions/9223372036854775808": (
        400,
        "Failed to convert version: 9223372036854775808 to numeric.",
    ),
    "GET /v1/models/pair/labels/stable/metadata": (
        400,
        "Unrecognized servable version label: stable",
    ),
    "GET /v1/models/..%2Fpair": (404, "Could not find any versions of model ../pair"),
}


@pytest.mark.parametrize("request_line", ADDRESSES)
def test_addresses(pair, request_line):
    code, text = ADDRESSES[request_line]
    status, kind, answer = http_call(pair[1], *request_line.split())
    assert (status, kind) == (code, "application/json")
    assert json.loads(answer) == {"error": text}


def test_what_is_no_api_is_not_found_in_html(pair):
    for path in ("/", "/v2/models/pair", "/v1"):
        status, kind, answer = http_call(pair[1], "GET", path)
        assert (status, kind) == (404, "text/html")
        assert b"<H1>Not Found</H1>" in answer


def test_unknown_models_are_refused_after_their_json(pair):
    path = "/v1/models/nobody:predict"
    assert rest(pair[1], path, b"{")[0] == 400
    text = "Servable not found for request: Latest(nobody)"
    assert rest(pair[1], path, {"inputs": 1}) == (404, {"error": text})


def test_many_at_once(eye, eye_server):
    images = np.random.default_rng(1).random((40, 1, 8, 8, 3), "float32")
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = pool.map(
            lambda image: rest(eye_server, "/v1/models/eye:predict", {"inputs": image.tolist()}),
            images,
        )
        received = [answer["outputs"] for _, answer in answers]
    np.testing.assert_allclose(received, [eye[0](image) for image in images], atol=1e-5)


def test_base64_of_the_standard_alphabet(odd_server):
    raw = bytes(range(256))
    body = {"signature_name": "text", "inputs": [{"b64": base64.b64encode(raw).decode()}]}
    _, answer = rest(odd_server, ODD, body)
    assert base64.b64decode(answer["outputs"]["same_bytes"][0]["b64"]) == raw
