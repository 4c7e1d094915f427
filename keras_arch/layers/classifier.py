"""The beginning and the end that every image classifier shares.

Both follow ``keras.applications``, argument by argument, so that a family of ours can
take the place of one of theirs by keyword.
"""

import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import Input, Model, layers
from keras.config import image_data_format

from keras_arch import registry
from keras_arch.errors import invalid
from keras_arch.layers.pretrained import find_weights, load_weights

POOLING = {"avg": layers.GlobalAveragePooling2D, "max": layers.GlobalMaxPooling2D}


def image_classifier(
    include_top: bool,
    weights: str | os.PathLike | None,
    input_tensor: keras.KerasTensor | None,
    input_shape: tuple[int | None, int | None, int] | None,
    pooling: str | None,
    classes: int,
    classifier_activation: str | None,
    name: str,
    *,
    family: str,
    smallest: int = 1,
    size: int = 224,
    resolutions: Sequence[int] = (),
    **sizes: Any,
) -> tuple[keras.KerasTensor, Callable[..., Model]]:
    """Begin a classifier; whatever cannot be built is refused here, before the graph is.

    The first eight arguments are those with which every classifier ends.

    Args:
        include_top: Whether the model ends with a head.
        weights: ``None``, ``"imagenet"`` or a path, which must hold weights.
        input_tensor: A tensor to start from, instead of a new input.
        input_shape: ``(height, width, channels)``; ``None`` is any height or width. Beside an
            ``input_tensor`` it must be the tensor's, unless it is the factory's default.
        pooling: ``None``, ``"avg"`` or ``"max"``, without the top.
        classes: Units of the head.
        classifier_activation: Activation of the head.
        name: Name of the model.
        family: Name of the factory in the catalogue.
        smallest: The least height and width.
        size: Height and width by default, with the top; without it, any.
        resolutions: Of square images for which published weights are of their own; any
            other image takes those of ``size``.
        **sizes: The arguments by which published weights of the family are told apart.

    Returns:
        The image, ``(B, H, W, C)``, and ``finish``, which makes the model of its features:

        - ``finish(x)``: ``(B, H, W, C) -> (B, classes)``, or ``x`` without the top.
        - ``finish(x, top=...)``: what stands between features and head, instead of the
          global average.
        - ``finish(x, head=...)``: class of the head, made as ``head(classes,
          classifier_activation, ...)``, instead of ``Dense``; or a function in its place.
        - ``finish(x, aux={"aux1": y, ...})``: with the top, further outputs; each is
          ``head(classes)`` of its ``y``, and the outputs are a dictionary with ``"head"``.

    Raises:
        ValueError: If the shape is too small, none of an image or not the tensor's,
            ``classes`` or ``pooling`` is unknown, or the weights cannot be had or are not
            this model's.
    """
    if image_data_format() != "channels_last":
        raise invalid("image_data_format", '"channels_last"', image_data_format())
    if pooling is not None and pooling not in POOLING:
        raise invalid("pooling", 'one of {None, "avg", "max"}', pooling)
    if include_top:
        if not is_size(classes):
            raise invalid("classes", "a positive integer", classes)
        classes = int(classes)
    if input_tensor is not None:
        if not keras.utils.is_keras_tensor(input_tensor):
            raise invalid("input_tensor", "a KerasTensor, as `keras.Input` gives", input_tensor)
        shape = tuple(input_tensor.shape[1:])
        if input_shape not in (None, _default_shape(family)) and not _agree(input_shape, shape):
            raise invalid("input_shape", f"`None`, or that of `input_tensor`, {shape}", input_shape)
        input_shape = shape
    elif input_shape is None:
        input_shape = (size, size, 3) if include_top else (None, None, 3)
    input_shape = _checked(input_shape)
    if any(side is not None and side < smallest for side in input_shape[:2]):
        raise invalid("input_shape", f"height and width of at least {smallest}", input_shape)
    side = next((side for side in resolutions if tuple(input_shape[:2]) == (side, side)), size)
    source = find_weights(weights, family, include_top, side, sizes)
    image = Input(input_shape, name="image") if input_tensor is None else input_tensor

    def finish(
        x: keras.KerasTensor,
        top: Callable[[keras.KerasTensor], keras.KerasTensor] = global_average,
        head: Callable[..., Callable[[keras.KerasTensor], keras.KerasTensor]] = layers.Dense,
        aux: Mapping[str, keras.KerasTensor] | None = None,
    ) -> Model:
        if include_top:
            ends = {"head": top(x), **(aux or {})}
            outputs = {
                at: head(classes, classifier_activation, dtype="float32", name=at)(end)
                for at, end in ends.items()
            }
            x = outputs if aux else outputs["head"]
        elif pooling is not None:
            x = POOLING[pooling](name="pool")(x)
        inputs = image
        if not isinstance(image._keras_history.operation, layers.InputLayer):
            inputs = keras.utils.get_source_inputs(image)
        model = Model(inputs, x, name=name)
        if source is not None:
            load_weights(source, model, family, include_top)
        return model

    return image, finish


def is_size(value: Any) -> bool:
    """Whether it is a positive integer, of Python or numpy."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and int(value) > 0


def _default_shape(family: str) -> tuple[int | None, int | None, int] | None:
    """The image of a factory, where nobody says another."""
    parameters = inspect.signature(registry.get(family).target).parameters
    return parameters["input_shape"].default


def _agree(one: Any, other: Any) -> bool:
    """Whether some images are of both shapes."""
    if len(_checked(one)) != len(other):
        return False
    return all(a == b or None in (a, b) for a, b in zip(one, other, strict=True))


def _checked(shape: Any) -> tuple[int | None, int | None, int]:
    """The shape of an image, or an error."""
    if (
        not isinstance(shape, tuple | list)
        or len(shape) != 3
        or not all(is_size(side) or (side is None and at < 2) for at, side in enumerate(shape))
    ):
        raise invalid("input_shape", "(height, width, channels), each a positive integer", shape)
    height, width, channels = (side and int(side) for side in shape)
    # An image of 3 rows with more channels than images have is one with the channels first.
    if height in (1, 3, 4) and min(width or 0, channels) > 4:
        raise invalid("input_shape", "(height, width, channels), with the channels last", shape)
    return height, width, channels


def global_average(x: keras.KerasTensor, dropout: float = 0.0) -> keras.KerasTensor:
    """``(B, H, W, C) -> (B, C)``, a part of which is dropped in training."""
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return layers.Dropout(dropout, name="dropout")(x) if dropout else x


def flatten(x: keras.KerasTensor, name: str = "flatten") -> keras.KerasTensor:
    """``(B, H, W, C) -> (B, H * W * C)``."""
    require_size(x, "with this top")
    return layers.Flatten(name=name)(x)


def require_size(x: keras.KerasTensor, why: str) -> None:
    """Refuse an image, or features, of which the height or width is not known.

    Args:
        x: The image or features, ``(B, H, W, C)``.
        why: What has to know them: ``"with this top"``.

    Raises:
        ValueError: If one of them is ``None``.
    """
    if None in x.shape[1:3]:
        raise invalid("input_shape", f"a height and width, {why}", tuple(x.shape[1:]))
