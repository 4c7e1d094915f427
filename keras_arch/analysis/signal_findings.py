"""Signal findings: what of a report its verdict speaks of, and what is only a symptom."""

import math

import numpy as np
from keras import layers, ops

from keras_arch.analysis.signal_pass import ends_in_probabilities
from keras_arch.analysis.signal_statistics import precision
from keras_arch.analysis.signal_verdict import DEAD, SATURATED, Findings, curve

NORMALIZATION = (
    layers.BatchNormalization,
    layers.LayerNormalization,
    layers.GroupNormalization,
    layers.RMSNormalization,
    layers.UnitNormalization,
)


def findings_of(flow, found, widths):
    """What the verdict speaks of."""
    passed = [layer for layer in found if not math.isnan(layer.arrives)]
    signal = [layer.arrives for layer in passed]
    variation = [layer.variation_arrives for layer in passed]
    alike = [layer.all_alike for layer in passed]
    probabilities = ends_in_probabilities(flow.last)
    if not probabilities:  # they say little of the signal
        last = next(reversed(flow.calls.values())).given
        signal.append(last.variance)
        variation.append(last.variation)
        alike.append(last.is_constant)
    before = [None, *found[:-1]]
    ends = {call.path for call in flow.calls.values() if probabilities and call.layer is flow.last}
    held = {call.path for call in flow.calls.values() if _is_held(call.layer)}
    return Findings(
        not_finite=next((x.name for x in found if not math.isfinite(x.variance + x.gradient)), ""),
        signal=curve(signal),
        variation=curve(variation, alike),
        gradient=curve([layer.gradient for layer in reversed(found) if layer.laws]),
        over_time=[(x.name, curve(x.steps.gradient[::-1])) for x in found if x.steps is not None],
        scales=[layer.laws[0].scale for layer in passed],
        saturated=[
            layer.name
            for layer in found
            if layer.bounded and layer.saturation > SATURATED and layer.name not in held
        ],
        dead=[
            (x.name, x.dead)
            for x, y in zip(found, before, strict=True)
            if x.dead > DEAD and x.name not in ends and (y is None or _differs(y))
        ],
        normalized=any(isinstance(call.layer, NORMALIZATION) for call in flow.calls.values()),
        spread=widths.spread if widths else 1.0,
    )


def _differs(layer):
    """Whether examples differ so much that no law of kernels makes rounding of it in a layer."""
    rounding, smallest = precision(layer.dtype)
    size = math.sqrt(layer.variance + layer.mean**2)
    return math.sqrt(layer.variation) > 100 * max(rounding * size, smallest)


def _is_held(layer):
    """Whether a constant bias holds a layer where it is, as it does with gates."""
    bias = getattr(layer, "bias", None)
    values = np.zeros(1) if bias is None else ops.convert_to_numpy(bias)
    return values.any() and np.ptp(values) == 0
