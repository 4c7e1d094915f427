"""Footprint: which places of its input a layer reads for some of its output.

What a convolution, pooling, padding or upsampling reads is known, and what a layer of
one's own with ``kernel_size`` or ``pool_size`` should read; any other gives each place from
the same place. All but the stock ones are asked once, with a NaN in one place, whether it
arrives where it should.
"""

import operator
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from keras_arch.analysis.graph import axes

Span = tuple[int, int]  # the first and the last place along an axis

PADDING = (layers.ZeroPadding1D, layers.ZeroPadding2D, layers.ZeroPadding3D)
CROPPING = (layers.Cropping1D, layers.Cropping2D, layers.Cropping3D)
UPSAMPLING = (layers.UpSampling1D, layers.UpSampling2D, layers.UpSampling3D)
TRANSPOSED = (layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose)
STOCK = (
    *(*PADDING, *CROPPING, *UPSAMPLING, *TRANSPOSED),
    *(layers.Conv1D, layers.Conv2D, layers.Conv3D, layers.DepthwiseConv1D, layers.DepthwiseConv2D),
    *(layers.SeparableConv1D, layers.SeparableConv2D),
    *(layers.MaxPooling1D, layers.MaxPooling2D, layers.MaxPooling3D),
    *(layers.AveragePooling1D, layers.AveragePooling2D, layers.AveragePooling3D),
)
RECURRENT = (layers.ConvLSTM1D, layers.ConvLSTM2D, layers.ConvLSTM3D)  # time is an axis too


def footprint(
    layer: Any, axis: int, inside: int | None, outside: int | None
) -> Callable[[int, int], Span]:
    """What places ``first`` to ``last`` read along an axis: ``(first, last) -> span``.

    Args:
        layer: A layer or operation.
        axis: Which axis, counted from the first after the batch.
        inside: Size of the input along it.
        outside: Size of the output along it.
    """

    def sizes(name, default):
        value = getattr(layer, name, None) or default
        return value if isinstance(value, int) else tuple(value)[axis]

    if isinstance(layer, (*PADDING, *CROPPING)):
        amount = layer.padding if isinstance(layer, PADDING) else layer.cropping
        before = amount[axis][0] if isinstance(amount[0], Sequence) else amount[0]
        shift = -before if isinstance(layer, PADDING) else before
        return lambda first, last: (first + shift, last + shift)
    if isinstance(layer, UPSAMPLING):
        size = sizes("size", 1)
        if getattr(layer, "interpolation", "nearest") == "nearest":
            return lambda first, last: (first // size, last // size)
        return lambda first, last: (
            (2 * first + 1 - size) // (2 * size),
            -((size - 1 - 2 * last) // (2 * size)),
        )
    if not (hasattr(layer, "kernel_size") or hasattr(layer, "pool_size")):
        # Place by place; a single place is read by all.
        single = inside == 1 and outside != 1
        return lambda first, last: (0, 0) if single else (first, last)
    window = sizes("kernel_size" if hasattr(layer, "kernel_size") else "pool_size", 1)
    stride = sizes("strides", window if hasattr(layer, "pool_size") else 1)
    dilation = sizes("dilation_rate", 1)
    reach = (window - 1) * dilation
    transposed = isinstance(layer, TRANSPOSED)
    small, large = (inside, outside) if transposed else (outside, inside)
    padding = getattr(layer, "padding", "valid")
    before = reach if padding == "causal" else 0
    if padding == "same":
        if small is None or large is None:
            small, large = 1, stride  # a multiple of the stride
        before = max((small - 1) * stride + reach + 1 - large, 0) // 2
    if transposed:
        return lambda first, last: (
            -((reach - first - before) // stride),
            (last + before) // stride,
        )
    return lambda first, last: (first * stride - before, last * stride - before + reach)


def unknown(node: Any, rank: int) -> str | None:
    """Say why the footprint of a call is not known, or ``None`` if it is.

    Args:
        node: Keras's node of the call.
        rank: Axes of the image.
    """
    layer = node.operation
    said = f"the layer {layer.name!r} ({type(layer).__name__})"
    cannot = f"what {said} reads is not known"
    if getattr(layer, "data_format", None) == "channels_first" or isinstance(layer, RECURRENT):
        return cannot
    if getattr(layer, "interpolation", "nearest") not in ("nearest", "bilinear"):
        return cannot
    if isinstance(layer, TRANSPOSED) and any(map(operator.lt, layer.kernel_size, layer.strides)):
        return cannot  # nothing, for some places
    if type(layer) in STOCK:
        return None
    answers = {answer for x in node.input_tensors for answer in _answers(node, x, rank)}
    if "everywhere" in answers:
        return f"{said} sees the whole image"
    return cannot if "elsewhere" in answers else None


def _answers(node, tensor, rank):
    """Whether a change of one place of an input arrives as ``"expected"``, or elsewhere."""
    shapes = {id(x): [5 if n is None else n for n in x.shape[1:]] for x in node.input_tensors}
    inside = axes((None, *shapes[id(tensor)]), rank)
    if inside is None:
        return ["elsewhere"]
    thirds = [(size - 1) // 3 for size in inside]  # no diagonal: a transposition would keep it
    thirds = [
        n - 1 - at if axis % 2 else at
        for axis, (at, n) in enumerate(zip(thirds, inside, strict=True))
    ]
    places = [tuple(size // 2 for size in inside), tuple(thirds)]
    arrays = {key: np.ones((1 + 2 * len(places), *s), "float32") for key, s in shapes.items()}
    for index, place in enumerate(places):  # a zero weight hides a number, a maximum a NaN
        arrays[id(tensor)][(1 + 2 * index, *place)] = 100.0
        arrays[id(tensor)][(2 + 2 * index, *place)] = np.nan
    with keras.StatelessScope(collect_losses=True):  # the model stays as it is
        args, kwargs = node.arguments.fill_in(
            {key: ops.convert_to_tensor(array) for key, array in arrays.items()}
        )
        outputs = keras.tree.flatten(node.operation(*args, **kwargs))
    return [_answer(node.operation, places, inside, output, rank) for output in outputs]


def _answer(layer, places, inside, output, rank):
    values = np.asarray(ops.convert_to_numpy(output), "float32")
    outside = axes(values.shape, rank)
    if outside is None:
        return "everywhere"
    changed = ~np.isclose(values, values[0], rtol=1e-3, atol=1e-6, equal_nan=False)
    changed = changed.any(axis=tuple(range(rank + 1, changed.ndim)))
    reached = changed[1::2] | changed[2::2]
    expected = np.ones((len(places),), bool)
    for axis in range(rank):
        rule = footprint(layer, axis, inside[axis], outside[axis])
        spans = [rule(p, p) for p in range(outside[axis])]
        sees = [[first <= place[axis] <= last for first, last in spans] for place in places]
        sees = np.reshape(sees, (len(places), *(1,) * axis, -1))
        expected = expected[..., None] & sees
    if expected.any() and (reached == expected).all():
        return "expected"
    return "everywhere" if reached.all() else "elsewhere"
