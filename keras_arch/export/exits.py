"""What of a model's outputs is answered: all of them, the likeliest classes, or one value."""

from collections.abc import Sequence
from typing import Any

import keras

from keras_arch.errors import invalid


def labels(model: keras.Model, class_names: Sequence[str] | None) -> list[str]:
    """Names of the classes that the one output of a model has scores for."""
    shape = model.outputs[0].shape
    if len(model.outputs) != 1 or len(shape) != 2 or (shape[1] or 0) < 2:
        raise _unfit(model, "those that name classes", "(B, classes)")
    if class_names is None:
        return [str(index) for index in range(shape[1])]
    found = list(class_names)
    if len(found) != shape[1] or not all(isinstance(name, str) for name in found):
        raise invalid("class_names", f"{shape[1]} strings", class_names)
    return found


def likeliest(outputs: dict[str, Any], class_names: Sequence[str], top: int) -> dict[str, Any]:
    """Names and scores, ``(B, top)`` each, the highest score first."""
    import tensorflow as tf

    (scores,) = outputs.values()
    best = tf.math.top_k(tf.cast(scores, tf.float32), min(top, len(class_names)))
    return {"classes": tf.gather(tf.constant(class_names), best.indices), "scores": best.values}


def require_value(model: keras.Model) -> None:
    """Refuse a model whose output is not one number."""
    shape = model.outputs[0].shape
    if len(model.outputs) != 1 or not (len(shape) == 1 or (len(shape) == 2 and shape[1] == 1)):
        raise _unfit(model, "'regress'", "(B, 1)")


def value(outputs: dict[str, Any]) -> dict[str, Any]:
    """The one number, ``(B, 1)``."""
    import tensorflow as tf

    (number,) = outputs.values()
    return {"outputs": tf.reshape(tf.cast(number, tf.float32), (-1, 1))}


def _unfit(model, signature, shape):
    found = [tuple(tensor.shape) for tensor in model.outputs]
    expected = f"{signature} only for a model of one output {shape}"
    return invalid("signatures", expected, f"outputs {found}")
