"""Multiply-adds of one forward pass: how often each weight of a kernel is used.

    convolution   positions of the output x (k k C_in / groups) x C_out
    dense         C_in x C_out, at each position

One multiplication and its addition count as one. Biases, normalization, activations and
pooling are not counted, as in the tables of the papers.
"""

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

import keras
from keras import layers

from keras_arch.analysis.watched_calls import Around, watched_calls
from keras_arch.errors import invalid

KERNELS = ("kernel", "depthwise_kernel", "pointwise_kernel", "stacked_kernel")
TRANSPOSED = (layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose)
UNCOUNTED = (layers.RNN, layers.EinsumDense)  # steps and contractions, not positions


class Macs(NamedTuple):
    """Multiply-adds of a model, for one example.

    Attributes:
        total: Of the whole model.
        layers: Of each layer that has some, by path: ``"stage1_block1_se/squeeze"``.
    """

    total: int
    layers: Mapping[str, int]


def count_macs(model: keras.Model, input_shape: tuple[int, ...] | None = None) -> Macs:
    """Count the multiply-adds of convolutions and dense layers, nested ones too.

    Nothing is computed: the model is called on an input that has only a shape. A layer of
    one's own counts by the layers inside of it and by its own variable ``kernel``; a layer
    that is called twice counts twice.

    Args:
        model: Any model, channels last.
        input_shape: Of one example, ``(height, width, channels)``; by default the model's.

    Returns:
        ``Macs``: the ``total``, and ``layers``.

    Raises:
        ValueError: If a size of the input is unknown, or a layer is of a kind that is not
            counted (recurrent, ``EinsumDense``).

    Example:

    >>> model = keras_arch.models.LeNet5(variant="modern")
    >>> count_macs(model).total
    416520
    >>> count_macs(model).layers["stem"] == 28 * 28 * 5 * 5 * 6
    True
    """
    counts: Counter[str] = Counter()
    forward = _Forward(model)
    watched = watched_calls(model, _counter(model, counts))
    with watched, keras.StatelessScope(collect_losses=True):
        forward(_inputs(model, input_shape))
    return Macs(sum(counts.values()), dict(counts))


class _Forward(keras.Operation):
    """Called on a tensor without values, Keras only follows its shapes."""

    def __init__(self, model):
        super().__init__(name="forward")
        self.model = model

    def call(self, inputs):
        return self.model(inputs, training=False)


def _inputs(model, input_shape):
    """A tensor of one example for each input."""
    expected = getattr(model, "inputs", None) or []
    if input_shape is None:
        shapes = [tuple(tensor.shape[1:]) for tensor in expected]
    elif len(expected) < 2:
        shapes = [tuple(input_shape)]
    else:
        raise invalid("input_shape", f"`None`, with {len(expected)} inputs", input_shape)
    if not shapes or any(None in shape for shape in shapes):
        raise invalid("input_shape", f"sizes, where the model has {shapes}", input_shape)
    dtypes = [tensor.dtype for tensor in expected] or [keras.config.floatx()]
    found = [keras.KerasTensor((1, *s), d) for s, d in zip(shapes, dtypes, strict=True)]
    return found if len(found) > 1 else found[0]


def _counter(model: Any, counts: Counter[str]) -> Around:
    """Counts each call of a layer inside of the model."""
    for layer in model._flatten_layers(include_self=False):
        if isinstance(layer, UNCOUNTED) or getattr(layer, "data_format", None) == "channels_first":
            known = "a model of convolutions and dense layers, channels last"
            raise invalid("model", known, f"{layer.name} ({type(layer).__name__})")

    def counted(path, layer, call, args, kwargs):
        outputs = call(*args, **kwargs)
        macs = _macs(layer, args, outputs)
        if macs:
            counts[path] += macs
        return outputs

    return counted


def _macs(layer, args, outputs):
    """Multiply-adds of one call, by the kernels that are the layer's own."""
    own = layer._trainable_variables + layer._non_trainable_variables
    kernels = [tuple(v.shape) for v in own if v.name in KERNELS]
    if not kernels:
        return 0
    read = keras.tree.flatten(args[0])
    if len(read) > 1:  # of several inputs a dense kernel reads the last
        places = tuple(read[-1].shape[1:-1])
    else:
        places = tuple((read[0] if isinstance(layer, TRANSPOSED) else outputs).shape[1:-1])
    return sum(math.prod(kernel) * _uses(kernel, places) for kernel in kernels)


def _uses(kernel, places):
    """How often each weight is used: at every place, or at its own if places share none."""
    unshared = len(kernel) > len(places) + 2 and kernel[: len(places)] == places
    return 1 if places and unshared else math.prod(places)
