"""TensorProto <-> arrays, against TensorFlow's own parser."""

import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2

from keras_arch_client import messages, tensors

KINDS = [
    *("float32", "float64", "float16", "int8", "int16", "int32", "int64"),
    *("uint8", "uint16", "uint32", "uint64", "bool", "complex64", "complex128"),
    ml_dtypes.bfloat16,
]


def some(kind, shape=(2, 3)):
    return np.random.default_rng(0).integers(0, 100, shape).astype(kind)


@pytest.mark.parametrize("content", [True, False], ids=["content", "fields"])
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_arrays_survive_and_tensorflow_reads_them(kind, content):
    array = some(kind)
    proto = messages.TensorProto()
    tensors.fill(proto, array, content=content)
    raw = proto.SerializeToString()
    read = tensors.to_array(messages.TensorProto.FromString(raw))
    assert read.dtype == array.dtype
    np.testing.assert_array_equal(read, array)
    np.testing.assert_array_equal(tf.io.parse_tensor(raw, tf.as_dtype(array.dtype)), array)
    assert bool(proto.tensor_content) == content


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_what_tensorflow_writes_is_read(kind):
    array = some(kind)
    np.testing.assert_array_equal(tensors.to_array(tf.make_tensor_proto(array)), array)
    whole = tensor_pb2.TensorProto.FromString(tf.io.serialize_tensor(array).numpy())
    np.testing.assert_array_equal(tensors.to_array(whole), array)


def test_strings():
    array = np.array([[b"", b"\xff" * 300], [b"a", b"bc"]], object)
    packed = tensor_pb2.TensorProto.FromString(tf.io.serialize_tensor(array).numpy())
    assert packed.tensor_content or packed.string_val
    packed = tensor_pb2.TensorProto(dtype=7, tensor_content=b"\x01\xac\x02" + b"a" + b"\xff" * 300)
    packed.tensor_shape.dim.add(size=2)
    assert tensors.to_array(packed).tolist() == [b"a", b"\xff" * 300]
    assert tf.io.parse_tensor(packed.SerializeToString(), tf.string).numpy().tolist() == [
        b"a",
        b"\xff" * 300,
    ]
    proto = messages.TensorProto()
    tensors.fill(proto, [["é", "x"]])
    assert tensors.to_array(proto).tolist() == [["é".encode(), b"x"]]
    assert tensors.to_array(tf.make_tensor_proto(array)).tolist() == array.tolist()


def proto_of(enum, shape, **values):
    proto = tensor_pb2.TensorProto(dtype=enum, **values)
    for size in shape:
        proto.tensor_shape.dim.add(size=size)
    return proto


FILLED = {
    "no value": proto_of(1, [2, 2]),
    "one value": proto_of(1, [2, 2], float_val=[7]),
    "some values": proto_of(3, [5], int_val=[1, 2]),
    "too many values": proto_of(3, [2], int_val=[1, 2, 3]),
    "scalar": proto_of(9, [], int64_val=[2**62]),
    "empty": proto_of(1, [0, 3], float_val=[1]),
    "no string": proto_of(7, [2]),
    "a string": proto_of(7, [2], string_val=[b"a"]),
    "bools": proto_of(10, [3], bool_val=[True]),
    "complex": proto_of(8, [3], scomplex_val=[1, 2]),
    "half": proto_of(19, [3], half_val=[15360]),
    "bfloat16": proto_of(14, [3], half_val=[16256, 0]),
}


@pytest.mark.parametrize("case", FILLED)
def test_missing_values_are_filled_as_tensorflow_fills_them(case):
    proto = FILLED[case]
    array = tensors.to_array(proto)
    expected = tf.io.parse_tensor(proto.SerializeToString(), array_type(proto)).numpy()
    assert array.shape == expected.shape
    assert array.tolist() == expected.tolist()


def array_type(proto):
    return tf.as_dtype(proto.dtype)


REFUSED = {
    "short content": proto_of(1, [2], tensor_content=b"1234567"),
    "long content": proto_of(1, [1], tensor_content=b"12345678"),
    "negative size": proto_of(1, [-1], float_val=[1]),
    "no type": proto_of(0, [1]),
    "resource": proto_of(20, [1]),
    "strings cut off": proto_of(7, [2], tensor_content=b"\x01"),
    "strings too long": proto_of(7, [1], tensor_content=b"\x05a"),
    "endless length": proto_of(7, [1], tensor_content=b"\xff" * 9),
    "huge": proto_of(1, [2**33], float_val=[0]),
    "huge product": proto_of(1, [2**31, 2**31, 2**31]),
    "huge strings": proto_of(7, [2**31], string_val=[b""]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_tensor(case):
    with pytest.raises(ValueError):  # noqa: PT011 - any reason will do
        tensors.to_array(REFUSED[case])


def test_the_budget_is_exact():
    proto = proto_of(1, [4], float_val=[1])
    assert tensors.to_array(proto, max_bytes=16).tolist() == [1] * 4
    with pytest.raises(ValueError, match="more than 15 bytes"):
        tensors.to_array(proto, max_bytes=15)


def test_arrays_that_tensorflow_lacks():
    with pytest.raises(ValueError, match="cannot be sent"):
        tensors.fill(messages.TensorProto(), np.zeros(1, "datetime64[s]"))
