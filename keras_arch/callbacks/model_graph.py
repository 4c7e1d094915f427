"""Model graph: what a model is made of, in TensorBoard's tab "Graphs".

    layers of the model -> nodes, nested models -> boxes, tensors -> edges     run graph_layers
    operations of TensorFlow, of one forward pass                              run graph_operations

TensorBoard draws graphs of TensorFlow's kind; that of the layers is written as one.
"""

import logging
import math
import os
from typing import Any

import keras

from keras_arch.callbacks.event_file import EventFile

logger = logging.getLogger(__name__)


class ModelGraph(keras.callbacks.Callback):
    """Writes the graph of a model for TensorBoard, once.

    Two runs: ``graph_layers``, one node a layer with its class, shape and parameters, and
    nested models as boxes; and, on TensorFlow, ``graph_operations``, the operations of a
    forward pass. A model without fixed inputs (a subclass) shows its layers without edges.
    They are written when training begins, or after the first epoch if that builds the model.
    What goes wrong here is logged, and stops no training.

    Args:
        log_dir: Directory of the run.

    Example:

    >>> ModelGraph("logs/densenet").log_dir
    'logs/densenet'
    """

    def __init__(self, log_dir: str | os.PathLike) -> None:
        super().__init__()
        self.log_dir = os.fspath(log_dir)
        self._written = False

    def on_train_begin(self, logs: dict | None = None) -> None:
        self._written = False
        if self.model.built:
            self._write_graphs()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        if not self._written:
            self._write_graphs()

    def _write_graphs(self):
        self._written = True
        try:
            self._write("graph_layers", layer_graph(self.model).SerializeToString())
            if keras.backend.backend() == "tensorflow" and _functional(self.model) is not None:
                self._write("graph_operations", _operations(self.model))
        except Exception:
            logger.warning("ModelGraph is not complete; training goes on.", exc_info=True)

    def _write(self, run, graph):
        from tensorboard.compat.proto.event_pb2 import Event

        file = EventFile(os.path.join(self.log_dir, run))
        file.write(Event(graph_def=graph))
        file.close()


def layer_graph(model: keras.Model) -> Any:
    """Return the layers of a model as a ``GraphDef``, with an edge for each tensor."""
    from tensorboard.compat.proto.graph_pb2 import GraphDef

    graph = GraphDef()
    _add(graph, model, "", [])
    return graph


def _add(graph, model, prefix, given):
    """Add a model whose inputs come from the nodes ``given``; returns those of its outputs."""
    functional = _functional(model)
    if functional is None:
        for layer in model.layers:
            if isinstance(layer, keras.Model):
                _add(graph, layer, f"{prefix}{layer.name}/", [])
            else:
                _add_node(graph, f"{prefix}{layer.name}", layer, [])
        return []
    made: dict[int, list[str]] = {}  # of each node of the model, what its outputs come from
    entrances = {id(x._keras_history.operation): i for i, x in enumerate(functional.inputs)}
    count: dict[int, int] = {}
    for _, nodes in sorted(functional._nodes_by_depth.items(), reverse=True):
        for node in nodes:
            layer = node.operation
            sources = [name for parent in node.parent_nodes for name in made[id(parent)]]
            if id(layer) in entrances and given:
                sources = given[entrances[id(layer)] : entrances[id(layer)] + 1]
            again = count[id(layer)] = count.get(id(layer), -1) + 1
            name = f"{prefix}{layer.name}" + (f"_call{again + 1}" if again else "")
            if isinstance(layer, keras.Model):
                made[id(node)] = _add(graph, layer, f"{name}/", sources) or sources
            else:
                _add_node(graph, name, layer, sources)
                made[id(node)] = [name]
    found = []
    for tensor in functional.outputs:
        history = tensor._keras_history
        found += made[id(history.operation._inbound_nodes[history.node_index])]
    return list(dict.fromkeys(found))


def _add_node(graph, name, layer, sources):
    from tensorboard.compat.proto.attr_value_pb2 import AttrValue
    from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto

    node = graph.node.add(name=name, op=type(layer).__name__, input=dict.fromkeys(sources))
    weights = getattr(layer, "weights", [])
    node.attr["parameters"].i = sum(math.prod(weight.shape) for weight in weights)
    try:
        shape = tuple(layer.output.shape)
    except (AttributeError, ValueError):  # called never, or several times
        return
    sizes = [TensorShapeProto.Dim(size=-1 if size is None else size) for size in shape]
    shapes = AttrValue.ListValue(shape=[TensorShapeProto(dim=sizes)])
    node.attr["_output_shapes"].list.CopyFrom(shapes)


def _operations(model):
    """Return TensorFlow's operations of a forward pass."""
    import tensorflow as tf

    specs = [tf.TensorSpec(x.shape, x.dtype, name=x.name.split("/")[-1]) for x in model.inputs]

    @tf.function(autograph=False)
    def forward(*inputs):
        return model(list(inputs) if len(inputs) > 1 else inputs[0], training=False)

    return forward.get_concrete_function(*specs).graph.as_graph_def().SerializeToString()


def _functional(model):
    """Return the graph of a model: a ``Sequential`` holds one; ``None`` if there is none."""
    found = model._functional if isinstance(model, keras.Sequential) else model
    return found if hasattr(found, "_nodes_by_depth") and found.outputs else None
