"""A verdict in plain words: what happens to signals and gradients, and what would help.

A curve over layers with kernels is summed up by its factor a layer: the slope of its
logarithm, fitted to all layers at which there is a number left. Where one half of them has
hardly a part in it, the factor is that half's.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

DECADES = 3.0  # that a curve may move in all before it is said to fall or grow
SOUND = 0.9, 1.1  # factors a layer of a law that "would keep it"
LAWS = {"LeCun": 1.0, "He": 2.0}
FEW = 5  # layers, of which a factor says more than of the kinds of layers
SATURATED = 0.5
DEAD = 0.75  # in a deep sound ReLU network nearly half of the units are off for a whole batch


class Curve(NamedTuple):
    """A number by layer, summed up.

    Attributes:
        factor: By how much it changes a layer; NaN of fewer than two numbers.
        layers: How many layers were passed, those that left nothing included.
        total: Decimal logarithm of what all of them do.
        ends: The place after which nothing is left; ``None`` where something arrives.
    """

    factor: float
    layers: int
    total: float
    ends: int | None

    @property
    def falls(self) -> bool:
        """Whether it leaves too little."""
        return self.ends is not None or self.total < -DECADES

    @property
    def grows(self) -> bool:
        """Whether it leaves too much."""
        return self.ends is None and self.total > DECADES


def curve(values: Sequence[float], gone: Sequence[bool] | None = None) -> Curve:
    """Sum up the numbers of a curve, layer by layer.

    Args:
        values: In the order of the data flow.
        gone: Where a number is but rounding; by default where it is zero.
    """
    numbers = np.asarray(values, "float64")
    lost = ~(numbers > 0) if gone is None else np.asarray(gone, bool) | ~(numbers > 0)
    ends = int(np.argmax(lost)) if lost.any() else None
    end = len(numbers) if ends is None else ends
    layers = len(numbers) - 1
    if end < 2 or not np.isfinite(numbers[:end]).all():
        return Curve(math.nan, layers, -math.inf if ends is not None else math.nan, ends)
    logs, places = np.log10(numbers[:end]), np.arange(end)
    slope = np.polyfit(places, logs, 1)[0]
    if end > FEW:  # a step, such as that to the first normalization, is no law of each layer
        halves = (slice(None, end // 2 + 1), slice(end // 2, None))
        parts = [np.polyfit(places[half], logs[half], 1)[0] for half in halves]
        lasting = np.sign(slope) * min(np.sign(slope) * part for part in parts)
        slope = slope if np.sign(slope) * lasting > abs(slope) / 5 else lasting
    return Curve(10**slope, layers, slope * layers, ends)


class Findings(NamedTuple):
    """What the verdict speaks of; curves begin at the input.

    Attributes:
        not_finite: The first layer that gives NaN or infinity, or ``""``.
        signal: Variance of what arrives at each layer with a kernel, and of the output.
        variation: The same between examples.
        gradient: Norm at each layer with a kernel, the last first.
        over_time: Norm at each step of a recurrent layer, the last first; by layer.
        scales: Variance times fan-in of each kernel.
        saturated: Layers with bounded activations, most of which are flat.
        dead: Layers most of whose units are dead, though what arrived was not; their share.
        normalized: Whether a layer normalizes.
        spread: What the widths make of the fourth moment of gradients.
    """

    not_finite: str
    signal: Curve
    variation: Curve
    gradient: Curve
    over_time: Sequence[tuple[str, Curve]]
    scales: Sequence[float]
    saturated: Sequence[str]
    dead: Sequence[tuple[str, float]]
    normalized: bool
    spread: float


def diagnose(found: Findings) -> str:
    """Return one word: ``"healthy"``, or what is wrong in the first place."""
    if found.not_finite:
        return "not finite"
    if found.dead:
        return "dead"
    if found.signal.grows:
        return "exploding"
    if found.signal.falls or found.variation.falls:
        return "vanishing"
    backwards = [found.gradient, *(one for _, one in found.over_time)]
    if any(one.grows for one in backwards):
        return "exploding gradients"
    if any(one.falls for one in backwards):
        return "vanishing gradients"
    return "saturated" if found.saturated else "healthy"


def verdict(found: Findings) -> str:
    """Return the verdict, a sentence for each finding."""
    if found.not_finite:
        return f"{found.not_finite} gives numbers that are not finite: nothing can be learned."
    said = []
    if found.dead:
        name, share = found.dead[0]
        others = len(found.dead) - 1
        more = f", and most of {others} other layers" if others else ""
        said.append(f"{100 * share:.0f} % of the units of {name} are dead{more}.")
    if found.signal.grows or found.signal.falls:
        said.append(_change("Variance", found.signal) + _remedy(found.signal, found))
    elif found.variation.grows or found.variation.falls:
        said.append(_change("What differs between examples", found.variation))
        said[-1] += _remedy(found.variation, found)
    if found.gradient.falls or found.gradient.grows:
        said.append(_gradient("Gradients", found.gradient, "layer"))
    said += [
        _gradient(f"In {name}, gradients", one, "step")
        for name, one in found.over_time
        if one.falls or one.grows
    ]
    if found.saturated:
        first, *rest = found.saturated
        more = f" and {len(rest)} other layers" if rest else ""
        said.append(f"{first}{more}: most activations are saturated.")
    if not said:
        said.append(_healthy(found))
    if found.spread > math.exp(5) and not found.normalized:
        said.append(
            f"Thin for its depth: in a plain ReLU network of these widths, the fourth moment of "
            f"gradients is {found.spread:.2g} times that of a wide one."
        )
    return " ".join(said)


def _change(name, one):
    if one.ends is not None:
        falls = f" falls by {_factor(one.factor)} a layer" if one.factor < 1 else ""
        return f"{name}{falls}: nothing is left after layer {one.ends}"
    verb, noun = ("grows", "make") if one.factor > 1 else ("falls", "leave")
    return (
        f"{name} {verb} by {_factor(one.factor)} a layer: {one.layers} layers {noun} {_power(one)}"
    )


def _remedy(one, found):
    """What would keep it, as far as the variance of the kernels decides."""
    scales = [scale for scale in found.scales if scale > 0]
    if not scales or not one.factor > 0 or (one.ends is not None and one.factor >= 1):
        return "."
    scale = math.exp(np.mean(np.log(scales)))
    for name, other in LAWS.items():
        if SOUND[0] < one.factor * other / scale < SOUND[1]:
            return f"; {name} initialization would keep it."
    wanted = scale / one.factor
    if one.falls and wanted > 4:
        return (
            f"; no common law would keep it (kernels of variance {wanted:.2g} / fan-in, or more): "
            "take an activation with a steeper slope, normalization or shortcuts."
        )
    if one.grows and not found.normalized:
        return f"; kernels of variance {wanted:.2g} / fan-in would keep it, or normalization."
    return "; LSUV, normalization or shortcuts would keep it."


def _gradient(whose, one, unit):
    if one.ends is not None:
        falls = f" fall by {_factor(one.factor)} a {unit}" if one.factor < 1 else ""
        past = f" past {unit} {one.ends}, counted from the end" if one.ends else ""
        return f"{whose}{falls}: none comes back{past}."
    verb, noun = ("grow", "make") if one.factor > 1 else ("fall", "leave")
    return (
        f"{whose} {verb} by {_factor(one.factor)} a {unit} on their way back: "
        f"{one.layers} {unit}s {noun} {_power(one)}."
    )


def _healthy(found):
    parts = [
        f"{name} by {_factor(one.factor)} a layer"
        for name, one in (("variance", found.signal), ("gradients", found.gradient))
        if one.layers >= FEW and not math.isnan(one.factor)
    ]
    said = f" ({', '.join(parts)})" if parts else ""
    return f"Signals and gradients keep their size{said}: it can be trained."


def _factor(factor):
    return f"{factor:.2f}" if 0.1 <= factor < 10 else f"{factor:.2g}"


def _power(one):
    return f"1e{one.total:+.0f}".replace("+", "") if one.total == one.total else "nothing"
