"""Weights of a classifier: found before its graph is built, given to it afterwards."""

import inspect
import logging
import os
import re
from typing import Any, TypeAlias

import keras

from keras_arch import registry
from keras_arch import weights as transfer
from keras_arch.errors import invalid

log = logging.getLogger(__name__)

# Layers that a model may lack, or have anew; without its top, all that stand behind the features.
HEADS = r"head\b|aux\d"
TOP = rf"{HEADS}|(fc\d*|f6|h3|embedding(_bn)?)\b"

Source: TypeAlias = keras.Model | str | os.PathLike


def find_weights(
    weights: str | os.PathLike | None,
    family: str,
    include_top: bool,
    side: int,
    sizes: dict[str, Any],
) -> Source | None:
    """Find what ``weights`` names: a file that can be read, or a model of Keras.

    Args:
        weights: ``None``, ``"imagenet"`` or a path.
        family: Name of the factory in the catalogue.
        include_top: Whether the model will have its top.
        side: Height and width of the images that published weights are for.
        sizes: The arguments by which published weights of the family are told apart.

    Raises:
        ValueError: If there is no such file, it holds no weights, or none are published
            for these sizes.
    """
    if weights is None:
        return None
    if weights == "imagenet":
        return _imagenet(family, include_top, side, sizes)
    if not os.path.isfile(weights):
        known = '`None`, "imagenet" or the path of a file that exists (never a URL)'
        raise invalid("weights", known, weights)
    transfer.read(weights)
    return weights


def load_weights(source: Source, model: keras.Model, family: str, include_top: bool) -> None:
    """Give a model all weights but those of new heads, or none and an error.

    Args:
        source: What ``find_weights`` found.
        model: The model.
        family: Name of its factory in the catalogue.
        include_top: Whether it has its top.

    Raises:
        ValueError: If weights of the model would stay random, or some of the source have no
            place in it.
    """
    report, values = transfer.plan(source, model, registry.get(family).rename)
    missing = [path for path in report.untouched if not re.match(HEADS, path)]
    spare = [path for path in report.skipped if not re.match(HEADS if include_top else TOP, path)]
    if missing or spare or not (report.copied or report.adapted):
        raise ValueError(
            f"Invalid value for argument `weights`. They are not those of this model: "
            f"{len(missing)} of its weights would stay random, such as {missing[:3]}, "
            f"{len(spare)} parts of them have no place in it, such as {spare[:3]}. Expected "
            f"weights of {model.name!r} in this size. {report}"
        )
    transfer.assign(model, values)
    if report.adapted or report.skipped or report.untouched:
        log.warning("Weights for %r: %s", model.name, report)


def _imagenet(family, include_top, side, sizes):
    """The model of ``keras.applications`` with these sizes, and its published weights."""
    entry = registry.get(family)
    defaults = {
        key: parameter.default
        for key, parameter in inspect.signature(entry.target).parameters.items()
    }
    sizes = {key: tuple(v) if isinstance(v, list) else v for key, v in sizes.items()}
    published = {}
    for name, values in {family: {}, **entry.presets}.items():
        build = getattr(keras.applications, name, None)
        if not callable(build):
            continue
        free = inspect.signature(build).parameters.keys() & sizes.keys()
        bound = [key for key in sizes if key not in free]
        published[name] = {key: {**defaults, **values}[key] for key in bound}
        if published[name] == {key: sizes[key] for key in bound}:
            these = {key: sizes[key] for key in free}
            try:
                return build(include_top=include_top, input_shape=(side, side, 3), **these)
            except ValueError as error:  # published, but not in this size
                known = f'`None`, a path, or "imagenet" as keras.applications has it: {error}'
                raise invalid("weights", known, "imagenet") from error
    known = "`None` or a path"
    if published:
        others = {
            name: [f"{key}={value!r}" for key, value in values.items() if value != sizes[key]]
            for name, values in published.items()
        }
        nearest = min(others, key=lambda name: len(others[name]))
        known += f', or "imagenet" with the sizes of {nearest}: {", ".join(others[nearest])}'
    raise invalid("weights", known, "imagenet")
