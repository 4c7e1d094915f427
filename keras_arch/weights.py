"""Weights go from one model to another by the names of layers, and a report says how.

Keras stores weights by the order of layer classes, so that a model with one layer more
can silently get the weights of the wrong layers. Here a weight is only ever given to the
layer of its name, and everything is compared before anything is changed.
"""

import dataclasses
import logging
import os
import re
import zipfile
from collections.abc import Mapping, Sequence

import keras
import numpy as np

from keras_arch import weight_file
from keras_arch.errors import invalid

Weights = Mapping[str, Sequence[np.ndarray]]  # of each layer, in Keras's order


log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Report:
    """What became of each weight, ``"layer/weight"``, with the reason where there is one.

    Attributes:
        copied: Weights of the model that took the source's values.
        adapted: Weights that took them in another shape.
        skipped: Weights of the source that the model has no use for.
        untouched: Weights of the model that kept their values.
    """

    copied: list[str]
    adapted: dict[str, str]
    skipped: dict[str, str]
    untouched: list[str]

    def __str__(self) -> str:
        parts = [f"{len(getattr(self, f.name))} {f.name}" for f in dataclasses.fields(self)]
        lines = [
            f"{name}: {why}" for part in (self.adapted, self.skipped) for name, why in part.items()
        ]
        return "\n  ".join([", ".join(parts), *lines])


def transfer_weights(
    source: keras.Model | str | os.PathLike,
    model: keras.Model,
    rename: Mapping[str, str] | None = None,
) -> Report:
    """Copy weights between layers of one name and one shape.

    Where a source has another number of image channels, the first kernel is summed (to
    one channel) or tiled and scaled, so that the layer's response keeps its size.

    Args:
        source: A model, or the path of a ``.keras``, ``.weights.h5`` or ``.h5`` file.
        model: The built model that receives them.
        rename: Regular expressions, applied in order, that turn names of the source's
            layers into the model's. For models of ``keras.applications`` each family has
            one: ``keras_arch.get("ResNet").rename``.

    Returns:
        A ``Report`` of copied, adapted, skipped and untouched weights.

    Raises:
        ValueError: If the source is neither a model nor a file of weights.

    Example:

    >>> source = keras_arch.models.LeNet5(classes=10)
    >>> model = keras_arch.models.LeNet5(classes=3)
    >>> keras_arch.transfer_weights(source, model).untouched
    ['head/kernel']
    """
    report, values = plan(source, model, rename)
    assign(model, values)
    return report


def plan(
    source: keras.Model | str | os.PathLike,
    model: keras.Model,
    rename: Mapping[str, str] | None = None,
) -> tuple[Report, dict[str, np.ndarray]]:
    """Compare, change nothing: the report, and the new values by ``"layer/weight"``."""
    mine = by_layer(model)
    first = next(iter(mine), None)  # the layer that sees the image
    values, adapted, skipped = {}, {}, {}
    theirs = read(source)
    numbers = _from_zero(theirs)
    for layer, arrays in theirs.items():
        name = layer if layer in mine else _renamed(numbers.get(layer, layer), rename or {})
        variables = mine.get(name)
        if variables is None or len(variables) != len(arrays):
            has = "no such layer" if variables is None else f"{len(variables)} weights there"
            skipped[name] = f"{len(arrays)} weights, {has}"
            continue
        for variable, array in zip(variables, arrays, strict=True):
            shape, path = tuple(variable.shape), f"{name}/{variable.name}"
            if array.shape == shape:
                values[path] = array
            elif name == first and _other_channels(array.shape, shape):
                values[path] = _with_channels(array, shape[-2])
                adapted[path] = f"{array.shape[-2]} to {shape[-2]} channels"
            else:
                skipped[path] = f"shape {array.shape}, {shape} there"
    paths = [f"{layer}/{v.name}" for layer, variables in mine.items() for v in variables]
    report = Report(
        copied=[path for path in paths if path in values and path not in adapted],
        adapted=adapted,
        skipped=skipped,
        untouched=[path for path in paths if path not in values],
    )
    return report, values


def assign(model: keras.Model, values: Mapping[str, np.ndarray]) -> None:
    """Give weights of a model new values, by layer and name: ``"layer/weight"``."""
    for layer, variables in by_layer(model).items():
        for variable in variables:
            if f"{layer}/{variable.name}" in values:
                variable.assign(values[f"{layer}/{variable.name}"])


def by_layer(model: keras.Model) -> dict[str, list[keras.Variable]]:
    """The weights of each layer of a model, by its place: ``"rnn/cell"`` for a part.

    Not by the paths of variables, which lose the outer part in a model that was loaded:
    there the cells of two recurrent layers share one path.
    """
    found: dict[str, list[keras.Variable]] = {}
    seen = set()

    def visit(layer, place):
        if id(layer) in seen:
            return
        seen.add(id(layer))
        own = layer._trainable_variables + layer._non_trainable_variables
        if own:
            found[place] = own
        for part in layer._flatten_layers(include_self=False, recursive=False):
            visit(part, f"{place}/{part.name}".lstrip("/"))

    visit(model, "")
    return found


def read(source: keras.Model | str | os.PathLike) -> Weights:
    """Read the weights of a model or a file, by layer.

    Raises:
        ValueError: If it is neither, or the file cannot be read, leads to other files, or
            declares far more than it holds.
    """
    expected = "a keras.Model, or the path of a `.keras`, `.weights.h5` or `.h5` file"
    if isinstance(source, keras.Model):
        return {
            layer: [keras.ops.convert_to_numpy(variable) for variable in variables]
            for layer, variables in by_layer(source).items()
        }
    if not isinstance(source, str | os.PathLike) or not os.path.isfile(source):
        raise invalid("weights", expected + " that exists", source)
    try:
        found = weight_file.read(source)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise invalid("weights", f"{expected}; reading it failed: {error}", source) from error
    if not found:
        raise invalid("weights", f"{expected}; it holds no weights", source)
    return found


def _from_zero(names):
    """Names that Keras made up count the layers of a process; here those of one model."""
    made_up: dict[str, dict[str, int]] = {}
    for name in names:
        if found := re.fullmatch(r"(conv2d|batch_normalization)(?:_(\d+))?", name):
            made_up.setdefault(found[1], {})[name] = int(found[2] or 0)
    return {
        name: f"{kind}_{index}"
        for kind, numbers in made_up.items()
        for index, name in enumerate(sorted(numbers, key=numbers.get))
    }


def _renamed(name, rename):
    for pattern, replacement in rename.items():
        name = re.sub(pattern, replacement, name)
    return name


def _other_channels(old, new):
    return len(old) == len(new) == 4 and old[:2] == new[:2] and old[3] == new[3]


def _with_channels(kernel, channels):
    if channels == 1:
        return kernel.sum(axis=-2, keepdims=True)
    old = kernel.shape[-2]
    return kernel[:, :, np.arange(channels) % old] * (old / channels)
