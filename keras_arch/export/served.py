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
    """A model that is only a method ``call``, as one node of a graph."""
    shapes = getattr(model, "_build_shapes_dict", None)
    if not isinstance(model, keras.Model) or not shapes:
        raise invalid("model", _EXPECTED, model)
    if len(shapes) == 1:  # named after the argument of `build`
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

    inputs = {
        name.removesuffix("_shape"): declared(shape, name.removesuffix("_shape"))
        for name, shape in shapes.items()
    }
    try:
        outputs = model(**inputs)
    except NotImplementedError as error:
        raise invalid("model", _EXPECTED, model) from error
    if not isinstance(outputs, Mapping):
        flat = keras.tree.flatten(outputs)
        outputs = {f"outputs_{index}": output for index, output in enumerate(flat)}
        if len(flat) == 1:
            outputs = {"outputs": flat[0]}
    whole = inputs if len(inputs) > 1 else next(iter(inputs.values()))
    return keras.Model(whole, outputs, name=model.name)


def _narrow(array):
    """Type of the input that such numbers are for: Python's and numpy's are twice as wide."""
    dtype = str(np.asarray(array).dtype)
    return {"float64": "float32", "int64": "int32"}.get(dtype, dtype)
