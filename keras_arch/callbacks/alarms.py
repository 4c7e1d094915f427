"""Alarms: what is wrong with a record of the gradient flow, in words that name the layer."""

import math
from collections.abc import Mapping

from keras_arch.callbacks.flow_record import FlowRecord

VANISHED = 1e-5  # of the largest gradient norm of a step, which knows the scale of the loss
FROZEN = 1e-6  # of the weights: before it has learned, some layer gets more than that
EXPLODED = 1e3  # times the weights: a step at rate 0.001 replaces them
DEAD = 0.9  # of the units of a layer


class Alarms:
    """Looks at each record; says each kind of trouble once.

    Attributes:
        words: All that was said.
    """

    def __init__(self) -> None:
        self.words: list[str] = []
        self._said: set[str] = set()
        self._not_finite = 0  # records in a row
        self._records = 0

    def raised_by(self, record: FlowRecord, patience: int = 1) -> list[str]:
        """Return what is new and wrong in a record.

        Args:
            record: The next record.
            patience: Records in a row that are not finite before it is said; a dynamic loss
                scale needs some to find its size.
        """
        kinds = record.scalars
        gradients = kinds.get("gradient_norm", {})
        weights = kinds.get("weight_norm", {})
        not_finite = _not_finite(kinds)
        self._not_finite = self._not_finite + 1 if not_finite else 0
        found = {"not finite": not_finite if self._not_finite >= patience else ""}
        if not not_finite and gradients:
            exploded = _exploded(gradients, weights)
            found["explode"] = exploded
            if not exploded:
                first = self._records == 0
                biases = kinds.get("group_gradient_norm", {}).get("bias", 0)
                found["vanish"] = _vanished({**gradients, "the biases": biases}, first)
                if first and not found["vanish"]:
                    found["freeze"] = _frozen(gradients, weights)
            found["die"] = _died(kinds.get("dead_fraction", {}))
        self._records += 1
        new = {kind: words for kind, words in found.items() if words and kind not in self._said}
        self._said |= new.keys()
        said = [f"Step {record.step}: {words}" for words in new.values()]
        self.words += said
        return said


def _not_finite(kinds: Mapping[str, Mapping[str, float]]) -> str:
    for kind, what in (
        ("activation_mean", "what the layers put out"),
        ("gradient_norm", "the gradient"),
        ("global_gradient_norm", "the gradient"),
    ):
        rows = kinds.get(kind, {})
        wrong = [name for name, value in rows.items() if not math.isfinite(value)]
        if wrong:
            value = "NaN" if math.isnan(rows[wrong[0]]) else "infinite"
            return f"{what} is {value} at {wrong[0]}{_and_more(wrong)}."
    return ""


def _exploded(gradients, weights):
    ratios = {n: g / weights[n] for n, g in gradients.items() if weights.get(n, 0) > 0}
    wrong = [name for name, ratio in ratios.items() if ratio > EXPLODED]
    if not wrong:
        return ""
    worst = max(wrong, key=ratios.__getitem__)
    return (
        f"the gradient explodes: its norm is {gradients[worst]:.1e} at {worst}, "
        f"{ratios[worst]:.1e} times that of the weights{_and_more(wrong)}. "
        "A smaller initialization, normalization or clipping keeps it."
    )


def _vanished(gradients, first):
    """Zeros do not count at first: layers before one that starts at zero have to wait.

    The last bias is given the gradient of the loss itself, however little of it the signal
    lets the kernels have; biases that have less than the kernels say nothing.
    """
    largest = max(gradients, key=gradients.__getitem__)
    wrong = [
        name
        for name, norm in gradients.items()
        if name != "the biases"
        and (norm < VANISHED * gradients[largest] or norm == 0)
        and (norm > 0 or not first)
    ]
    if not wrong:
        return ""
    worst = min(wrong, key=gradients.__getitem__)
    norm = gradients[worst]
    compared = f", that of {largest} {gradients[largest]:.1e}" if worst != largest else ""
    return (
        f"the gradient vanishes: its norm is {norm:.1e} at {worst}{compared}{_and_more(wrong)}. "
        "A larger initialization (He for rectifiers), normalization or shortcuts keep it."
    )


def _frozen(gradients, weights):
    """Where all layers have alike little, the scale of the loss can be the reason."""
    ratios = {n: g / weights[n] for n, g in gradients.items() if weights.get(n, 0) > 0}
    worst = max(ratios, key=ratios.__getitem__, default="")
    if not worst or ratios[worst] >= FROZEN or ratios[worst] == 0:
        return ""
    return (
        f"the gradient is small everywhere: its norm is at most {ratios[worst]:.1e} times that "
        f"of the weights, at {worst}. Either the loss is scaled down, or the signal fades before "
        "the last layer: then a larger initialization or normalization keeps it."
    )


def _died(deads):
    wrong = [name for name, share in deads.items() if share >= DEAD]
    if not wrong:
        return ""
    worst = max(wrong, key=deads.__getitem__)
    return (
        f"units die: {deads[worst]:.0%} of those of {worst} answer every example alike"
        f"{_and_more(wrong)}. A smaller rate, other biases or normalization keep them."
    )


def _and_more(names):
    return f" (and so at {len(names) - 1} more)" if len(names) > 1 else ""
