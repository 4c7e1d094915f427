"""bfloat16: half the bytes and, on processors that know it, half the time; with a gate.

    float32  1 + 8 + 23 bits      bfloat16  1 + 8 + 7 bits: the same range, three digits

What is lost is measured, on data of the user's: how often the likeliest class is the same.
"""

from collections.abc import Sequence

import keras
import numpy as np
from keras import layers

from keras_arch.errors import invalid
from keras_arch.export.copying import Part, copied, nodes, plain, same
from keras_arch.export.running import Run

AGREEMENT = 0.98  # the least share of equal top classes
FEWEST = 50  # answers on which such a share can be told at all: one in fifty
_BATCH = 32

# Their weights are the size of a model, and only multiply; other layers keep theirs in float32.
_HALVED = {
    *(layers.Dense, layers.EinsumDense, layers.Embedding),
    *(layers.Conv1D, layers.Conv2D, layers.Conv3D),
    *(layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose),
    *(layers.DepthwiseConv1D, layers.DepthwiseConv2D),
    *(layers.SeparableConv1D, layers.SeparableConv2D),
}


def lowered(model: keras.Model, whole: bool = True) -> keras.Model:
    """Return a copy of a model that computes in bfloat16; inputs and outputs are as they were.

    Args:
        model: As ``copying.plain`` gives it; stays as it is. Layers of another type than
            float32 keep it.
        whole: Whether its outputs are answers: the last layers, from the last weights on, then
            stay in float32.
    """
    exact = _heads(model) if whole else set()

    def part(layer):
        inside = plain(layer)
        if inside is not None:
            return Part(lowered(inside, whole=id(layer) in exact))
        if id(layer) in exact or not isinstance(layer, layers.Layer):
            return None
        if layer.dtype_policy.name != "float32":
            return None
        policy = "bfloat16" if type(layer) in _HALVED else "mixed_bfloat16"
        return Part(same(layer, dtype=policy), layer.get_weights())

    return copied(model, part)


def _heads(model):
    """The layers between the outputs and the last weights, and those that hold these."""
    by_output = {id(tensor): node for node in nodes(model) for tensor in node.outputs}
    found, waiting = set(), list(model.outputs)
    while waiting:
        node = by_output.get(id(waiting.pop()))
        if node is not None and id(node) not in found:
            found.add(id(node))
            if not getattr(node.operation, "weights", []):
                waiting += node.input_tensors
    return {id(node.operation) for node in nodes(model) if id(node) in found}


def agreement(
    model: keras.Model,
    run: Run,
    arrays: Sequence[np.ndarray],
) -> float:
    """Measure how often a model and its lowered form name the same class.

    Args:
        model: The model as it is.
        run: Computes the lowered form.
        arrays: The calibration batch, flat.

    Returns:
        The share of equal top classes along the last axis, of the output where it is least.

    Raises:
        ValueError: If no output has classes, or there are too few answers to tell.
    """
    scored = [i for i, y in enumerate(model.outputs) if len(y.shape) > 1 and (y.shape[-1] or 0) > 1]
    if not scored:
        shapes = [tuple(tensor.shape) for tensor in model.outputs]
        expected = f"'none' or 'fold' for a model whose outputs are no classes: {shapes}"
        raise invalid("optimize", expected, "fold+bf16")
    equal: list[list[np.ndarray]] = [[] for _ in scored]
    for begin in range(0, len(arrays[0]), _BATCH):
        batch = [array[begin : begin + _BATCH] for array in arrays]
        structure = keras.tree.pack_sequence_as(model.input, batch)
        exact = keras.tree.flatten(model(structure, training=False))
        found = list(run([keras.ops.convert_to_tensor(array) for array in batch]).values())
        for place, index in enumerate(scored):
            pair = [keras.ops.convert_to_numpy(y[index]) for y in (exact, found)]
            finite = np.isfinite(pair[1].astype("float32")).all(-1)
            equal[place].append(finite & (pair[0].argmax(-1) == pair[1].argmax(-1)))
    shares = [np.concatenate([part.ravel() for part in parts]) for parts in equal]
    if min(map(len, shares)) < FEWEST:
        expected = f"a batch of at least {FEWEST} answers"
        raise invalid("calibration", expected, [array.shape for array in arrays])
    return float(min(share.mean() for share in shares))


def require_agreement(share: float) -> None:
    """Refuse a lowered model that answers otherwise too often."""
    if share < AGREEMENT:
        raise invalid(
            "optimize",
            f"'none' or 'fold' for this model: in bfloat16 its likeliest class is the same in "
            f"{share:.2%} of the calibration batch, and {AGREEMENT:.0%} are asked",
            "fold+bf16",
        )
