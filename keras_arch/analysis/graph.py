"""The graph of a functional model, as a list of calls in the order of the data flow."""

from collections.abc import Iterable
from typing import Any

import keras

from keras_arch.errors import invalid


def calls(model: keras.Model) -> list[Any]:
    """Return Keras's node of each call of a layer or operation, inputs before outputs.

    Args:
        model: A functional model. A model inside of it is one call.

    Raises:
        ValueError: If the model has no graph.
    """
    if not is_graph(model):
        raise invalid("model", "a functional model, or a Sequential one that is built", model)
    ordered: list[Any] = []
    passed = {id(tensor) for tensor in model.inputs}
    waiting = [(_producer(tensor), False) for tensor in reversed(model.outputs)]
    while waiting:  # no recursion: models are deeper than Python's stack
        node, ready = waiting.pop()
        if id(node.outputs[0]) in passed:
            continue
        if ready:
            ordered.append(node)
            passed.update(map(id, node.outputs))
        else:
            waiting.append((node, True))
            sources = reversed(node.input_tensors)
            waiting += [(_producer(x), False) for x in sources if id(x) not in passed]
    return ordered


def is_graph(operation: Any) -> bool:
    """Whether an operation is a model with a graph of its own."""
    return isinstance(operation, keras.Model) and bool(getattr(operation, "inputs", None))


def axes(shape: Iterable[int | None], count: int) -> tuple[int | None, ...] | None:
    """The ``count`` sizes that follow the batch, or ``None`` where the shape has no such axes."""
    sizes = tuple(shape)[1 : count + 1]
    return sizes if len(tuple(shape)) > count + 1 else None


def _producer(tensor):
    history = tensor._keras_history
    return history.operation._inbound_nodes[history.node_index]
