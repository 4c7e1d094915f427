"""What of a model is served: its graph of layers, without the heads that only teach."""

import inspect
import re
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from keras_arch.errors import invalid
from keras_arch.export.copying import plain

_EXPECTED = (
    "a functional model, or another that is built and can be called "
    "(of an algorithm, the part to serve: `gan.generator`)"
)


def served(model: Any, warmup: Any = None) -> keras.Model:
    """Return the functional model that is served; it shares all weights.

    Args:
        model: What is exported.
        warmup: Inputs, which tell the types of those of a model without a graph.
    """
    graph = plain(model)
    if graph is None:
        return _called(model, warmup)
    output = graph.output
    if not isinstance(output, Mapping) or "head" not in output:
        return graph
    if any(not re.fullmatch(r"head|aux\d+", name) for name in output):
        return graph
    return keras.Model(graph.input, output["head"], name=graph.name)


def _called(model, warmup):
    """A model that is more than a graph, or none: its method ``call`` as the one node of one."""
    shapes = getattr(model, "_build_shapes_dict", None)
    if not isinstance(model, keras.Model) or not (shapes or getattr(model, "inputs", None)):
        raise invalid("model", _EXPECTED, model)
    try:
        if getattr(model, "inputs", None):
            inputs = keras.tree.map_structure(
                lambda x: keras.Input(batch_shape=x.shape, dtype=x.dtype, name=x.name),
                model.inputs[0] if isinstance(model, keras.Sequential) else model.input,
            )
            outputs = model(inputs)
        else:
            inputs = _declared(model, shapes, warmup)
            outputs = model(**inputs)
            inputs = inputs if len(inputs) > 1 else next(iter(inputs.values()))
    except NotImplementedError as error:
        raise invalid("model", _EXPECTED, model) from error
    if not isinstance(outputs, Mapping):
        flat = keras.tree.flatten(outputs)
        named = ["outputs"] if len(flat) == 1 else [f"outputs_{i}" for i in range(len(flat))]
        outputs = dict(zip(named, flat, strict=True))
    return keras.Model(inputs, outputs, name=model.name)


def _declared(model, shapes, warmup):
    """Inputs of the shapes that a model was built with, by the argument of its ``call``."""
    if len(shapes) == 1:  # Keras names the only one after the argument of `build`
        shapes = dict(zip(inspect.signature(model.call).parameters, shapes.values(), strict=False))
    given = iter(keras.tree.flatten(warmup))

    def declared(shape, name):
        if isinstance(shape, Mapping):
            return {key: declared(shape[key], key) for key in sorted(shape)}
        if not all(size is None or isinstance(size, int) for size in shape):
            return [declared(each, f"{name}_{index}") for index, each in enumerate(shape)]
        array = next(given, None)
        dtype = model.input_dtype if array is None else _narrow(array)
        return keras.Input(tuple(shape[1:]), dtype=dtype, name=name)

    arguments = {name.removesuffix("_shape"): shape for name, shape in shapes.items()}
    return {name: declared(shape, name) for name, shape in arguments.items()}


def _narrow(array):
    """Type of the input that such numbers are for: Python's and numpy's are twice as wide."""
    dtype = str(np.asarray(array).dtype)
    return {"float64": "float32", "int64": "int32"}.get(dtype, dtype)
