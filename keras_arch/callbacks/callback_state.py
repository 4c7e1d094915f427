"""Callback state: what callbacks learn during a training, as JSON and arrays.

The state of a callback is every attribute of plain data (numbers, strings, None, arrays,
and lists, tuples and dicts of those) that changed since the training began. What did not
change is configuration, which is the caller's; what is not plain (models, files, writers)
belongs to the process.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

# A monitor's `min_delta` gets its sign together with `monitor_op`, which is a function and
# stays behind: restored alone, the sign would be turned twice.
LEFT = {"params", "_model", "min_delta"}

State = dict[str, dict[str, Any]]


class CallbackStates:
    """The states of the callbacks of one training, each under class name and number.

    Args:
        callbacks: Callbacks whose training has begun, in their order.
    """

    def __init__(self, callbacks: Sequence[keras.callbacks.Callback]) -> None:
        self._callbacks: dict[str, keras.callbacks.Callback] = {}
        for callback in callbacks:
            name = type(callback).__name__
            earlier = sum(type(other).__name__ == name for other in self._callbacks.values())
            self._callbacks[f"{name}#{earlier}"] = callback
        self._begun = {key: _frozen(callback) for key, callback in self._callbacks.items()}

    def take(self) -> tuple[State, dict[str, np.ndarray]]:
        """Return the states as they are, and the arrays that they refer to."""
        states: State = {}
        arrays: dict[str, np.ndarray] = {}
        for key, callback in self._callbacks.items():
            begun = self._begun[key]
            changed = {
                name: vars(callback)[name]
                for name, value in _frozen(callback).items()
                if begun.get(name) != value
            }
            states[key] = {name: _encode(value, arrays) for name, value in changed.items()}
        return states, arrays

    def put(self, states: State, arrays: Mapping[str, np.ndarray]) -> list[str]:
        """Give the states back, and return the names of those that no callback is there for."""
        for key in states.keys() & self._callbacks.keys():
            for name, value in states[key].items():
                setattr(self._callbacks[key], name, _decode(value, arrays))
        return sorted(key for key in states.keys() - self._callbacks.keys() if states[key])


def _frozen(callback):
    """Return each attribute of plain data in a form that can be compared."""
    frozen = {}
    for name in vars(callback).keys() - LEFT:
        arrays = {}
        try:
            text = json.dumps(_encode(vars(callback)[name], arrays))
        except TypeError:
            continue
        frozen[name] = text, [(str(a.dtype), a.shape, a.tobytes()) for a in arrays.values()]
    return frozen


def _encode(value, arrays):
    """Return plain data as JSON, its arrays put into ``arrays``; else raise ``TypeError``."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "biufcV":
        name = f"callback/{len(arrays)}"
        arrays[name] = np.array(value)
        return {"array" if isinstance(value, np.ndarray) else "scalar": name}
    if type(value) in (list, tuple):
        return {type(value).__name__: [_encode(item, arrays) for item in value]}
    if type(value) is dict:
        pairs = [[_encode(k, arrays), _encode(v, arrays)] for k, v in value.items()]
        return {"dict": pairs}
    raise TypeError(type(value))


def _decode(value, arrays):
    if not isinstance(value, dict):
        return value
    [(kind, content)] = value.items()
    if kind == "array":
        return arrays[content].copy()
    if kind == "scalar":
        return arrays[content][()]
    if kind == "dict":
        return {_decode(k, arrays): _decode(v, arrays) for k, v in content}
    items = [_decode(item, arrays) for item in content]
    return items if kind == "list" else tuple(items)
