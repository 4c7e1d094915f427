"""Residual networks that begin as the identity: what a block adds is zero at first.

Goyal, Dollar, Girshick, Noordhuis, Wesolowski, Kyrola, Tulloch, Jia, He. Accurate, Large
Minibatch SGD: Training ImageNet in 1 Hour. 2017. https://arxiv.org/abs/1706.02677

    y = past(x) + F(x)      the last gamma of F is 0, or its last kernel: y = past(x)

The gradient reaches every layer through the shortcuts from the first step on; a branch
opens once its last gamma has moved.
"""

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_arch.errors import invalid
from keras_arch.registry import register


@register(
    paper="Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour",
    authors="Goyal, Dollar, Girshick, Noordhuis, Wesolowski, Kyrola, Tulloch, Jia, He",
    year=2017,
    url="https://arxiv.org/abs/1706.02677",
)
def zero_residual_branches(model: keras.Model) -> list[str]:
    """Set the end of every residual branch of a functional model to zero.

    An addition is a residual one where one of its inputs, the shortcut, has passed fewer
    kernels since their paths parted than any other. The last layer of each other input
    that has a ``gamma`` or a ``kernel`` gives zero from then on, its ``beta`` or ``bias``
    included; of Keras's attention with heads it is the layer of its output. Models within the
    model are searched too.

    Args:
        model: A functional model.

    Returns:
        Names of the layers that were set to zero, in the order of the data flow.

    Raises:
        ValueError: If there is no residual addition, or a branch ends in something that
            has neither of the two, or does not keep zeros. Nothing is changed then.

    Example:

    >>> model = keras_arch.models.ResNet((1, 1), (8, 16), block="basic", input_shape=(32, 32, 3))
    >>> zero_residual_branches(model)
    ['stage1_block1_2_bn', 'stage2_block1_2_bn']
    """
    ends = list(_ends(model))
    if not ends:
        raise invalid("model", "a functional one with residual additions", model)
    for _, weights in ends:
        for weight in weights:
            weight.assign(ops.zeros_like(weight))
    return [name for name, _ in ends]


def _ends(model):
    """Name and weights of the last layer of each residual branch."""
    for node in _nodes(model):
        if isinstance(node.operation, keras.Model):
            yield from _ends(node.operation)
        elif type(node.operation).__name__ == "Add":  # the layer, or ``x + y``
            yield from map(_end, _branches(node))


def _producer(tensor):
    history = tensor._keras_history
    return history.operation._inbound_nodes[history.node_index]


def _before(tensors):
    """Every call that these tensors come from, by its identity."""
    found: dict[int, Any] = {}
    waiting = list(tensors)
    while waiting:  # no recursion: models are deeper than Python's stack
        node = _producer(waiting.pop())
        if id(node) not in found:
            found[id(node)] = node
            waiting += node.input_tensors
    return found


def _nodes(model):
    """The calls of a functional model, in the order of the data flow."""
    if not getattr(model, "outputs", None):
        raise invalid("model", "a functional one", model)
    reached = _before(model.outputs)
    order = {id(operation): place for place, operation in enumerate(model.operations)}
    return sorted(
        (node for node in reached.values() if id(node.operation) in order),
        key=lambda node: order[id(node.operation)],
    )


def _branches(addition):
    """The inputs of an addition but the shortcut; none where no input is one."""
    inputs = addition.input_tensors
    before = [_before([tensor]) for tensor in inputs]
    shared = set.intersection(*(set(nodes) for nodes in before))
    kernels = [
        sum(_has_kernel(node.operation) for key, node in nodes.items() if key not in shared)
        for nodes in before
    ]
    least = min(kernels)
    return (
        []
        if kernels.count(least) > 1
        else [tensor for tensor, count in zip(inputs, kernels, strict=True) if count > least]
    )


def _has_kernel(operation):
    return any(len(weight.shape) >= 2 for weight in getattr(operation, "weights", ()))


def _end(tensor):
    """The last layer before a tensor that has a scale or a kernel: its name, and the two."""
    while True:
        node = _producer(tensor)
        layer = node.operation
        owner = getattr(layer, "_output_dense", layer)  # that of attention
        for names in (("gamma", "beta"), ("kernel", "bias")):
            if getattr(owner, names[0], None) is not None:
                _keeps_zeros(layer.name, getattr(owner, "activation", None), tensor)
                found = (getattr(owner, name, None) for name in names)
                return layer.name, [weight for weight in found if weight is not None]
        multiplies = type(layer).__name__ == "Multiply"  # by a gate: one zero is enough
        if not node.input_tensors or (len(node.input_tensors) > 1 and not multiplies):
            expected = "one whose branches end in a layer with `gamma` or `kernel`"
            raise invalid("model", expected, layer.name)
        tensor = node.input_tensors[0]
        if not multiplies:
            _keeps_zeros(layer.name, layer, tensor)


def _keeps_zeros(name, function, tensor):
    """Refuse a function that makes something of zeros that have the shape of a tensor."""
    zeros = ops.zeros([size or 8 for size in tensor.shape])
    if function is not None and np.any(ops.convert_to_numpy(function(zeros))):
        raise invalid("model", "one whose branches keep zeros at their end", name)
