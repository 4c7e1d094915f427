"""Resolution profile: a classifier is a pyramid, from fine to coarse.

224 -> 112 -> 56 -> 28 -> 14 -> 7
"""

import itertools
import math
from typing import Any

import keras

from keras_arch.analysis.footprint import PADDING
from keras_arch.analysis.graph import axes, calls
from keras_arch.errors import invalid

Step = tuple[str, tuple[int, ...]]


def resolution_profile(model: keras.Model) -> list[Step]:
    """Return where the resolution changes along the main path of a functional model.

    The main path is the longest from the image on. Where a map is merged with one of fewer
    places, as with the gates of squeeze-and-excitation, the path is that of the map; and
    the border that padding adds is not resolution.

    Args:
        model: A functional model of images of known size, channels last.

    Returns:
        ``(name, (height, width))`` of the input, and of each layer of the path behind which
        they are others.

    Raises:
        ValueError: If a height or width is unknown.

    Example:

    >>> model = keras_arch.models.VGG(depths=(1, 1), widths=(8, 8), include_top=False,
    ...                               input_shape=(224, 224, 3))
    >>> resolution_profile(model)
    [('image', (224, 224)), ('stage1', (112, 112)), ('stage2', (56, 56))]
    """
    nodes = calls(model)
    image = model.inputs[0]
    rank = len(image.shape) - 2
    sizes: Any = axes(image.shape, rank)
    if rank < 1 or None in sizes:
        raise invalid("model", "a model of images of known size", image.shape)
    name = image._keras_history.operation.name
    longest: dict[int, Any] = {id(image): (0, (name, sizes), None)}  # length, step, before it
    ends = {id(x) for x in model.outputs}  # and where a map becomes a vector
    for node in nodes:
        for output in node.outputs:
            sizes = axes(output.shape, rank)
            before = [id(x) for x in node.input_tensors if id(x) in longest]
            if sizes is None:
                ends.update(before)
            if sizes is None or not before:
                continue
            largest = max(math.prod(longest[key][1][1]) for key in before)
            before = [key for key in before if math.prod(longest[key][1][1]) == largest]
            last = max(before, key=lambda key: longest[key][0])
            if isinstance(node.operation, PADDING):
                sizes = longest[last][1][1]
            longest[id(output)] = (longest[last][0] + 1, (node.operation.name, sizes), last)
    end: int | None = max(ends & set(longest), key=lambda key: longest[key][0])
    path: list[Step] = []
    while end is not None:
        _, step, end = longest[end]
        path.append(step)
    path.reverse()
    steps = [path[0]]
    steps += [step for past, step in itertools.pairwise(path) if step[1] != past[1]]
    return steps
