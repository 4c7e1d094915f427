"""Flow record: what one watched step measured, by layer, by weight group and by optimizer.

one row a kind, from the step -> by variable -> by layer (its kernels), by group (its name)
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from keras_arch.callbacks.activation_taps import KINDS
from keras_arch.callbacks.kernel_layers import KernelLayer, is_kernel
from keras_arch.callbacks.tensor_norms import layers_of
from keras_arch.callbacks.watched_step import WatchedStep

Part = tuple[keras.Variable, int | None]  # a variable, or one layer of a stacked one


class FlowRecord:
    """The numbers of one step.

    Args:
        step: Number of the step.
        watched: The watched step, which has just run.
        layers: The kernel layers of its model.

    Attributes:
        step: Number of the step.
        scalars: By kind, then by layer, by weight group or by optimizer.
        magnitudes: Histograms of the gradients, by layer.
    """

    def __init__(self, step: int, watched: WatchedStep, layers: list[KernelLayer]) -> None:
        self.step = step
        self.scalars: dict[str, dict[str, float]] = {}
        self.magnitudes: dict[str, np.ndarray] = {}
        measured = {kind: np.asarray(rows) for kind, rows in watched.measured.items()}
        norms = {
            "weights": _by_variable(measured.get("weights", ()), watched.weights),
            "updates": _by_variable(measured.get("updates", ()), watched.weights),
            "gradients": {},
        }
        counts: dict[int, np.ndarray] = {}
        total: dict[str, list[np.ndarray]] = {}
        for index, (attribute, variables) in enumerate(watched.applied):
            found = measured[f"norms/{index}"]
            norms["gradients"] |= _by_variable(found, variables)
            total.setdefault(attribute, []).append(found)
            if f"clipped/{index}" in measured:
                before, after = map(_together, measured[f"clipped/{index}"])
                self._put("clipping", attribute, after / before)
            if f"magnitudes/{index}" in measured:
                kernels = list(filter(is_kernel, variables))
                counts |= _by_variable(measured[f"magnitudes/{index}"], kernels)
        for layer in layers:
            parts = [(kernel, layer.place) for kernel in layer.kernels]
            self._put_norms("", layer.name, parts, norms)
            mine = [_part(counts, part).sum(0) for part in parts if id(part[0]) in counts]
            if mine:
                self.magnitudes[layer.name] = np.sum(mine, axis=0)
        for group, variables in _groups(watched).items():
            self._put_norms("group_", group, [(v, None) for v in variables], norms)
        for attribute, rows in total.items():
            self._put("global_gradient_norm", attribute, _together(np.concatenate(rows)))
        for name, row in zip(watched.layers, measured.get("activations", ()), strict=True):
            for kind, value in zip(KINDS, row, strict=True):
                self._put(kind, name, value)

    def _put(self, kind, name, value):
        self.scalars.setdefault(kind, {})[name] = float(value)

    def _put_norms(self, prefix, name, parts: Sequence[Part], norms: dict[str, Any]):
        """Add the norms of parts of variables, all of them together."""
        found = {}
        for kind, of_variables in norms.items():
            rows = [_part(of_variables, part) for part in parts if id(part[0]) in of_variables]
            if rows:
                found[kind] = _together(np.concatenate(rows))
        if "gradients" in found:
            self._put(f"{prefix}gradient_norm", name, found["gradients"])
        if "weights" in found:
            self._put(f"{prefix}weight_norm", name, found["weights"])
            self._put(f"{prefix}update_ratio", name, found["updates"] / found["weights"])


def _by_variable(rows, variables):
    """Return the rows of each variable, by its ``id``: one, or one for each layer of a stack."""
    if not len(rows):
        return {}
    ends = np.cumsum([layers_of(variable) for variable in variables])
    parts = np.split(rows, ends[:-1])
    return {id(variable): part for variable, part in zip(variables, parts, strict=True)}


def _groups(watched):
    """Return the trainable variables by name: kernels, biases, scales ..."""
    groups: dict[str, list[keras.Variable]] = {}
    seen = {id(v): v for _, variables in watched.applied for v in variables}
    for variable in ({id(v): v for v in watched.weights} | seen).values():
        groups.setdefault(variable.name, []).append(variable)
    return groups


def _part(of_variables, part):
    variable, place = part
    rows = of_variables[id(variable)]
    return rows if place is None else rows[place : place + 1]


def _together(norms):
    """Return the norm of all, without squares that overflow or underflow."""
    return np.linalg.norm(norms.astype("float64"))
