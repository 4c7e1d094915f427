"""The beginning and the end that every image classifier shares.

Both follow ``keras.applications``, argument by argument, so that a family of ours can
take the place of one of theirs by keyword.
"""

import inspect
import logging
import os
from collections.abc import Callable
from typing import Any

import keras
from keras import Input, Model, layers
from keras.config import image_data_format

from keras_arch import registry
from keras_arch import weights as transfer
from keras_arch.errors import invalid

log = logging.getLogger(__name__)


def image_input(
    input_shape: tuple[int | None, int | None, int] | None,
    input_tensor: keras.KerasTensor | None = None,
    smallest: int = 1,
    weights: str | os.PathLike | None = None,
    include_top: bool = True,
) -> keras.KerasTensor:
    """The ``image``, ``(B, H, W, C)``; what cannot be built is refused here, before work.

    Args:
        input_shape: ``(height, width, channels)``; ``None`` is any height or width. By
            default that of ``keras.applications``: 224x224 with the top, any without.
        input_tensor: A tensor to start from instead.
        smallest: The least height and width.
        weights: ``None``, ``"imagenet"`` or a path, which must hold weights.
        include_top: Whether the model will have its top.

    Raises:
        ValueError: If the shape is too small or no shape of an image, or if ``weights``
            cannot be read.
    """
    if image_data_format() != "channels_last":
        raise invalid("image_data_format", '"channels_last"', image_data_format())
    if weights not in (None, "imagenet"):
        if not os.path.isfile(weights):
            known = '`None`, "imagenet" or the path of a file that exists (never a URL)'
            raise invalid("weights", known, weights)
        transfer.read(weights)
    if input_tensor is not None:
        if not keras.utils.is_keras_tensor(input_tensor):
            raise invalid("input_tensor", "a KerasTensor, as `keras.Input` gives", input_tensor)
        return input_tensor
    if input_shape is None:
        input_shape = (224, 224, 3) if include_top else (None, None, 3)
    if len(input_shape) != 3 or input_shape[-1] is None:
        raise invalid("input_shape", "(height, width, channels)", input_shape)
    if any(size is not None and size < smallest for size in input_shape[:2]):
        raise invalid("input_shape", f"height and width of at least {smallest}", input_shape)
    return Input(input_shape, name="image")


def global_average(x: keras.KerasTensor) -> keras.KerasTensor:
    """``(B, H, W, C) -> (B, C)``."""
    return layers.GlobalAveragePooling2D(name="pool")(x)


def flatten(x: keras.KerasTensor) -> keras.KerasTensor:
    """``(B, H, W, C) -> (B, H * W * C)``."""
    if None in x.shape[1:]:
        raise invalid("input_shape", "a height and width, with this top", tuple(x.shape[1:]))
    return layers.Flatten(name="flatten")(x)


def classifier(
    inputs: keras.KerasTensor,
    x: keras.KerasTensor,
    include_top: bool,
    weights: str | os.PathLike | None,
    pooling: str | None,
    classes: int,
    classifier_activation: str | None,
    name: str,
    family: str,
    top: Callable[[keras.KerasTensor], keras.KerasTensor] = global_average,
    head: Callable[..., keras.layers.Layer] = layers.Dense,
    **sizes: Any,
) -> Model:
    """Finish a classifier: ``(B, H, W, C) -> (B, classes)``, or its features without the top.

    The arguments up to ``name`` are those of ``keras.applications``.

    Args:
        inputs: The image.
        x: The features.
        include_top: Whether the model ends with the ``head``.
        weights: ``None``, ``"imagenet"`` or a path.
        pooling: ``None``, ``"avg"`` or ``"max"``, without the top.
        classes: Units of the head.
        classifier_activation: Activation of the head.
        name: Name of the model.
        family: Name of the factory in the catalogue.
        top: What stands between features and head.
        head: Class of the head, made as ``head(classes, classifier_activation, ...)``.
        **sizes: The arguments by which published weights of the family are told apart.

    Raises:
        ValueError: If ``pooling`` is unknown, or the weights are not this model's.
    """
    if pooling not in (None, "avg", "max"):
        raise invalid("pooling", 'one of {None, "avg", "max"}', pooling)
    if include_top:
        if not isinstance(classes, int) or classes < 1:
            raise invalid("classes", "a positive integer", classes)
        x = top(x)
        x = head(classes, classifier_activation, dtype="float32", name="head")(x)
    elif pooling == "avg":
        x = global_average(x)
    elif pooling == "max":
        x = layers.GlobalMaxPooling2D(name="pool")(x)
    source = inputs._keras_history.operation  # an `input_tensor` may have a history
    if not isinstance(source, layers.InputLayer):
        inputs = keras.utils.get_source_inputs(inputs)
    model = Model(inputs, x, name=name)
    if weights is not None:
        source = _imagenet(family, include_top, sizes) if weights == "imagenet" else weights
        _load(source, model, registry.get(family).rename)
    return model


def _imagenet(family, include_top, sizes):
    """The model of ``keras.applications`` with these sizes, and its published weights."""
    entry = registry.get(family)
    defaults = {
        key: parameter.default
        for key, parameter in inspect.signature(entry.target).parameters.items()
    }
    theirs = {}
    for preset, values in entry.presets.items():
        if hasattr(keras.applications, preset):
            theirs[preset] = {key: {**defaults, **values}[key] for key in sizes}
    sizes = {key: tuple(v) if isinstance(v, list) else v for key, v in sizes.items()}
    for preset, published in theirs.items():
        if published == sizes:
            return getattr(keras.applications, preset)(include_top=include_top)
    known = "`None` or a path"
    if theirs:
        known += f', or "imagenet" with the sizes of one of {theirs}'
    raise invalid("weights", known, f"imagenet with {sizes}")


def _load(source, model, rename):
    """All weights of a model but those of a new head, or none and an error."""
    report, values = transfer.plan(source, model, rename)
    missing = [path for path in report.untouched if not path.startswith("head/")]
    if missing or not (report.copied or report.adapted):
        raise ValueError(
            f"Invalid value for argument `weights`. They are not those of this model: "
            f"{len(missing)} of its weights would stay random, such as {missing[:3]}. Expected "
            f"weights of {model.name!r} in this size. {report}"
        )
    transfer.assign(model, values)
    if report.adapted or report.untouched:
        log.warning("Weights for %r: %s", model.name, report)
