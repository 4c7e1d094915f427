"""Signatures by name: a way in, the model, a way out.

serving_default            tensors                -> outputs
serving_default_batch_8    eight of each          -> outputs
serving_bytes              encoded images, text   -> outputs
top_k, top_k_bytes         tensors, as above      -> classes, scores
classify                   tf.Example             -> classes, scores
regress                    tf.Example             -> outputs, of one value
stateful                   tensors and states     -> outputs and states
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np

from keras_arch.errors import invalid
from keras_arch.export import batches, entrances, exits, recurrent
from keras_arch.export.entrances import Entrance
from keras_arch.export.names import names
from keras_arch.export.running import Run, runner

TENSORS, BYTES, STATEFUL = "serving_default", "serving_bytes", "stateful"
CLASSES = ("top_k", "top_k_bytes", "classify")
NAMES = (BYTES, *CLASSES, "regress", STATEFUL)  # beside serving_default


class Signature(NamedTuple):
    """What a name stands for.

    Args:
        function: TensorFlow's concrete function.
        requests: Examples, each of arrays by name.
        method: TF-Serving's method: ``"predict"``, ``"classify"`` or ``"regress"``.
    """

    function: Any
    requests: list[dict[str, np.ndarray]]
    method: str = "predict"


def chosen(
    signatures: Collection[str] | Mapping[str, keras.Model | None] | None,
    way_in: Entrance | None,
    class_names: Sequence[str] | None,
) -> list[str]:
    """Names of the signatures beside ``serving_default``, models of their own aside."""
    if signatures is None:
        encoded = [BYTES] if way_in else []
        named = [name for name in CLASSES if way_in or name != "top_k_bytes"]
        return [*encoded, *(named if class_names is not None else [])]
    if isinstance(signatures, str):
        raise invalid("signatures", f"a collection of names out of {NAMES}", signatures)
    own = set()
    if isinstance(signatures, Mapping):
        own = {name for name, model in signatures.items() if model is not None}
    unknown = [name for name in signatures if name not in NAMES and name not in own]
    taken = [
        name
        for name in own
        if not str(name).isidentifier() or name in NAMES or name.startswith(TENSORS)
    ]
    if unknown or taken:
        expected = f"names out of {NAMES}, or a dictionary of further names and models"
        raise invalid("signatures", expected, unknown or taken)
    found = [name for name in NAMES if name in signatures]
    if way_in is None and (missing := {BYTES, "top_k_bytes"} & set(found)):
        expected = "an image of known size, or integers and a `preprocess`, as the one input"
        raise invalid("signatures", f"{expected}, for {sorted(missing)}", signatures)
    return found


def build(
    model: keras.Model,
    fast: keras.Model,
    run: Run,
    wanted: list[str],
    arrays: list[np.ndarray],
    way_in: Entrance | None,
    batch_sizes: Sequence[int],
    likeliest: Callable[[dict[str, Any]], dict[str, Any]],
) -> dict[str, Signature]:
    """Make the signatures of a model.

    Args:
        model: Model that is served; its structures and names.
        fast: Model that is computed.
        run: Computes it.
        wanted: What ``chosen`` gave.
        arrays: Example inputs, flat.
        way_in: Entrance of encoded inputs.
        batch_sizes: Sizes that have a signature of their own.
        likeliest: From scores to the answer of those of ``CLASSES``.
    """
    tensors = entrances.of_tensors(model, arrays)
    made = {TENSORS: _signature(tensors, run, dict)}
    for size in batch_sizes:
        fixed = _signature(entrances.of_tensors(model, arrays, size), run, dict)
        made[f"{TENSORS}_batch_{size}"] = fixed
        made[TENSORS].requests.extend(fixed.requests)  # any size runs there, these are warm
    for name in wanted:
        entrance = tensors
        if name in ("classify", "regress"):
            entrance = entrances.of_examples(way_in or tensors, name)
        elif name.endswith("_bytes") and way_in:
            entrance = way_in
        if name == STATEFUL:
            made[name] = _stateful(model, fast, tensors)
        elif name == "regress":
            exits.require_value(model)
            made[name] = _signature(entrance, run, exits.value, "regress")
        elif name in CLASSES:
            method = "classify" if name == "classify" else "predict"
            made[name] = _signature(entrance, run, likeliest, method)
        else:
            made[name] = _signature(entrance, run, dict)
    return made


def own(name: str, model: keras.Model) -> dict[str, Signature]:
    """The signature of a further model."""
    run = runner(model, names(model.output, "outputs"))
    return {name: _signature(entrances.of_tensors(model, batches.examples(model, None)), run, dict)}


def _signature(entrance, run, leave, method="predict"):
    function = _function(lambda *tensors: leave(run(entrance.read(*tensors))), entrance.specs)
    return Signature(function, [entrance.request], method)


def _stateful(model, fast, tensors):
    import tensorflow as tf

    of = recurrent.states(fast)
    outputs = names(model.output, "outputs")
    shared = {state.name for state in of} & {*outputs, *tensors.request}
    if shared:
        raise invalid("signatures", f"a model without other tensors named {shared}", STATEFUL)

    def run(*given):
        count = len(tensors.specs)
        structure = keras.tree.pack_sequence_as(model.input, list(given[:count]))
        found, after = recurrent.run(fast, structure, list(given[count:]), of)
        flat = [*keras.tree.flatten(found), *(tf.cast(state, tf.float32) for state in after)]
        return dict(zip([*outputs, *(state.name for state in of)], flat, strict=True))

    specs = [tf.TensorSpec((None, *s.start.shape[1:]), tf.float32, s.name) for s in of]
    batch = len(next(iter(tensors.request.values())))
    starts = {state.name: np.repeat(state.start.astype("float32"), batch, axis=0) for state in of}
    function = _function(run, [*tensors.specs, *specs])
    return Signature(function, [{**tensors.request, **starts}])


def _function(function, specs):
    import tensorflow as tf

    # Without AutoGraph: it would rewrite the control flow of layers, in vain.
    return tf.function(function, specs, autograph=False).get_concrete_function()
