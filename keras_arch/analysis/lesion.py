"""Lesion study: what a network loses without one of its blocks, or with two exchanged.

Veit, Wilber, Belongie. Residual Networks Behave Like Ensembles of Relatively Shallow Networks.
NeurIPS 2016. https://arxiv.org/abs/1605.06431

    x -> x + F(x)   without the block   x -> x

A residual network of ``n`` blocks is the sum of ``2**n`` paths; without one block half of
them are left, in a plain network none.
"""

import math
from collections.abc import Callable, Mapping, Sequence

import keras
import numpy as np

from keras_arch.errors import invalid

Block = str | tuple[str, str]  # an addition or a layer; or the first and the last layer


def residual_blocks(model: keras.Model) -> list[str]:
    """Names of the additions of a model, in the order of the data flow."""
    return [layer.name for layer in model.layers if isinstance(layer, keras.layers.Add)]


def _ancestors(tensor):
    """Nodes of the graph that a tensor depends on, each as (operation, index)."""
    found, waiting = {}, [tensor]
    while waiting:
        operation, index, _ = waiting.pop()._keras_history
        if (id(operation), index) not in found:
            found[id(operation), index] = operation
            waiting += operation._inbound_nodes[index].input_tensors
    return found


def _branch(addition):
    """Which of the inputs of an addition is the branch: that with the longest history."""
    return int(np.argmax([len(_ancestors(tensor)) for tensor in addition.input]))


def _copies(model):
    return {
        layer.name: type(layer).from_config(layer.get_config())
        for layer in model.layers
        if not isinstance(layer, keras.layers.InputLayer)
    }


def _rewired(model, pick, call):
    """A copy of the model with its weights, in which ``pick`` and ``call`` change the graph."""
    copies = _copies(model)

    def clone(operation):
        return copies.get(pick(operation.name), operation)  # an operation has nothing to copy

    changed = keras.models.clone_model(model, clone_function=clone, call_function=call)
    for layer in changed.layers:
        if layer.weights:
            layer.set_weights(model.get_layer(layer.name).get_weights())
    return changed


def without_block(model: keras.Model, block: Block) -> keras.Model:
    """Return a copy of a model in which one block is left out.

    Args:
        model: A functional model.
        block: Name of an addition, whose branch is left out; or of any other layer that
            keeps the shape of its input, which is left out; or the names of the first and
            the last layer of a block of a plain network.

    Raises:
        ValueError: If there is no such layer, or the block changes the shape.
    """
    first, last = (block, block) if isinstance(block, str) else block
    names = [layer.name for layer in model.layers]
    for name in (first, last):
        if name not in names:
            raise invalid("block", f"names of layers, such as {names[1:9]}", block)
    end = model.get_layer(last)
    adds = first == last and isinstance(end, keras.layers.Add)
    if not adds and model.get_layer(first).input.shape != end.output.shape:
        raise invalid("block", "a block that keeps the shape of its input", block)
    branch = _branch(end) if adds else None
    entered = []

    def call(layer, *arguments, **settings):
        if layer.name == first and not adds:
            entered.append(arguments[0])
        if layer.name != last:
            return layer(*arguments, **settings)
        if not adds:
            return entered[0]
        rest = [tensor for index, tensor in enumerate(arguments[0]) if index != branch]
        return layer(rest) if len(rest) > 1 else rest[0]

    return _rewired(model, lambda name: name, call)


def swapped_blocks(model: keras.Model, first: str, second: str) -> keras.Model:
    """Return a copy of a model in which two residual blocks have changed places.

    Args:
        model: A functional model.
        first: Name of the addition that ends a block.
        second: Name of the addition that ends a block of equal layers.

    Raises:
        ValueError: If there is no such addition, or the blocks are not made alike.
    """
    for name, value in (("first", first), ("second", second)):
        if value not in residual_blocks(model):
            raise invalid(name, f"one of {residual_blocks(model)}", value)

    def inside(addition):
        tensors = model.get_layer(addition).input
        branch = _branch(model.get_layer(addition))
        past = [_ancestors(t) for index, t in enumerate(tensors) if index != branch]
        only = _ancestors(tensors[branch]).keys() - set().union(*past)
        return [layer for layer in model.layers if (id(layer), 0) in only]

    one, other = inside(first), inside(second)
    shapes = [[(type(x), [w.shape for w in x.weights]) for x in block] for block in (one, other)]
    if shapes[0] != shapes[1]:
        raise invalid("second", f"a block of the same layers as {first!r}", second)
    partner = {a.name: b.name for a, b in zip(one + other, other + one, strict=True)}

    def call(layer, *arguments, **settings):
        return layer(*arguments, **settings)

    return _rewired(model, lambda name: partner.get(name, name), call)


def lesion_study(
    model: keras.Model,
    score: Callable[[keras.Model], float],
    blocks: Sequence[Block] | Mapping[str, Block] | None = None,
) -> dict[str, float]:
    """Measure how a score changes when each block is left out alone.

    Args:
        model: A functional model; it stays as it is. Where it is compiled, so are the
            copies that are scored.
        score: What to measure of a model, such as its accuracy.
        blocks: What to leave out, as ``without_block`` takes it; with a mapping, under
            names of your own. By default every residual block.

    Returns:
        Score without the block minus score with all, by block; a pair of layers has the
        name of its last.

    Raises:
        ValueError: If there is nothing to leave out, or a block cannot be.

    Example:

    >>> model = keras_arch.models.ResNet20CIFAR(depths=(2, 1, 1))
    >>> def norm(model):
    ...     return float(keras.ops.norm(model(keras.ops.ones((1, 32, 32, 3)))))
    >>> list(keras_arch.analysis.lesion_study(model, norm))[:2]
    ['stage1_block1_add', 'stage1_block2_add']
    """
    if blocks is None:
        blocks = residual_blocks(model)
    if not blocks:
        raise invalid("blocks", "at least one block; this model has no additions", blocks)
    if not isinstance(blocks, Mapping):
        blocks = {block if isinstance(block, str) else block[-1]: block for block in blocks}
    whole = score(model)
    return {name: score(without_block(model, block)) - whole for name, block in blocks.items()}


def path_lengths(blocks: int) -> np.ndarray:
    """Share of the paths through a residual network that pass 0, 1, ... ``blocks`` branches.

    Example:

    >>> path_lengths(2)
    array([0.25, 0.5 , 0.25])
    """
    return np.array([math.comb(blocks, length) / 2**blocks for length in range(blocks + 1)])
