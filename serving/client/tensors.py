"""Arrays <-> TensorProto, by TensorFlow's own rules, without TensorFlow.

The functions take TensorProtos of the official package and of this one alike. A message of a
few bytes may announce a tensor of any size: what a tensor would take is reckoned before any
memory is.
"""

import math
from typing import Any

import ml_dtypes
import numpy as np

MAX_BYTES = 1 << 30  # of one tensor
_MAX_RANK = 64  # numpy's; TensorFlow stops at 254
_POINTER = 8  # bytes that one element of a tensor of strings takes at least

_STRING = 7
# DataType -> TensorFlow's name, numpy's type, field of the values, their type in that field
_TYPES = {
    1: ("float", np.float32, "float_val", np.float32),
    2: ("double", np.float64, "double_val", np.float64),
    3: ("int32", np.int32, "int_val", np.int32),
    4: ("uint8", np.uint8, "int_val", np.int32),
    5: ("int16", np.int16, "int_val", np.int32),
    6: ("int8", np.int8, "int_val", np.int32),
    _STRING: ("string", np.object_, "string_val", np.object_),
    8: ("complex64", np.complex64, "scomplex_val", np.float32),
    9: ("int64", np.int64, "int64_val", np.int64),
    10: ("bool", np.bool_, "bool_val", np.bool_),
    14: ("bfloat16", ml_dtypes.bfloat16, "half_val", np.int32),
    17: ("uint16", np.uint16, "int_val", np.int32),
    18: ("complex128", np.complex128, "dcomplex_val", np.float64),
    19: ("half", np.float16, "half_val", np.int32),
    22: ("uint32", np.uint32, "uint32_val", np.uint32),
    23: ("uint64", np.uint64, "uint64_val", np.uint64),
}
_ENUMS = {np.dtype(kind): enum for enum, (_, kind, _, _) in _TYPES.items()}


def is_sendable(enum: int) -> bool:
    """Say whether tensors of a DataType have values to send; resources have none."""
    return enum in _TYPES


def dtype_of(enum: int) -> np.dtype:
    """Numpy's type of a DataType; strings are objects.

    Raises:
        ValueError: If a tensor of that type cannot be sent.
    """
    if enum not in _TYPES:
        raise ValueError(f"tensors of DataType {enum} cannot be sent")
    return np.dtype(_TYPES[enum][1])


def name_of(enum: int) -> str:
    """TensorFlow's name of a DataType, as it stands in its messages: ``"float"``."""
    return _TYPES[enum][0] if enum in _TYPES else "invalid"


def enum_of(dtype: Any) -> int:
    """DataType of numpy's type; text and bytes are strings.

    Raises:
        ValueError: If TensorFlow has no such type.
    """
    dtype = np.dtype(dtype)
    if dtype.kind in "SU":
        return _STRING
    if dtype not in _ENUMS:
        raise ValueError(f"arrays of dtype {dtype} cannot be sent")
    return _ENUMS[dtype]


def to_array(proto: Any, max_bytes: int = MAX_BYTES) -> np.ndarray:
    """Read a TensorProto: its content, or its values, the last repeated to the end.

    Args:
        proto: TensorProto.
        max_bytes: Largest tensor that is made.

    Returns:
        The array; it may be a read-only view of the message. Strings are bytes objects.

    Raises:
        ValueError: If the message is not a tensor that TensorFlow would read, or too large.
    """
    dtype = dtype_of(proto.dtype)
    sizes = [dim.size for dim in proto.tensor_shape.dim]
    if proto.tensor_shape.unknown_rank or len(sizes) > _MAX_RANK or min(sizes, default=0) < 0:
        raise ValueError("a tensor needs a known shape")
    count = math.prod(sizes)
    if count * (_POINTER if proto.dtype == _STRING else dtype.itemsize) > max_bytes:
        raise ValueError(f"a tensor of shape {sizes} takes more than {max_bytes} bytes")
    if count == 0:
        return np.empty(sizes, dtype)
    if not proto.tensor_content:
        return _from_values(proto, dtype, count).reshape(sizes)
    if proto.dtype == _STRING:
        return _from_packed_strings(proto.tensor_content, count).reshape(sizes)
    if len(proto.tensor_content) != count * dtype.itemsize:
        raise ValueError("tensor_content does not fit the shape")
    return np.frombuffer(proto.tensor_content, dtype).reshape(sizes)


def _from_values(proto, dtype, count):
    _, _, field, stored = _TYPES[proto.dtype]
    values = np.array(getattr(proto, field), stored)
    if dtype.kind == "c":
        values = values[: len(values) // 2 * 2].view(dtype)
    elif field == "half_val":
        values = values.astype(np.uint16).view(dtype)
    values = values[:count].astype(dtype, copy=False)
    if len(values) == count:
        return values
    filler = values[-1] if len(values) else b"" if proto.dtype == _STRING else dtype.type(0)
    filled = np.full(count, filler, dtype)
    filled[: len(values)] = values
    return filled


def _from_packed_strings(content, count):
    """All lengths as varints, then all bytes."""
    lengths, position = [], 0
    for _ in range(count):
        length = shift = 0
        while True:
            if position >= len(content) or shift > 28:
                raise ValueError("tensor_content does not hold the strings that the shape says")
            byte = content[position]
            position += 1
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        lengths.append(length)
    if len(content) - position != sum(lengths):
        raise ValueError("tensor_content does not hold the strings that the shape says")
    strings = np.empty(count, object)
    for index, length in enumerate(lengths):
        strings[index] = content[position : position + length]
        position += length
    return strings


def fill(proto: Any, array: Any, content: bool = True) -> None:
    """Write an array to an empty TensorProto.

    Args:
        proto: TensorProto.
        array: Whatever numpy takes. Text is written as UTF-8.
        content: Whether numbers go to `tensor_content`, the cheaper form; otherwise to the
            typed fields, as TF-Serving answers.

    Raises:
        ValueError: If TensorFlow has no such type.
    """
    array = np.asarray(array)
    proto.dtype = enum_of(array.dtype)
    for size in array.shape:
        proto.tensor_shape.dim.add(size=size)
    if proto.dtype == _STRING:
        proto.string_val.extend(
            text.encode() if isinstance(text, str) else bytes(text) for text in array.flat
        )
        return
    if content:
        proto.tensor_content = array.tobytes()
        return
    _, _, field, stored = _TYPES[proto.dtype]
    flat = np.ascontiguousarray(array).reshape(-1)
    if array.dtype.kind == "c":
        flat = flat.view(stored)
    elif field == "half_val":
        flat = flat.view(np.uint16)
    getattr(proto, field).extend(flat.astype(stored, copy=False).tolist())
