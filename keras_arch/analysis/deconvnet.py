"""Deconvnet: what in an image excites a unit, shown by running the network backwards.

Zeiler, Fergus. Visualizing and Understanding Convolutional Networks.
ECCV 2014. https://arxiv.org/abs/1311.2901

    activation -> unpool by the image's switches -> ReLU -> transposed filters -> ... -> pixels

It is the gradient but for the ReLUs: a gradient passes where the *forward* signal was
positive, here the *backward* signal is rectified itself.
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from keras_arch import registry
from keras_arch.errors import invalid

Back = Callable[[Any], Any]  # a signal at a layer's output -> at its input


def deconvnet(
    model: keras.Model,
    x: Any,
    layer: str,
    channel: int | None = None,
    signal: Any = None,
) -> np.ndarray:
    """Project a layer's strongest activation back to the pixels.

    Between image and layer there may be ``Conv2D`` (linear or with ReLU), ``ReLU``,
    ``MaxPooling2D``, ``ZeroPadding2D``, ``BatchNormalization`` (its scale), ``Rescaling``,
    and what lets a signal pass: ``Identity``, ``Dropout`` and
    ``LocalResponseNormalization``, for which the paper names no inverse.

    Args:
        model: A functional model.
        x: Images, ``(B, H, W, C)``.
        layer: Name of a layer with a feature map, ``(B, h, w, c)``, to which one path leads.
        channel: The map whose strongest activation is shown; by default, for each image,
            the strongest of all.
        signal: What to project instead, of the shape of the layer's output.

    Returns:
        Reconstructions of shape ``(B, H, W, C)``, as a NumPy array.

    Raises:
        ValueError: If the model has no such layer, several paths or another kind of layer
            lead to it, or ``channel`` is none of it.

    Example:

    >>> model = keras_arch.models.VGG((1, 1), (4, 8), include_top=False, input_shape=(8, 8, 1))
    >>> deconvnet(model, keras.ops.ones((2, 8, 8, 1)), "stage2", channel=3).shape
    (2, 8, 8, 1)
    """
    y = ops.convert_to_tensor(x)
    backwards = []
    for each in _path(model, layer):
        y, back = _forward(each, y)
        backwards.append(back)
    if signal is None:
        signal = _strongest(y, channel)
    signal = ops.convert_to_tensor(signal, dtype=y.dtype)
    if signal.shape != y.shape:
        raise invalid("signal", f"the shape {tuple(y.shape)} of {layer!r}", tuple(signal.shape))
    for back in reversed(backwards):
        signal = back(signal)
    return ops.convert_to_numpy(signal)


def _path(model: keras.Model, name: str) -> list[keras.layers.Layer]:
    """The layers from the image to the named one."""
    names = [layer.name for layer in model.layers]
    if name not in names:
        raise invalid("layer", f"the name of a layer, such as {names[-3:]}", name)
    path: list[keras.layers.Layer] = []
    tensor = model.get_layer(name).output
    while True:
        operation, index, _ = tensor._keras_history
        if isinstance(operation, layers.InputLayer):
            return path[::-1]
        path.append(operation)
        before = operation._inbound_nodes[index].input_tensors
        if len(before) != 1:
            raise invalid("layer", f"one path from the image; {operation.name!r} joins some", name)
        (tensor,) = before


def _forward(layer: keras.layers.Layer, x: Any) -> tuple[Any, Back]:
    """What a layer answers, and how a signal comes back through it."""
    kind = type(layer)
    if kind is layers.MaxPooling2D:
        return _pool(layer, x)
    y = layer(x)
    activation = getattr(layer, "activation", None)
    rectify = {keras.activations.linear: lambda signal: signal, keras.activations.relu: ops.relu}
    if kind is layers.Conv2D and activation in rectify and set(layer.dilation_rate) == {1}:
        sizes = tuple(x.shape[1:3])
        return y, lambda signal: _transposed_convolution(rectify[activation](signal), layer, sizes)
    if kind is layers.Activation and activation in rectify:
        return y, rectify[activation]
    if kind is layers.ReLU and not (layer.max_value or layer.negative_slope or layer.threshold):
        return y, ops.relu
    if kind is layers.ZeroPadding2D:
        (top, bottom), (left, right) = layer.padding
        return y, lambda signal: signal[
            :, top : signal.shape[1] - bottom, left : signal.shape[2] - right
        ]
    if kind is layers.BatchNormalization:
        scale = ops.rsqrt(layer.moving_variance + layer.epsilon)
        scale = scale * layer.gamma if layer.scale else scale
        return y, lambda signal: signal * scale
    if kind is layers.Rescaling:
        return y, lambda signal: signal * layer.scale
    normalization = registry.get("LocalResponseNormalization", room="layers").target
    if kind in (layers.Identity, layers.Dropout, normalization):
        return y, lambda signal: signal
    raise invalid("layer", "a way through convolutions, ReLU and max pooling", layer)


def _pool(layer, x):
    """Max pooling and the unpooling by its switches."""
    pool, unpool = (
        registry.get(name, room="layers").target for name in ("MaxPoolWithIndices2D", "MaxUnpool2D")
    )
    y, switches = pool(layer.pool_size, layer.strides, layer.padding)(x)
    back = unpool(tuple(x.shape[1:3]))
    return y, lambda signal: back([signal, switches])


def _strongest(y, channel):
    """Zeros but for the largest activation of each image: ``(B, h, w, c)``, the same."""
    channels = y.shape[-1]
    if channel is not None:
        if not 0 <= channel < channels:
            raise invalid("channel", f"one of {channels}", channel)
        y = y * ops.one_hot(channel, channels, dtype=y.dtype)
    flat = ops.reshape(y, (y.shape[0], -1))
    largest = ops.one_hot(ops.argmax(ops.abs(flat), axis=-1), flat.shape[-1], dtype=y.dtype)
    return ops.reshape(flat * largest, y.shape)


def _transposed_convolution(signal: Any, layer: keras.layers.Conv2D, sizes: tuple[int, int]) -> Any:
    """The adjoint of a convolution: ``(B, h, w, c) -> (B, *sizes, C)``.

    Args:
        signal: At the convolution's output.
        layer: The convolution; its bias takes no part.
        sizes: Height and width of its input.
    """
    batch, *counts, channels = signal.shape
    pads = [(0, 0)]
    for size, count, window, stride in zip(
        sizes, counts, layer.kernel_size, layer.strides, strict=True
    ):
        reach = (count - 1) * stride + window
        before = max(reach - size, 0) // 2 if layer.padding == "same" else 0
        pads.append((window - 1 - before, size - (count - 1) * stride - 1 + before))
    # Zeros between the values, as many as the stride left out.
    rows, columns = layer.strides
    apart = ops.pad(
        ops.reshape(signal, (batch, counts[0], 1, counts[1], 1, channels)),
        [(0, 0), (0, 0), (0, rows - 1), (0, 0), (0, columns - 1), (0, 0)],
    )
    apart = ops.reshape(apart, (batch, counts[0] * rows, counts[1] * columns, channels))
    apart = apart[:, : (counts[0] - 1) * rows + 1, : (counts[1] - 1) * columns + 1]
    apart = ops.pad(apart, [*pads, (0, 0)])
    kernel = ops.transpose(ops.flip(layer.kernel, axis=(0, 1)), (0, 1, 3, 2))
    groups = layer.groups
    parts = zip(ops.split(apart, groups, axis=-1), ops.split(kernel, groups, axis=2), strict=True)
    return ops.concatenate(
        [ops.conv(part, filters, padding="valid") for part, filters in parts], axis=-1
    )
