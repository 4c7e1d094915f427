"""Names on the wire: the same in every process."""

import re
from collections.abc import Mapping
from typing import Any

import keras


def names(structure: Any, fallback: str) -> list[str]:
    """Wire names of a structure of symbolic tensors, in flat order."""
    tensors = keras.tree.flatten(structure)
    if isinstance(structure, Mapping) and len(structure) == len(tensors):
        found = sorted(structure)  # as keras.tree flattens it
    else:
        found = [tensor._keras_history.operation for tensor in tensors]
    return stable(found, fallback)


def stable(sources: list[Any], fallback: str) -> list[str]:
    """Names of layers as they can be served.

    Args:
        sources: Names, or layers and operations that have one.
        fallback: What stands in for a name that Keras made up, numbered where there are several.
    """
    alone = len(sources) == 1
    numbered = [fallback if alone else f"{fallback}_{i}" for i in range(len(sources))]
    found = [
        source if isinstance(source, str) else stand_in if _is_made_up(source) else source.name
        for source, stand_in in zip(sources, numbered, strict=True)
    ]
    found = [_identifier(name) for name in found]
    return found if len(set(found)) == len(found) else numbered


def _identifier(name):
    """What TensorFlow would make of the name of an argument, with a warning."""
    name = re.sub(r"\W", "_", name)
    return name if name[0].isalpha() else f"arg_{name}"


def _is_made_up(operation):
    """Whether Keras named it: such a name counts the layers of the process."""
    kind = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", type(operation).__name__)
    return not isinstance(operation, keras.Layer) or bool(
        re.fullmatch(rf"({kind.lower()}|keras_tensor)(_\d+)?", operation.name)
    )
