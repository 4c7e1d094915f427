"""How far two codes lie apart: the joining unit of a siamese network.

Bromley, Guyon, LeCun, Säckinger, Shah. Signature Verification Using a "Siamese" Time Delay
Neural Network. NIPS 1993.
https://papers.nips.cc/paper/1993/hash/288cc0ff022877bd3df94bc9360b9c5d-Abstract.html
"""

from typing import Any

from keras import layers, ops

from keras_arch.errors import invalid
from keras_arch.registry import register


def _length(x):
    """Euclidean norm of the last axis, whose slope at zero is zero, not undefined."""
    squares = ops.sum(ops.square(x), axis=-1, keepdims=True)
    return ops.where(squares > 0, ops.sqrt(ops.where(squares > 0, squares, 1)), 0)


def _cosine(a, b):
    """Half the squared distance of the directions: ``1 - cos``, without its cancellation."""
    a, b = (x / ops.maximum(_length(x), 1e-6) for x in (a, b))
    return ops.sum(ops.square(a - b), axis=-1, keepdims=True) / 2


METRICS = {
    "l1": lambda a, b: ops.sum(ops.abs(a - b), axis=-1, keepdims=True),
    "l2": lambda a, b: _length(a - b),
    "cosine": _cosine,
}


@register(
    paper='Signature Verification Using a "Siamese" Time Delay Neural Network',
    authors="Bromley, Guyon, LeCun, Säckinger, Shah",
    year=1993,
    url="https://papers.nips.cc/paper/1993/hash/288cc0ff022877bd3df94bc9360b9c5d-Abstract.html",
    venue="NIPS",
    tiny={"l1": {"metric": "l1"}, "l2": {"metric": "l2"}, "cosine": {"metric": "cosine"}},
    inputs=(layers.InputSpec(shape=(None, 5)), layers.InputSpec(shape=(None, 5))),
)
class Distance(layers.Layer):
    """Distance of two codes, the same in both directions, zero from a code to itself.

    Args:
        metric: ``"l1"`` (sum of absolute differences), ``"l2"`` (Euclidean) or
            ``"cosine"`` (one minus the cosine of the angle).
        **kwargs: ``name``, ``dtype`` and so on of ``keras.layers.Layer``.

    Call arguments:
        inputs: Pair of codes, each of shape ``(B, D)``.

    Returns:
        Distances of shape ``(B, 1)``.

    Raises:
        ValueError: If ``metric`` is none of the above, or, when the layer is built, the
            codes differ in width.

    Example:

    >>> a, b = keras.ops.array([[3.0, 0.0]]), keras.ops.array([[0.0, 4.0]])
    >>> [float(Distance(metric)((a, b))[0, 0]) for metric in ("l1", "l2", "cosine")]
    [7.0, 5.0, 1.0]
    """

    def __init__(self, metric: str = "l2", **kwargs: Any):
        super().__init__(**kwargs)
        if metric not in METRICS:
            raise invalid("metric", f"one of {set(METRICS)}", metric)
        self.metric = metric

    def build(self, input_shape):
        first, second = input_shape
        if tuple(first) != tuple(second):
            raise invalid("inputs", f"two codes of shape {tuple(first)}", tuple(second))

    def call(self, inputs):
        return METRICS[self.metric](*inputs)

    def compute_output_shape(self, input_shape):
        return (*input_shape[0][:-1], 1)

    def get_config(self):
        return {**super().get_config(), "metric": self.metric}
