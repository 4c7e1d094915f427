"""Predict requests and answers of the REST protocol.

Numbers take a fast way where nothing can be wrong with them. Whatever it cannot take goes the
slow one, which knows TF-Serving's rules and texts value by value.
"""

import base64
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson

from keras_arch.serving import jsonvalues
from keras_arch.serving.rapidjson import excerpt
from keras_arch.serving.status import StatusError, invalid_argument, joined
from keras_arch_client import tensors

_WRITABLE = {*jsonvalues.FLOATS, *jsonvalues.INTEGERS, "bool", "string"}


def signature_name(document: dict[str, Any]) -> str:
    """The signature that a request names, or nothing."""
    name = document.get("signature_name", "")
    if not isinstance(name, str) or not jsonvalues.is_unicode(name):
        raise invalid_argument(
            f"JSON Value: {excerpt(document)} not formatted correctly. "
            "'signature_name' key must be a string value."
        )
    return name


def read_inputs(
    document: dict[str, Any], infos: Mapping[str, Any], fast: bool
) -> tuple[dict[str, np.ndarray], bool]:
    """Make arrays of a request's ``instances`` or ``inputs``.

    Args:
        document: The request.
        infos: ``TensorInfo`` of the signature's inputs, by name.
        fast: Whether the fast way is open: numpy would take a bool for a number, so there
            must be none.

    Returns:
        Arrays by name, and whether the request came in rows, as the answer must too.

    Raises:
        StatusError: With TF-Serving's code and text.
    """
    if "instances" in document and "inputs" in document:
        raise invalid_argument(
            f"JSON Value: {excerpt(document)} Not formatted correctly expecting only one of "
            "'inputs' or 'instances' keys to exist "
        )
    types = {name: tensors.name_of(info.dtype) for name, info in infos.items()}
    if "instances" in document:
        rows = document["instances"]
        if not isinstance(rows, list):
            problem = "Expecting 'instances' to be an list/array"
            raise invalid_argument(f"JSON Value: {excerpt(document)} {problem}")
        if not rows:
            problem = "No values in 'instances' array"
            raise invalid_argument(f"JSON Value: {excerpt(document)} {problem}")
        return _read_rows(rows, types, fast), True
    if "inputs" in document:
        return _read_columns(document["inputs"], types, fast), False
    raise invalid_argument("Missing 'inputs' or 'instances' key")


def _read_rows(rows: list[Any], types: dict[str, str], fast: bool) -> dict[str, np.ndarray]:
    if not isinstance(rows[0], dict) and len(types) > 1:
        raise invalid_argument(
            "instances is a plain list, but expecting list of objects as multiple "
            "input tensors required as per tensorinfo_map"
        )
    if len(types) == 1:
        ((only, dtype),) = types.items()
        array = jsonvalues.fast(rows, dtype) if fast else None
        if array is not None:
            return {only: array}
    by_name = _is_named(rows[0])
    columns: dict[str, _Column] = {name: _Column(dtype) for name, dtype in types.items()}
    for index, row in enumerate(rows):
        if by_name != _is_named(row):
            found = "object but got list" if by_name else "value/list but got object"
            raise invalid_argument(f"Expecting {found} at item {index} of input list")
        for name, item in row.items() if by_name else [(next(iter(types)), row)]:
            try:
                if name not in types:
                    raise invalid_argument(f"JSON object: does not have named input: {name}")
                columns[name].append(item)
            except StatusError as error:
                key = f" key: {name}" if by_name else ""
                raise invalid_argument(
                    f"Failed to process element: {index}{key} of 'instances' list. Error: {error}"
                ) from error
        if by_name and row.keys() != types.keys():
            raise invalid_argument(
                f"Failed to process element: {index} of 'instances' list. JSON object: "
                f"{excerpt(row)} keys must be equal to: {joined(types)}"
            )
    return {name: column.stacked() for name, column in columns.items() if column.rows}


def _read_columns(value: Any, types: dict[str, str], fast: bool) -> dict[str, np.ndarray]:
    if not _is_named(value):
        if len(types) > 1:
            raise invalid_argument(
                "inputs is a plain value/list, but expecting an object as multiple "
                "input tensors required as per tensorinfo_map"
            )
        value = {next(iter(types)): value}
    arrays = {}
    for name, dtype in types.items():
        if name not in value:
            raise invalid_argument(f"Missing named input: {name} in 'inputs' object.")
        array = jsonvalues.fast(value[name], dtype) if fast else None
        if array is None:
            shape, leaves = jsonvalues.dense(value[name], dtype)
            array = jsonvalues.to_array(leaves, dtype, shape)
        arrays[name] = array
    return arrays


class _Column:
    """One input, gathered from rows that must be alike."""

    def __init__(self, dtype: str):
        self._dtype = dtype
        self._shape: list[int] = []
        self._size = 0
        self.rows = 0
        self._leaves: list[Any] = []

    def append(self, item: Any) -> None:
        shape, leaves = jsonvalues.dense(item, self._dtype)
        if self.rows == 0:
            self._shape, self._size = shape, len(leaves)
        elif self._size != len(leaves):
            raise invalid_argument(f"Expecting tensor size: {self._size} but got: {len(leaves)}")
        elif self._shape != shape:
            raise invalid_argument(
                f"Expecting shape {_listed(self._shape)} but got: {_listed(shape)}"
            )
        self.rows += 1
        self._leaves += leaves

    def stacked(self) -> np.ndarray:
        return jsonvalues.to_array(self._leaves, self._dtype, [self.rows, *self._shape])


def _listed(shape: list[int]) -> str:
    return f"[{','.join(map(str, shape))}]"


def _is_named(value: Any) -> bool:
    return isinstance(value, dict) and not jsonvalues.is_base64(value)


def write_outputs(outputs: Mapping[str, np.ndarray], by_row: bool) -> bytes:
    """Write the answer to a predict request.

    Args:
        outputs: Arrays by name.
        by_row: Whether to write ``predictions`` in rows, or ``outputs`` in columns.

    Raises:
        StatusError: If JSON, or a row, cannot hold them.
    """
    for name, array in outputs.items():
        kind = tensors.name_of(tensors.enum_of(array.dtype))
        if kind not in _WRITABLE:
            raise invalid_argument(f"Failed to write JSON value for tensor type: {kind}")
        if by_row and array.ndim == 0:
            raise invalid_argument(f"Tensor name: {name} has no shape information ")
    if by_row:
        _check_batch(outputs)
    columns = {name: _plain(name, array) for name, array in outputs.items()}
    key = "predictions" if by_row else "outputs"
    if len(columns) == 1:
        (value,) = columns.values()
    elif by_row:
        rows = zip(*columns.values(), strict=True)
        value = [dict(zip(columns, row, strict=True)) for row in rows]
    else:
        value = columns
    return _encode({key: value}, outputs)


def _check_batch(outputs: Mapping[str, np.ndarray]) -> None:
    sizes = {name: len(array) for name, array in outputs.items()}
    expected = next(iter(sizes.values()))
    for name, size in sizes.items():
        if size != expected:
            raise invalid_argument(
                f"Tensor name: {name} has inconsistent batch size: {size} expecting: {expected}"
            )


def _is_finite(array: np.ndarray) -> bool:
    return array.dtype.kind != "f" or bool(np.isfinite(array).all())


def _plain(name: str, array: np.ndarray) -> Any:
    """What the encoder takes, with the digits that TF-Serving would write."""
    if array.dtype == object:
        texts = np.empty(array.shape, object)
        for index, raw in np.ndenumerate(array):
            texts[index] = (
                {"b64": base64.b64encode(raw).decode()}
                if name.endswith("_bytes")
                else raw.decode(errors="replace")
            )
        return texts.tolist()
    if _is_finite(array):
        return np.ascontiguousarray(array) if array.ndim else array[()]
    # The shortest text that reads back as the same float32, then as Python's own number.
    return array.astype(str).astype(np.float64).tolist()


def _encode(answer: dict[str, Any], outputs: Mapping[str, np.ndarray]) -> bytes:
    if all(_is_finite(array) for array in outputs.values()):
        return orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY)
    # orjson writes null for NaN; TF-Serving writes NaN.
    return json.dumps(answer, default=lambda value: value.tolist()).encode()
