"""Flow record: what one watched step measured, by layer, by weight group and by optimizer.

one row a kind, from the step -> whose each number is -> by layer (its kernels), by group (its name)
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from keras_arch.callbacks.activation_taps import KINDS
from keras_arch.callbacks.kernel_layers import KernelLayer, is_kernel
from keras_arch.callbacks.tensor_norms import layers_of
from keras_arch.callbacks.watched_step import WatchedStep

Parts = Sequence[tuple[keras.Variable, int | None]]  # variables, or one layer of a stacked one


@dataclasses.dataclass(frozen=True)
class FlowRecord:
    """The numbers of one step.

    Attributes:
        step: Number of the step.
        scalars: By kind, then by layer, by weight group or by optimizer.
        magnitudes: Histograms of the gradients, by layer.
    """

    step: int
    scalars: dict[str, dict[str, float]]
    magnitudes: dict[str, np.ndarray]


class FlowReader:
    """Makes the records of a training; whose each number is, it finds out once a trace.

    Args:
        watched: The watched step, which has run.
        layers: The kernel layers of its model.
    """

    def __init__(self, watched: WatchedStep, layers: Sequence[KernelLayer]) -> None:
        self._watched = watched
        self._trace = watched.applied
        by_layer = {x.name: [(kernel, x.place) for kernel in x.kernels] for x in layers}
        by_group: dict[str, list[tuple[keras.Variable, int | None]]] = {}
        applied = [variable for _, variables in watched.applied for variable in variables]
        for variable in {id(v): v for v in (*watched.weights, *applied)}.values():
            by_group.setdefault(variable.name, []).append((variable, None))
        owners = {"": by_layer, "group_": by_group}
        self._weights = {p: _Places(parts, watched.weights) for p, parts in owners.items()}
        self._gradients = {p: _Places(parts, applied) for p, parts in owners.items()}
        self._magnitudes = _Places(by_layer, list(filter(is_kernel, applied)))

    @property
    def is_current(self) -> bool:
        """Whether the step has not been traced again since."""
        return self._trace is self._watched.applied

    def read(self, step: int) -> FlowRecord:
        """Return the record of the step that has just run, under its number."""
        measured = {kind: np.asarray(rows) for kind, rows in self._watched.measured.items()}
        attributes = [attribute for attribute, _ in self._trace]
        of_calls = [measured[f"norms/{index}"] for index in range(len(attributes))]
        scalars: dict[str, dict[str, float]] = {}
        for prefix, places in self._gradients.items():
            if of_calls:
                norms = places.norms(np.concatenate(of_calls))
                scalars[f"{prefix}gradient_norm"] = places.named(norms)
        for prefix, places in self._weights.items():
            if "weights" in measured:
                weights, updates = (places.norms(measured[k]) for k in ("weights", "updates"))
                scalars[f"{prefix}weight_norm"] = places.named(weights)
                scalars[f"{prefix}update_ratio"] = places.named(updates / weights)
        for attribute in attributes:
            mine = [row for row, its in zip(of_calls, attributes, strict=True) if its == attribute]
            total = float(_together(np.concatenate(mine)))
            scalars.setdefault("global_gradient_norm", {})[attribute] = total
        for index, attribute in enumerate(attributes):
            if f"clipped/{index}" in measured:
                before, after = map(_together, measured[f"clipped/{index}"])
                scalars.setdefault("clipping", {})[attribute] = float(after / before)
        if "activations" in measured:
            for kind, column in zip(KINDS, measured["activations"].T, strict=True):
                scalars[kind] = dict(zip(self._watched.layers, column.tolist(), strict=True))
        counts = [rows for kind, rows in measured.items() if kind.startswith("magnitudes/")]
        magnitudes = (
            self._magnitudes.named(self._magnitudes.sums(np.concatenate(counts))) if counts else {}
        )
        return FlowRecord(step, scalars, magnitudes)


class _Places:
    """Where in a row, which holds a number for each layer of each variable, an owner's stand."""

    def __init__(self, owners: Mapping[str, Parts], variables: Sequence[keras.Variable]) -> None:
        ends = np.cumsum([layers_of(variable) for variable in variables])
        place_of = {
            id(variable): range(end - layers_of(variable), end)
            for variable, end in zip(variables, ends, strict=True)
        }
        self._names: list[str] = []
        self._starts: list[int] = []
        self._order: list[int] = []
        for name, parts in owners.items():
            found = [(place_of[id(v)], layer) for v, layer in parts if id(v) in place_of]
            mine = [at if layer is None else at[layer : layer + 1] for at, layer in found]
            if mine:
                self._names.append(name)
                self._starts.append(len(self._order))
                self._order += np.concatenate(mine).tolist()

    def sums(self, rows: np.ndarray) -> np.ndarray:
        """Return the sum of each owner's."""
        if not self._names:
            return rows[:0]
        return np.add.reduceat(rows[self._order], self._starts, axis=0)

    def norms(self, rows: np.ndarray) -> np.ndarray:
        """Return the norm of each owner's; no square of single precision overflows."""
        return np.sqrt(self.sums(rows.astype("float64") ** 2))

    def named(self, values: np.ndarray) -> dict[str, Any]:
        """Return a row of the owners' by their names."""
        return dict(zip(self._names, values.tolist() if values.ndim == 1 else values, strict=True))


def _together(norms):
    """Return the norm of all, without squares that overflow or underflow."""
    return np.linalg.norm(norms.astype("float64"))
