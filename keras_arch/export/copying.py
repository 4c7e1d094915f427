"""A copy of a functional model, in which other layers, or none, may stand."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np


class Part(NamedTuple):
    """What is called in the copy in the place of a layer; and its weights, if it has any."""

    layer: Callable[..., Any]
    weights: Sequence[np.ndarray] = ()


def plain(model: Any) -> keras.Model | None:
    """A model as nothing but its graph of layers; ``None`` if that is not all there is to it."""
    if not isinstance(model, keras.Model) or not type(model).call.__module__.startswith("keras."):
        return None
    if isinstance(model, keras.Sequential):  # it has no `input` before its first call
        return keras.Model(model.inputs[0], model.outputs[0], name=model.name)
    return keras.Model(model.input, model.output, name=model.name)


def nodes(model: keras.Model) -> list[Any]:
    """Keras's node of each call of a layer or operation, inputs before outputs."""
    ordered = sorted(model._nodes_by_depth.items(), reverse=True)
    return [node for _, level in ordered for node in level if not node.is_input]


def same(layer: Any, **changes: Any) -> Any:
    """A layer or operation made as another one was, but for the changes; its weights are new."""
    config = layer.get_config()
    if type(layer).__module__.startswith("keras."):  # orthogonal ones are dear, and not all dtypes'
        config |= {name: "zeros" for name in config if name.endswith("_initializer")}
    return type(layer).from_config({**config, **changes})


def copied(model: keras.Model, part: Callable[[Any], Part | None]) -> keras.Model:
    """Copy a functional model; names and structures stay as they are.

    Args:
        model: As ``plain`` gives it. Its layers and operations stay untouched.
        part: What takes the place of a layer or operation; ``None`` copies it.
    """
    made: list[Part] = []

    def clone(layer):
        found = part(layer)
        if found is None:
            found = Part(same(layer), layer.get_weights() if isinstance(layer, keras.Layer) else ())
        made.append(found)
        return found

    def call(found, *arguments, **settings):
        return found.layer(*arguments, **settings)

    copy = keras.models.clone_model(model, clone_function=clone, call_function=call)
    for layer, weights in made:
        if weights:
            layer.set_weights(weights)  # type: ignore[attr-defined]
    return copy
