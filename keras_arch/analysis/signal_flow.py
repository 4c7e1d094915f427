"""One pass through a model as training makes it, seen from within, and nothing is changed.

    tensors -> layer -> layer -> ... -> outputs
                 |        |
               statistics, and the gradient that comes back

Batch normalization takes the statistics of the batch, as in training, or holds those of an
earlier pass; dropout rests. Recurrent layers are unrolled, so that each step is seen.
"""

import dataclasses
import weakref
from collections import Counter
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from keras_arch.analysis.signal_pass import Key, floats, is_float, passed
from keras_arch.analysis.signal_statistics import (
    RECTIFIERS,
    Slope,
    Statistics,
    activations_of,
    statistics,
)
from keras_arch.errors import invalid
from keras_arch.replaced import replaced

MOVED = (  # they hand the same numbers on
    layers.Flatten,
    layers.Reshape,
    layers.Permute,
    layers.RepeatVector,
    layers.ZeroPadding1D,
    layers.ZeroPadding2D,
    layers.ZeroPadding3D,
    layers.Cropping1D,
    layers.Cropping2D,
    layers.Cropping3D,
)


@dataclasses.dataclass
class Call:
    """One call of a layer.

    Attributes:
        path: Names of the layer and of those that it is part of.
        layer: Who was called.
        shape: Of what it gave.
        dtype: Of the same.
        given: Statistics of what it gave.
        taken: Statistics of what it was given, where it has kernels.
        flat: Fraction of activations at which its activation is flat; NaN where it has none.
        bounded: Whether that activation is flat at both ends.
        from_integers: Whether it read no floating-point numbers.
        step_of: Path of the recurrent layer of which this is a step, if it is one.
    """

    path: str
    layer: Any
    shape: tuple[int, ...]
    dtype: str
    given: Statistics
    taken: Statistics | None
    flat: float
    bounded: bool
    from_integers: bool
    step_of: str | None


@dataclasses.dataclass
class Flow:
    """What a pass has shown.

    Attributes:
        calls: In the order of the data flow.
        held: Mean and variance that batch normalization took from the batch.
        outputs: The floating-point outputs.
        last: The layer whose call gave the only output, if one did.
    """

    calls: dict[Key, Call]
    held: list[tuple[keras.Variable, Any]]
    outputs: list[Any]
    last: keras.layers.Layer | None


def kernels_of(layer: keras.layers.Layer) -> list[keras.Variable]:
    """The matrices that a layer itself owns, those of its inner layers left out."""
    own = layer._trainable_variables + layer._non_trainable_variables
    return [v for v in own if len(v.shape) >= 2 and is_float(v) and "bias" not in v.name]


def observe(model: keras.Model, inputs: Any, training: bool) -> Flow:
    """Let a batch through, and measure the signal at every layer."""
    calls: dict[Key, Call] = {}
    held: list[tuple[keras.Variable, Any]] = []
    counts: Counter[str] = Counter()
    seen: dict[int, tuple[Any, Any]] = {}  # by a tensor's id: a reference, and its layer
    slopes: dict[int, Slope] = {}
    flats: list[list[tuple[int, float, bool]]] = []  # of the calls under way
    recurrent: dict[str, layers.RNN] = {}  # by path

    def measured(slope, z):
        if flats and _has_values(z) and is_float(z):
            flats[-1].append((int(np.prod(z.shape)), slope.flat(z), slope.bounded))

    def wrapped(phi):
        slope = slopes.setdefault(id(phi), Slope(phi))

        def activate(z, *args, **kwargs):
            if slope.elementwise:
                measured(slope, z)
            return phi(z, *args, **kwargs)

        return activate

    def around(path, layer, call, args, kwargs):
        key = path, counts[path]
        counts[path] += 1
        if isinstance(layer, layers.RNN):
            recurrent[path] = layer
        sources = floats(args) or floats(kwargs)
        readable = bool(sources) and _has_values(sources[0])
        taken = statistics(sources[0]) if readable and kernels_of(layer) else None
        if training and readable and isinstance(layer, layers.BatchNormalization):
            held.extend(_batch_statistics(layer, sources[0]))
            kwargs = {**kwargs, "training": True}
        flats.append([])
        before = len(calls)
        try:
            outputs = call(*args, **kwargs)
            if isinstance(layer, RECTIFIERS) and readable:
                measured(slopes.setdefault(id(layer), Slope(call)), sources[0])
        finally:
            own = flats.pop()
        given = floats(outputs)
        outer = recurrent.get(path.rpartition("/")[0])
        trial = outer is not None and outer.cell is not layer  # by Keras, of a part of the cell
        if not given or isinstance(layer, MOVED) or not _has_values(given[0]) or trial:
            return outputs
        if isinstance(layer, layers.RNN) and len(calls) > before:
            return outputs  # its cell has shown every step
        if _maker(seen, given[0]) or any(given[0] is x for x in sources):
            return outputs  # an inner layer gave it, or it is what came in
        seen[id(given[0])] = weakref.ref(given[0]), layer
        size = sum(count for count, _, _ in own)
        calls[key] = Call(
            path,
            layer,
            tuple(given[0].shape),
            keras.backend.standardize_dtype(given[0].dtype),
            statistics(given[0]),
            taken,
            sum(count * flat for count, flat, _ in own) / size if size else float("nan"),
            bool(own) and all(bounded for _, _, bounded in own),
            not floats((args, kwargs)),
            next((outer for outer in recurrent if path.startswith(f"{outer}/")), None),
        )
        return outputs

    owners = [model, *model._flatten_layers(include_self=False)]
    taps = [
        (layer, name, wrapped(phi))
        for layer in {id(owner): owner for owner in owners}.values()
        for name, phi in activations_of(layer).items()
    ]
    taps += [(layer, "build", _refuse) for layer in owners if not layer.built]
    with replaced(taps):
        outputs = passed(model, inputs, around, values=[])
    given = floats(outputs)
    return Flow(calls, held, given, _maker(seen, given[0]) if len(given) == 1 else None)


def _maker(seen, tensor):
    """The layer that gave a tensor, which may be gone and its place in memory another's."""
    reference, layer = seen.get(id(tensor), (lambda: None, None))
    return layer if reference() is tensor else None


def _batch_statistics(layer, x):
    axes = [axis for axis in range(len(x.shape)) if axis != layer.axis % len(x.shape)]
    if not layer.trainable:
        return []
    mean, variance = ops.moments(ops.cast(x, "float32"), axes=axes)
    return [(layer.moving_mean, mean), (layer.moving_variance, variance)]


def _has_values(tensor):
    """Whether a tensor is more than the trace of one."""
    if keras.backend.backend() == "jax":
        import jax

        return not isinstance(tensor, jax.core.Tracer)
    return hasattr(tensor, "numpy")


def refuse_unbuilt(model: Any) -> None:
    """Raise where there is no model that could be observed."""
    if not isinstance(model, keras.Model):
        raise invalid("model", "a keras.Model", model)
    if not model.built:
        _refuse(model)


def _refuse(what):
    """In place of ``build``: a layer that a model never calls may stay as it is."""
    raise invalid("model", "a built model: call it once, or give it an Input", what)
