"""BatchNormalization as what it is when nobody trains: a scale and a shift of each channel.

    x -> [conv W, b] -> [norm] -> ReLU       norm(x) = s * x + t,  s = gamma / sqrt(var + eps)
    x -> [conv s W, s b + t] -> ReLU                               t = beta - s * mean

Into the layer before it, where nothing else reads that layer's outputs, it vanishes without a
trace; elsewhere (before a convolution, after a concatenation) one multiplication and one addition
are left of it. Keras computes four operations, and the root, at each request.
"""

from collections import Counter

import keras
import numpy as np
from keras import layers

from keras_arch.export.copying import Part, copied, nodes, plain, same

# How the last kernel of a layer, in its own layout, is scaled by channel of its output.
_SCALED = {
    **dict.fromkeys(  # (..., inputs, outputs); of a separable convolution the pointwise one
        [
            *(layers.Dense, layers.Conv1D, layers.Conv2D, layers.Conv3D),
            *(layers.SeparableConv1D, layers.SeparableConv2D),
        ],
        lambda kernel, scale: kernel * scale,
    ),
    **dict.fromkeys(  # (..., outputs, inputs)
        [layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose],
        lambda kernel, scale: kernel * scale[:, None],
    ),
    **dict.fromkeys(  # (..., inputs, multiplier)
        [layers.DepthwiseConv1D, layers.DepthwiseConv2D],
        lambda kernel, scale: kernel * scale.reshape(kernel.shape[-2:]),
    ),
}


def fold(model: keras.Model) -> keras.Model:
    """Return a copy of a model without BatchNormalization, for inference alone.

    Args:
        model: As ``copying.plain`` gives it; stays as it is. Models inside of it are folded too.

    Returns:
        A model of the same answers, up to round-off. What normalizes along another axis than
        the last, or asks for the statistics of the batch, stays.
    """
    into, alone, gone = _planned(model)

    def part(layer):
        if id(layer) in gone:
            return Part(lambda x, *_, **__: x)
        if id(layer) in into:
            return _holding(layer, *into[id(layer)])
        if id(layer) in alone:
            scale, shift = (value.astype("float32") for value in alone[id(layer)])
            line = layers.Rescaling(scale, shift, name=layer.name, dtype=layer.dtype_policy)
            return Part(lambda x, *_, **__: line(x))
        inside = plain(layer)
        return inside and Part(fold(inside))

    return copied(model, part)


def _planned(model):
    """Scale and shift of layers that take in norms, and of norms that stay; norms that go."""
    calls, uses = {}, Counter(map(id, model.outputs))
    for node in nodes(model):
        calls.setdefault(id(node.operation), []).append(node)
        uses.update(map(id, node.input_tensors))
    into, alone, gone = {}, {}, set()

    def holder(tensor):
        """The layer that what is done to this tensor can be folded into."""
        while uses[id(tensor)] == 1:
            operation = tensor._keras_history.operation
            if len(calls.get(id(operation), ())) != 1:  # an input, or shared weights
                return None
            if _can_hold(operation):
                return operation
            (node,) = calls[id(operation)]
            if id(operation) not in gone and not _does_nothing(node):
                return None
            tensor = node.input_tensors[0]
        return None

    for node in nodes(model):
        norm = node.operation
        if id(norm) in alone or not all(_is_line(call) for call in calls[id(norm)]):
            continue
        scale, shift = _line(norm)
        host = holder(node.input_tensors[0]) if len(calls[id(norm)]) == 1 else None
        if host is None:
            alone[id(norm)] = scale, shift
        else:
            first, then = into.get(id(host), (1.0, 0.0))
            into[id(host)] = first * scale, then * scale + shift
            gone.add(id(norm))
    return into, alone, gone


def _is_line(node):
    """Whether a call is of a norm that gives ``s * x + t``, with one of each to a channel."""
    norm = node.operation
    if type(norm) is not layers.BatchNormalization or _trains(node):
        return False
    return norm.axis in (-1, len(node.input_tensors[0].shape) - 1)


def _trains(node):
    given = node.arguments  # both norms and dropout take it second
    return bool(given.kwargs.get("training") or any(given.args[1:2]))


def _does_nothing(node):
    layer = node.operation
    if type(layer) is layers.Dropout:
        return not _trains(node)
    return type(layer) is layers.Identity or (
        type(layer) is layers.Activation and layer.activation is keras.activations.linear
    )


def _can_hold(layer):
    return (
        type(layer) in _SCALED
        and layer.activation is keras.activations.linear
        and getattr(layer, "data_format", "channels_last") == "channels_last"
        and not getattr(layer, "lora_enabled", False)
        and layer.quantization_mode is None
    )


def _line(norm):
    """Scale and shift of each channel, in float64."""
    mean, variance, gamma, beta = (
        fallback if weight is None else keras.ops.convert_to_numpy(weight).astype("float64")
        for weight, fallback in (
            (norm.moving_mean, 0.0),
            (norm.moving_variance, 1.0),
            (norm.gamma, 1.0),
            (norm.beta, 0.0),
        )
    )
    scale = gamma / np.sqrt(variance + norm.epsilon)
    return scale, beta - scale * mean


def _holding(layer, scale, shift):
    """The layer with a norm in its weights."""
    weights = layer.get_weights()
    bias = weights.pop() if layer.use_bias else 0.0
    weights[-1] = _SCALED[type(layer)](weights[-1], scale)
    weights.append(bias * scale + shift)
    return Part(same(layer, use_bias=True), weights)
