"""The model as a server computes it: as it is, folded, or folded and in bfloat16."""

from typing import Any, NamedTuple

import keras

from keras_arch.errors import invalid
from keras_arch.export import batches, precision
from keras_arch.export.copying import plain
from keras_arch.export.folding import fold
from keras_arch.export.names import names
from keras_arch.export.running import Run, frozen, is_small, runner

KINDS = ("none", "fold", "fold+bf16")


class Optimized(NamedTuple):
    """What is computed.

    Args:
        model: A model with the inputs and outputs of the one that is served.
        run: Computes it: flat inputs to outputs by name.
        facts: What the manifest says of it.
    """

    model: keras.Model
    run: Run
    facts: dict[str, Any]


def optimized(model: keras.Model, kind: str, calibration: Any, freeze: bool) -> Optimized:
    """Make a model faster for inference.

    Args:
        model: The functional model that is served.
        kind: One of ``KINDS``.
        calibration: A batch of inputs on which bfloat16 has to show itself.
        freeze: Whether weights may become constants.
    """
    named = names(model.output, "outputs")
    if kind == "none":
        return Optimized(model, runner(model, named), {"optimize": kind})
    fast = fold(model)
    facts: dict[str, Any] = {"optimize": kind}
    if kind == "fold":
        return Optimized(fast, _run(fast, named, freeze), facts)
    import tensorflow as tf

    batch = batches.arrays(model, calibration, "calibration")
    try:
        fast = precision.lowered(fast)
        run = _run(fast, named, freeze)
    except (tf.errors.OpError, TypeError, ValueError) as error:
        raise invalid("optimize", "'none' or 'fold': bfloat16 fails in this model", kind) from error
    facts["agreement"] = precision.agreement(model, run, batch)
    precision.require_agreement(facts["agreement"])
    return Optimized(fast, run, facts)


def _run(model, named, freeze):
    return frozen(model, named) if freeze and is_small(model) else runner(model, named)


def require_optimizable(model: Any, kind: str, calibration: Any) -> None:
    """Refuse what cannot be optimized, or not by these arguments."""
    if kind not in KINDS:
        raise invalid("optimize", f"one of {KINDS}", kind)
    if kind != "none" and plain(model) is None:
        raise invalid("optimize", "'none' for a model that is no graph of layers", kind)
    if (kind == "fold+bf16") != (calibration is not None):
        expected = "inputs to compare bfloat16 with float32 on, for optimize='fold+bf16' alone"
        raise invalid("calibration", expected, calibration)
