"""Receptive field: the pixels of the image that one unit of a layer can see.

Araujo, Norris, Sim. Computing Receptive Fields of Convolutional Neural Networks.
Distill 2019. https://distill.pub/2019/computing-receptive-fields

    units p ... q of a layer  <-  units p s - pad ... q s - pad + (k - 1) d of its input

A span of units is followed from the layer back to the image; where paths meet, the field
is the span of all of them.
"""

import math
from fractions import Fraction
from typing import NamedTuple

import keras

from keras_arch.analysis.footprint import TRANSPOSED, UPSAMPLING, footprint, unknown
from keras_arch.analysis.graph import axes, calls, is_graph
from keras_arch.errors import invalid


class ReceptiveField(NamedTuple):
    """What a unit of a layer sees of the image, along each axis.

    Attributes:
        layer: Name of the layer.
        size: Pixels from the first to the last that it can see.
        stride: Pixels from one unit's field to its neighbour's; below one after upsampling.
        offset: First pixel that unit 0 sees; below zero it lies in the padding.
    """

    layer: str
    size: tuple[int, ...]
    stride: tuple[int | float, ...]
    offset: tuple[int, ...]


def receptive_field(model: keras.Model, at: str | None = None) -> ReceptiveField:
    """Return the receptive field of a layer of any functional model.

    It is that of a unit far from the edges. A dilated kernel leaves pixels out between the
    first and the last. After upsampling fields differ from unit to unit: the size is the
    largest. Where a height or width is unknown, it is taken as a multiple of the strides.

    Args:
        model: A functional model of one image (or sequence, or volume), channels last.
        at: Name of a layer; by default the last that does not see the whole image, so a
            classifier's last feature map.

    Returns:
        A ``ReceptiveField``: ``layer``, ``size``, ``stride`` and ``offset``.

    Raises:
        ValueError: If there is no such layer, if it sees the whole image (global pooling,
            ``Dense`` after ``Flatten``, a squeeze-and-excitation, or what comes after
            them), or if a layer before it is of a kind that cannot be followed.

    Example:

    >>> model = keras_arch.models.VGG16(include_top=False)
    >>> receptive_field(model, "stage1").size
    (6, 6)
    >>> receptive_field(model)
    ReceptiveField(layer='stage5', size=(212, 212), stride=(32, 32), offset=(-90, -90))
    """
    nodes = calls(model)
    rank = len(model.inputs[0].shape) - 2
    if rank < 1:
        raise invalid("model", "a model of images, sequences or volumes", model.inputs[0].shape)
    lost = _lost(nodes, model.inputs, rank)
    if at is not None:
        return _field(model, nodes, lost, rank, at)
    read = {id(x) for node in nodes for x in node.input_tensors if id(node.outputs[0]) not in lost}
    ends = [
        node.operation.name
        for node in nodes
        if id(node.outputs[0]) not in lost and id(node.outputs[0]) not in read
    ]
    if not ends:
        raise invalid("model", "a model of which a layer sees a part of the image", model.name)
    fields = [_field(model, nodes, lost, rank, name) for name in ends]
    return max(fields, key=lambda field: field.size)


def _field(model, nodes, lost, rank, at):
    names = [layer.name for layer in model.layers]
    if at not in names:
        raise invalid("at", f"the name of a layer, such as {names[-6:]}", at)
    output = model.get_layer(at).output
    if id(output) in lost:
        raise invalid("at", f"a layer with a receptive field: {lost[id(output)]}", at)
    period = _period(nodes)

    def seen(place):
        spans = _walk(nodes, output, [(place, place)] * rank, rank)
        images = [spans[id(image)] for image in model.inputs if id(image) in spans]
        if len(images) != 1:
            raise invalid("at", f"a layer that sees one image, not {len(images)}", at)
        return images[0]

    *fields, again = [seen(place) for place in range(period + 1)]
    sizes = [[last - first + 1 for first, last in field] for field in fields]
    starts = [first for first, _ in fields[0]]
    strides = [Fraction(b[0] - a, period) for a, b in zip(starts, again, strict=True)]
    return ReceptiveField(
        at,
        tuple(max(size) for size in zip(*sizes, strict=True)),
        tuple(int(s) if s.denominator == 1 else float(s) for s in strides),
        tuple(starts),
    )


def _walk(nodes, output, spans, rank):
    """Spans of every tensor that those of ``output`` read, by ``id``."""
    found = {id(output): spans}
    for node in reversed(nodes):
        wanted = [x for x in node.outputs if id(x) in found]
        for tensor in node.input_tensors if wanted else ():
            reads = [_reads(node, tensor, x, found[id(x)], rank) for x in wanted]
            reads += [found[id(tensor)]] if id(tensor) in found else []
            found[id(tensor)] = [
                (min(first for first, _ in along), max(last for _, last in along))
                for along in zip(*reads, strict=True)
            ]
    return found


def _reads(node, tensor, output, spans, rank):
    """The spans of one input that the spans of an output read."""
    operation = node.operation
    if is_graph(operation):
        ours = dict(zip(map(id, node.outputs), operation.outputs, strict=True))
        inner = _walk(calls(operation), ours[id(output)], spans, rank)
        index = [id(x) for x in node.input_tensors].index(id(tensor))
        return inner.get(id(operation.inputs[index]), spans)
    inside, outside = axes(tensor.shape, rank), axes(output.shape, rank)
    rules = (footprint(operation, axis, inside[axis], outside[axis]) for axis in range(rank))
    return [rule(*span) for rule, span in zip(rules, spans, strict=True)]


def _period(nodes):
    """Units after which fields repeat, moved: a multiple of what upsampling does to one."""
    factors = {}
    for node in nodes:
        layer = node.operation
        up = layer.size if isinstance(layer, UPSAMPLING) else 1
        up = layer.strides if isinstance(layer, TRANSPOSED) else up
        own = math.lcm(*([up] if isinstance(up, int) else up))
        own *= _period(calls(layer)) if is_graph(layer) else 1
        before = math.lcm(*(factors.get(id(x), 1) for x in node.input_tensors))
        factors.update(dict.fromkeys(map(id, node.outputs), before * own))
    return max(factors.values(), default=1)


def _lost(nodes, inputs, rank):
    """Tensors without a receptive field, by ``id``, with the reason."""
    lost = {}
    for node in nodes:
        inherited = [lost[id(x)] for x in node.input_tensors if id(x) in lost]
        reason = inherited[0] if inherited else _reason(node, rank)
        if reason:
            lost.update(dict.fromkeys(map(id, node.outputs), reason))
    return lost


def _reason(node, rank):
    """Why what a call gives has no receptive field, or ``None``."""
    layer = node.operation
    if not is_graph(layer):
        return unknown(node, rank)
    inner = _lost(calls(layer), layer.inputs, rank)
    return next((inner[id(x)] for x in layer.outputs if id(x) in inner), None)
