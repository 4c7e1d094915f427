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
    included. Models within the model are searched too.

    Args:
        model: A functional model.

    Returns:
        Names of the layers that were set to zero, in the order of the data flow.

    Raises:
        ValueError: If there is no residual addition, or a branch ends in something that
            has neither of the two, or does not keep zeros.

    Example:

    >>> model = keras_arch.models.ResNet((1, 1), (8, 16), block="basic", input_shape=(32, 32, 3))
    >>> zero_residual_branches(model)
    ['stage1_block1_2_bn', 'stage2_block1_2_bn']
    """
    zeroed: list[str] = []
    for node in _nodes(model):
        if isinstance(node.operation, keras.Model):
            if any(type(inner.operation).__name__ == "Add" for inner in _nodes(node.operation)):
                zeroed += zero_residual_branches(node.operation)
        elif type(node.operation).__name__ == "Add":  # the layer, or ``x + y``
            zeroed += [_zero_end(branch) for branch in _branches(node)]
    if not zeroed:
        raise invalid("model", "a functional one with residual additions", model)
    return zeroed


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


def _zero_end(tensor):
    """Set the last scale or kernel before a tensor to zero; returns its layer's name."""
    while True:
        node = _producer(tensor)
        layer = node.operation
        for names in (("gamma", "beta"), ("kernel", "bias")):
            if getattr(layer, names[0], None) is not None:
                for name in names:
                    weight = getattr(layer, name, None)
                    if weight is not None:
                        weight.assign(ops.zeros_like(weight))
                return layer.name
        multiplies = type(layer).__name__ == "Multiply"  # by a gate: one zero is enough
        if not node.input_tensors or (len(node.input_tensors) > 1 and not multiplies):
            expected = "one whose branches end in a layer with `gamma` or `kernel`"
            raise invalid("model", expected, layer.name)
        tensor = node.input_tensors[0]
        if not multiplies:
            zeros = ops.zeros([size or 8 for size in tensor.shape])
            if np.any(ops.convert_to_numpy(layer(zeros))):
                raise invalid("model", "one whose branches keep zeros at their end", layer.name)
