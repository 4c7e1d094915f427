"""The fast way of JSON numbers gives what the slow one gives, or nothing."""

import json

import numpy as np
import pytest
from tensorflow.core.protobuf import meta_graph_pb2

from keras_arch.serving import jsoncodec, rapidjson
from keras_arch.serving.status import StatusError
from keras_arch_client import tensors

VALUES = [
    [[1.5, 2], [-3, 4e300]],
    [[1, 2], [3, 4]],
    [0, 255, -1, 2**31 - 1],
    [2**32 - 1],
    [2**63],
    [2**64 - 1, 1],
    [2**64],
    [],
    [[], []],
    [1, 2.0],
    [1, [2]],
    [1, None],
    ["1"],
    3,
    [[[[1]]]],
]


def read(value, dtype, fast):
    infos = {"x": meta_graph_pb2.TensorInfo(dtype=tensors.enum_of(dtype))}
    try:
        return jsoncodec.read_inputs({"inputs": value}, infos, fast)[0]["x"]
    except StatusError as error:
        return str(error)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "uint8", "int64", "uint64"])
@pytest.mark.parametrize("value", VALUES, ids=str)
def test_both_ways_agree(value, dtype):
    fast, slow = read(value, dtype, True), read(value, dtype, False)
    assert type(fast) is type(slow)
    if isinstance(slow, str):
        assert fast == slow
    else:
        assert (fast.dtype, fast.shape) == (slow.dtype, slow.shape) == (dtype, fast.shape)
        np.testing.assert_array_equal(fast, slow)


def test_the_fast_way_is_taken(monkeypatch):
    monkeypatch.setattr(jsoncodec.jsonvalues, "dense", None)
    assert read([[1.5]], "float32", True).tolist() == [[1.5]]


@pytest.mark.parametrize(
    "body",
    [b'{"a": 1}', b'\xef\xbb\xbf {"a": 1}', b' {"a": 1} {"b": 2}', b'{"a": 1}]'],
    ids=["plain", "marked", "followed", "bracket"],
)
def test_the_first_document_counts(body):
    assert rapidjson.parse(body) == {"a": 1}


def test_long_integers_are_doubles():
    assert rapidjson.parse(b'{"a": ' + b"9" * 5000 + b"}") == {"a": float("inf")}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"a": "\xff"}', "Invalid encoding in string. at offset: 7"),
        (b'{"a": "b', "Missing a closing quotation mark in string."),
        (b'{"a": "\\q"}', "Invalid escape character in string."),
        (b'{"a": "\\uzzzz"}', "Incorrect hex digit after \\u escape in string."),
        (b'{"a": 1,}', "Missing a name for object member."),
        (b'{"a": [1,]}', "Invalid value."),
    ],
)
def test_what_is_wrong_is_said_as_rapidjson_says_it(body, message):
    with pytest.raises(StatusError) as caught:
        rapidjson.parse(body)
    assert message in caught.value.message


def test_excerpts_are_short():
    text = rapidjson.excerpt({"key": list(range(10_000)), "more": 1})
    assert text.startswith('{\n    "key": [0, 1, 2')
    assert len(text) < 270


def test_numbers_survive_a_mixture_with_nan():
    values = np.float32([0.1, 1e-30, 3e38, np.nan])
    written = json.loads(jsoncodec.write_outputs({"y": values}, by_row=True))["predictions"]
    np.testing.assert_array_equal(np.float32(written), values)
    assert written[0] == 0.1
