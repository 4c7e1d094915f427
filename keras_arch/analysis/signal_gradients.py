"""Gradients at every layer, and the Jacobian, from passes as ``signal_flow`` makes them."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from keras_arch.analysis.jacobian import Moments
from keras_arch.analysis.signal_flow import Flow, kernels_of
from keras_arch.analysis.signal_pass import (
    Key,
    Tap,
    ends_in_probabilities,
    floats,
    is_float,
    pass_through,
)

Gradients = tuple[list[Any], dict[Key, Any]]
Function = Callable[[list[Any], Tap], Any]


class Spectrum(NamedTuple):
    """The Jacobian of outputs by inputs, example by example.

    Attributes:
        moments: Of its entries.
        singular_values: ``(examples, rows)``, the largest first.
        rows: How many outputs were differentiated,
        outputs: of how many.
        inputs: How many numbers they were differentiated by,
        source: and what these were: ``"inputs"``, or the layer that made them of integers.
    """

    moments: Moments
    singular_values: np.ndarray
    rows: int
    outputs: int
    inputs: int
    source: str


def flow_gradients(
    model: keras.Model,
    inputs: Any,
    flow: Flow,
    loss: Callable[[Any], Any] | None,
    training: bool,
    rng: np.random.Generator,
) -> tuple[dict[Key, np.ndarray], dict[int, float]]:
    """Return the gradient at each call, and its norm by each kernel, by ``id``."""
    kernels = list({id(v): v for c in flow.calls.values() for v in kernels_of(c.layer)}.values())
    weights = [rng.standard_normal(tuple(x.shape), dtype="float32") for x in flow.outputs]
    without = None if loss else _probabilities(flow)

    def scalar(leaves, tap):
        values = list(zip(kernels, leaves, strict=True))
        outputs = pass_through(model, inputs, tap, set(flow.calls), training, values, without)
        if loss:
            return ops.mean(ops.cast(loss(outputs), "float32"))
        return _projected(outputs, weights) / len(flow.outputs[0]) ** 0.5

    shapes = {key: (call.shape, call.dtype) for key, call in flow.calls.items()}
    by_kernel, by_call = differentiated(scalar, [v.value for v in kernels], shapes)
    norms = [float(np.linalg.norm(_array(g))) for g in by_kernel]
    return (
        {key: _array(gradient) for key, gradient in by_call.items()},
        dict(zip(map(id, kernels), norms, strict=True)),
    )


def flow_jacobian(
    model: keras.Model,
    inputs: Any,
    flow: Flow,
    rows: int,
    examples: int,
    rng: np.random.Generator,
) -> Spectrum | None:
    """Return the Jacobian at some examples of some outputs; ``None`` where it has no sense."""
    batch = len(keras.tree.flatten(inputs)[0])
    if any(len(x) != batch for x in flow.outputs):
        return None
    leaves = floats(inputs)
    made = next((key for key, c in flow.calls.items() if c.from_integers), None)
    if not leaves and (made is None or flow.calls[made].shape[0] != batch):
        return None
    sizes = [int(np.prod(x.shape[1:])) for x in flow.outputs]
    chosen = np.sort(rng.choice(sum(sizes), min(rows, sum(sizes)), replace=False))
    examples = min(examples, batch)
    tasks = [(example, row) for example in range(examples) for row in chosen]
    found = []
    together = min(batch, len(tasks))  # no more at once than the caller had room for
    for start in range(0, len(tasks), together):
        part = tasks[start : start + together]
        padded = part + part[:1] * (together - len(part))
        found.append(_rows(model, inputs, flow, padded, sizes, made)[: len(part)])
    whole = np.concatenate(found).reshape(examples, len(chosen), -1)
    mean, second, fourth = (float((whole**power).mean()) for power in (1, 2, 4))
    kurtosis = fourth / second**2 if second else float("nan")
    finite = np.isfinite(whole).all()
    return Spectrum(
        Moments(mean, second, fourth, kurtosis, whole.size),
        np.linalg.svd(whole, compute_uv=False) if finite else np.full(whole.shape[:2], np.nan),
        len(chosen),
        sum(sizes),
        whole.shape[2],
        "inputs" if leaves else flow.calls[made].path if made else "",
    )


def _rows(model, inputs, flow, tasks, sizes, made):
    """Rows of Jacobians, one a task: as many copies of examples, each with its own output."""
    taken = np.array([example for example, _ in tasks])
    inputs = keras.tree.map_structure(lambda x: ops.take(x, taken, axis=0), inputs)
    picked = np.zeros((len(tasks), sum(sizes)), "float32")
    picked[np.arange(len(tasks)), [row for _, row in tasks]] = 1.0
    weights = np.split(picked, np.cumsum(sizes)[:-1], axis=1)
    leaves = floats(inputs)
    shapes = {}
    if not leaves:
        call = flow.calls[made]
        shapes[made] = (len(tasks), *call.shape[1:]), call.dtype

    def scalar(leaves, tap):
        remaining = iter(leaves)
        x = keras.tree.map_structure(lambda x: next(remaining) if is_float(x) else x, inputs)
        without = _probabilities(flow)
        return _projected(
            pass_through(model, x, tap, set(shapes), False, flow.held, without), weights
        )

    by_leaf, by_call = differentiated(scalar, leaves, shapes)
    parts = by_leaf if leaves else list(by_call.values())
    return np.concatenate([_array(part).reshape(len(tasks), -1) for part in parts], axis=1)


def differentiated(
    function: Function, leaves: Sequence[Any], shapes: dict[Key, tuple[tuple[int, ...], str]]
) -> Gradients:
    """Return the gradient of a scalar by its leaves, and by each tensor that is tapped.

    Args:
        function: ``function(leaves, tap)`` calls ``tap(key, tensor)`` for every key.
        leaves: Tensors.
        shapes: Shape and dtype of what is tapped, by key.
    """
    if keras.backend.backend() == "jax":
        import jax

        def nudged(leaves, nudges):
            return function(leaves, lambda key, x: x + nudges[key])

        zeros = {key: ops.zeros(*shape) for key, shape in shapes.items()}
        return jax.grad(nudged, argnums=(0, 1))(list(leaves), zeros)
    import tensorflow as tf

    tapped: dict[Key, Any] = {}
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        leaves = [tf.identity(leaf) for leaf in leaves]
        tape.watch(leaves)

        def tap(key, x):
            tape.watch(x)
            tapped[key] = x
            return x

        scalar = function(leaves, tap)
    none = tf.UnconnectedGradients.ZERO
    by_leaf, by_tap = tape.gradient(scalar, (leaves, tapped), unconnected_gradients=none)
    return [tf.convert_to_tensor(gradient) for gradient in by_leaf], by_tap


def _probabilities(flow):
    return flow.last if ends_in_probabilities(flow.last) else None


def _projected(outputs, weights):
    pairs = zip(floats(outputs), weights, strict=True)
    return sum(ops.sum(ops.reshape(ops.cast(x, "float32"), np.shape(w)) * w) for x, w in pairs)


def _array(tensor):
    return ops.convert_to_numpy(ops.cast(tensor, "float32")).astype("float64")
