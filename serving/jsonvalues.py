"""One JSON value -> one array, by TF-Serving's rules, with its texts for what breaks them."""

import base64
import binascii
from typing import Any

import grpc
import numpy as np

from keras_arch.serving.rapidjson import excerpt
from keras_arch.serving.status import StatusError, invalid_argument

_INT32 = (-(2**31), 2**31 - 1)
# DataType -> integers that TF-Serving takes for it; it wraps what a narrow type cannot hold
INTEGERS = {
    "int32": _INT32,
    "int16": _INT32,
    "int8": _INT32,
    "uint8": _INT32,
    "int64": (-(2**63), 2**63 - 1),
    "uint32": (0, 2**32 - 1),
    "uint64": (0, 2**64 - 1),
}
FLOATS = ("float", "double")
_MAX_RANK = 64  # numpy's


def is_base64(value: Any) -> bool:
    """Say whether a value stands for bytes: an object with the one key ``b64``."""
    return isinstance(value, dict) and value.keys() == {"b64"} and isinstance(value["b64"], str)


def fast(value: Any, dtype: str) -> np.ndarray | None:
    """A dense list of numbers that all fit; ``None`` sends it the slow way."""
    if dtype not in FLOATS and dtype not in INTEGERS:
        return None
    try:
        array = np.array(value)
    except (ValueError, OverflowError):  # ragged, too deep, or too long for any type
        return None
    if dtype in FLOATS:
        return _narrowed(array, dtype) if array.dtype.kind in "iuf" else None
    if array.dtype.kind not in "iu":
        return None
    low, high = INTEGERS[dtype]
    fits = low <= int(array.min()) and int(array.max()) <= high
    return _narrowed(array, dtype) if fits else None


def _narrowed(array: np.ndarray, dtype: str) -> np.ndarray:
    with np.errstate(over="ignore"):  # becomes infinity
        return array.astype({"float": "float32", "double": "float64"}.get(dtype, dtype))


def dense(value: Any, dtype: str) -> tuple[list[int], list[Any]]:
    """Shape, by the first elements, and the values, which must have it."""
    shape = []
    inner = value
    while isinstance(inner, list):
        shape.append(len(inner))
        if not inner:
            break
        inner = inner[0]
    if len(shape) >= _MAX_RANK:
        raise invalid_argument(f"Lists are nested deeper than {_MAX_RANK - 1}")
    leaves: list[Any] = []
    _gather(value, 0, shape, dtype, leaves)
    return shape, leaves


def _gather(value: Any, level: int, shape: list[int], dtype: str, leaves: list[Any]) -> None:
    rank = len(shape)
    if not isinstance(value, list):
        if level != rank:
            raise invalid_argument(
                f"JSON Value: {excerpt(value)} found at incorrect level: {level + 1} "
                f"in the JSON DOM. Expected at level: {rank}"
            )
        leaves.append(_leaf(value, dtype))
        return
    if level >= rank:
        raise invalid_argument(f"Encountered list at unexpected level: {level} expected < {rank}")
    if len(value) != shape[level]:
        raise invalid_argument(
            f"Encountered list at unexpected size: {len(value)} at level: {level} "
            f"expected size: {shape[level]}"
        )
    for item in value:
        _gather(item, level + 1, shape, dtype, leaves)


def _leaf(value: Any, dtype: str) -> Any:
    if isinstance(value, dict):
        if dtype == "string":
            return _from_base64(value)
    elif dtype in FLOATS:
        if type(value) in (int, float):
            return value
    elif dtype in INTEGERS:
        low, high = INTEGERS[dtype]
        if type(value) is int and low <= value <= high:
            return value
    elif dtype == "bool":
        if isinstance(value, bool):
            return value
    elif dtype == "string":
        if isinstance(value, str) and is_unicode(value):
            return value.encode()
    else:
        raise StatusError(
            grpc.StatusCode.UNIMPLEMENTED,
            f"Conversion of JSON Value: {excerpt(value)} to type: {dtype}",
        )
    raise invalid_argument(
        f"JSON Value: {excerpt(value)} Type: {_kind(value)} is not of expected type: {dtype}"
    )


def _kind(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "Null", False: "False", True: "True"}[value]
    if isinstance(value, dict | str):
        return "Object" if isinstance(value, dict) else "String"
    return "Number"


def is_unicode(text: str) -> bool:
    """Say whether no half of a surrogate pair stands alone."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _from_base64(value: dict[str, Any]) -> bytes:
    if not is_base64(value):
        raise invalid_argument(
            f"JSON Value: {excerpt(value)} not formatted correctly for base64 data"
        )
    digits = "".join(value["b64"].split()).rstrip("=")
    try:
        return base64.b64decode(digits + "=" * (-len(digits) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise invalid_argument("Unable to base64 decode") from error


def to_array(leaves: list[Any], dtype: str, shape: list[int]) -> np.ndarray:
    """Make an array of checked values; a narrow integer type wraps, as in TF-Serving."""
    if dtype == "string":
        array = np.empty(len(leaves), object)
        array[:] = leaves
    elif dtype in FLOATS:
        array = _narrowed(np.array(leaves, np.float64), dtype)
    elif dtype in INTEGERS:
        wide = np.uint64 if dtype == "uint64" else np.int64
        array = _narrowed(np.array(leaves, wide), dtype)
    else:
        array = np.array(leaves, bool)
    return array.reshape(shape)
