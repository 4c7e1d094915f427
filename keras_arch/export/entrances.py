"""How a request becomes the inputs of a model: as tensors, images, text or tf.Example."""

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np

from keras_arch.errors import invalid
from keras_arch.export.names import names

_PREPROCESSED = "a function whose results are of shape {} and type {}, as the model takes them"


class Entrance(NamedTuple):
    """One way in.

    Args:
        specs: TensorFlow's specification of each tensor of a request.
        read: From these tensors to the inputs of the model, flat.
        request: An example, by name.
    """

    specs: list[Any]
    read: Callable[..., list[Any]]
    request: dict[str, np.ndarray]


def of_tensors(model: keras.Model, arrays: list[np.ndarray], batch: int | None = None) -> Entrance:
    """The inputs themselves.

    Args:
        model: Model that is served.
        arrays: An example of its inputs, flat.
        batch: Size that every batch has, ``None`` for any.
    """
    import tensorflow as tf

    specs = [
        tf.TensorSpec((batch or tensor.shape[0], *tensor.shape[1:]), tensor.dtype, name)
        for name, tensor in zip(names(model.input, "inputs"), model.inputs, strict=True)
    ]
    if batch:
        arrays = [np.resize(array, (batch, *array.shape[1:])) for array in arrays]
    request = {spec.name: array for spec, array in zip(specs, arrays, strict=True)}
    return Entrance(specs, lambda *tensors: list(tensors), request)


def encoded(model: keras.Model, preprocess: Callable[[Any], Any] | None) -> Entrance | None:
    """The input as people keep it: encoded images, or text; ``None`` if it is neither."""
    if _takes_images(model):
        return _of_images(model, preprocess)
    if preprocess is None:
        return None
    if len(model.inputs) == 1 and "int" in model.inputs[0].dtype:
        return _of_text(model, preprocess)
    raise invalid("preprocess", "None for a model that takes neither image nor text", preprocess)


def _takes_images(model):
    """Whether the model has one input, and that is an image of known size."""
    shape = model.inputs[0].shape
    return (
        len(model.inputs) == 1
        and len(shape) == 4
        and None not in shape[1:]
        and shape[-1] in (1, 3, 4)
        and "float" in model.inputs[0].dtype
    )


def _of_images(model, preprocess):
    import tensorflow as tf

    size = model.inputs[0].shape[1:]

    def decode(file):
        image = tf.io.decode_image(file, channels=size[-1], expand_animations=False)
        image.set_shape((None, None, size[-1]))  # decode_image leaves the rank open
        return tf.image.resize(image, size[:2], antialias=True)

    def read(files):
        images = tf.map_fn(decode, files, fn_output_signature=tf.float32)
        images = preprocess(images) if preprocess else images / 255.0
        return [_fitting(model, tf.cast(images, model.inputs[0].dtype), preprocess)]

    name = f"{names(model.input, 'inputs')[0]}_bytes"
    blank = tf.io.encode_png(np.zeros(size, "uint8")).numpy()
    spec = tf.TensorSpec((None,), tf.string, name)
    return Entrance([spec], read, {name: np.array([blank], object)})


def _of_text(model, preprocess):
    import tensorflow as tf

    def read(text):
        tokens = tf.cast(preprocess(text), model.inputs[0].dtype)
        return [_fitting(model, tokens, preprocess)]

    spec = tf.TensorSpec((None,), tf.string, "text")
    return Entrance([spec], read, {"text": np.array([b"text"], object)})


def _fitting(model, tensor, preprocess):
    declared = model.inputs[0].shape[1:]
    if not tensor.shape[1:].is_compatible_with(declared) or tensor.shape.rank is None:
        expected = _PREPROCESSED.format(declared, model.inputs[0].dtype)
        raise invalid("preprocess", expected, preprocess)
    tensor.set_shape((None, *declared))
    return tensor


def of_examples(entrance: Entrance, signature: str) -> Entrance:
    """Serialised ``tf.Example`` protos, with a feature for each tensor of another entrance."""
    import tensorflow as tf

    sizes = {spec.name: spec.shape[1:] for spec in entrance.specs}
    if not all(shape.is_fully_defined() for shape in sizes.values()):
        raise invalid(
            "signatures",
            f"none that takes tf.Example ({signature}), whose features have a fixed size, for a "
            f"model of inputs { ({name: tuple(shape) for name, shape in sizes.items()}) }",
            signature,
        )
    features = {
        spec.name: tf.io.FixedLenFeature(spec.shape[1:], _stored(spec.dtype))
        for spec in entrance.specs
    }

    def read(serialized):
        parsed = tf.io.parse_example(serialized, features)
        tensors = [tf.cast(parsed[spec.name], spec.dtype) for spec in entrance.specs]
        return entrance.read(*tensors)

    protos = [
        _example({name: array[row] for name, array in entrance.request.items()})
        for row in range(len(next(iter(entrance.request.values()))))
    ]
    request = {"inputs": np.array([proto.SerializeToString() for proto in protos], object)}
    return Entrance([tf.TensorSpec((None,), tf.string, "inputs")], read, request)


def _stored(dtype):
    """The one of the three types of a feature that holds a type."""
    import tensorflow as tf

    if dtype == tf.string:
        return tf.string
    return tf.float32 if dtype.is_floating else tf.int64


def _example(arrays):
    import tensorflow as tf

    example = tf.train.Example()
    for name, array in arrays.items():
        values = np.ravel(array)
        feature = example.features.feature[name]
        if values.dtype.kind in "OS":  # of one string numpy makes its own
            feature.bytes_list.value.extend(values)
        elif values.dtype.kind == "f" or values.dtype.name == "bfloat16":
            feature.float_list.value.extend(values.astype("float32"))
        else:
            feature.int64_list.value.extend(values.astype("int64"))
    return example
