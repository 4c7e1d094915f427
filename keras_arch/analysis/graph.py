"""The graph of a functional model, as a list of calls in the order of the data flow."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

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


class Step(NamedTuple):
    """A call of a layer or operation, which knows tensors by their places in a list.

    Attributes:
        operation: What is called,
        arguments: with what.
        reads: Places of the tensors that it reads, by the ``id`` of those in the arguments.
        often: How many times it reads each place.
        gives: Places of what it gives.
    """

    operation: Any
    arguments: Any
    reads: Mapping[int, int]
    often: Mapping[int, int]
    gives: list[int]

    def __call__(self, values: Mapping[int, Any]) -> list[Any]:
        """Compute what it gives of the values by place."""
        tensors = {key: values[place] for key, place in self.reads.items()}
        args, kwargs = self.arguments.fill_in(tensors)
        return keras.tree.flatten(self.operation(*args, **kwargs))


def unfolded(nodes: list[Any], place: dict[int, int], names: list[str]) -> list[Step]:
    """Return the steps of a graph; a model inside of it is the steps that it is made of.

    Args:
        nodes: As ``calls`` gives them.
        place: Of the inputs, by ``id``; those of all outputs of the nodes are added.
        names: Of what is at each place: of the inputs, to which the layers' are added.
    """
    steps: list[Step] = []
    for node in nodes:
        operation = node.operation
        reads = {id(x): place[id(x)] for x in node.input_tensors}
        if is_graph(operation):
            outside = [place[id(x)] for x in node.input_tensors]
            inside = dict(zip(map(id, operation.inputs), outside, strict=True))
            steps += unfolded(calls(operation), inside, names)
            gives = [inside[id(x)] for x in operation.outputs]
        else:
            gives = list(range(len(names), len(names) + len(node.outputs)))
            names += [operation.name] * len(gives)
            often = Counter(place[id(x)] for x in node.input_tensors)
            steps.append(Step(operation, node.arguments, reads, often, gives))
        place.update(zip(map(id, node.outputs), gives, strict=True))
    return steps


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
