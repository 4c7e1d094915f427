"""Gradient paths: the ways on which a gradient comes back, and how much of it takes each.

He, Zhang, Ren, Sun. Identity Mappings in Deep Residual Networks.
ECCV 2016. https://arxiv.org/abs/1603.05027

Veit, Wilber, Belongie. Residual Networks Behave Like Ensembles of Relatively Shallow Networks.
NeurIPS 2016. https://arxiv.org/abs/1605.06431

    x_L = x_0 + F_1(x_0) + F_2(x_1) + ...      the identity path, and what is added on it
    gradient = sum over lengths k of the gradient by the paths that pass k kernels

Wherever a tensor is read twice, paths part. Back-propagation adds what comes back on all of
them; here it is kept apart by the number of layers with kernels that it passed: ``n`` blocks
``x + w x`` have ``C(n, k)`` paths of length ``k``, which bring ``C(n, k) w^k``.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from keras_arch.analysis.graph import calls, unfolded
from keras_arch.analysis.path_gradients import (
    array,
    batch_values,
    gradients_by_length,
    has_kernel,
    norm,
)
from keras_arch.analysis.signal_pass import is_float
from keras_arch.errors import invalid


class GradientPaths(NamedTuple):
    """The paths from one layer to another. Lengths are layers with kernels on the way.

    Attributes:
        paths: How many there are, by length.
        identity: How many of them change nothing, but for what is added to them: the end is
            so many times the start,
        added: and the outputs of these layers, so many times each. Empty without such a path.
        identity_error: The largest difference between the end and this sum, in units of the
            end's largest number; ``None`` without a batch or without such a path.
        gradients: Norm at the start of the gradient that comes by the paths of each length;
            ``None`` without a batch.
        gradient: Norm of their sum, which is the gradient; ``None`` without a batch.
    """

    paths: Mapping[int, int]
    identity: int
    added: Mapping[str, int]
    identity_error: float | None
    gradients: Mapping[int, float] | None
    gradient: float | None


def gradient_paths(
    model: keras.Model,
    start: str | None = None,
    end: str | None = None,
    batch: Any = None,
    seed: int = 0,
) -> GradientPaths:
    """Count the paths between two layers of a functional model, and measure what they carry.

    A layer is one step for each tensor that it reads, whatever is inside of it; a model
    within the model is followed. With a batch, the gradient of a random projection of the
    end is taken by the output of the start: its norm is on average that of the Jacobian. It
    is that of inference, so dropout rests and normalization takes its moving averages. A
    network of ``K`` kernels on its longest path costs ``K`` passes back. Nothing of the
    model changes.

    Args:
        model: A functional model.
        start: Name of the layer from whose output paths go; by default the input.
        end: Name of the layer to whose output they go; by default the model's output.
        batch: What the model takes.
        seed: Of the projection.

    Returns:
        ``GradientPaths``.

    Raises:
        ValueError: If the model has no graph, several inputs or outputs and no layer is
            named, a layer is unknown, no path leads from start to end, or a gradient is
            asked for by integers.

    Example:

    >>> inputs = x = keras.Input((4,))
    >>> for block in range(3):
    ...     x = keras.layers.Add()([x, keras.layers.Dense(4, name=f"branch{block}")(x)])
    >>> found = gradient_paths(keras.Model(inputs, x))
    >>> found.paths
    {0: 1, 1: 3, 2: 3, 3: 1}
    >>> found.identity, found.added
    (1, {'branch0': 1, 'branch1': 1, 'branch2': 1})
    """
    nodes = calls(model)
    first = _tensor(model, nodes, "start", start)
    last = _tensor(model, nodes, "end", end)
    place = {id(tensor): index for index, tensor in enumerate(model.inputs)}
    names = [tensor.name for tensor in model.inputs]
    steps = unfolded(nodes, place, names)
    first_place, last_place = place[id(first)], place[id(last)]
    paths = _paths(steps, first_place)
    if last_place not in paths:
        raise invalid("end", f"a layer to which a path leads from {names[first_place]!r}", end)
    terms = _terms(steps, first_place, last_place)
    identity = terms.get(first_place, 0)
    added: Counter[str] = Counter()
    for term, times in terms.items() if identity else ():
        added[names[term]] += times if term != first_place else 0
    error = norms = whole = None
    if batch is not None:
        if not is_float(first):
            raise invalid("start", "a layer that gives floating-point numbers", start)
        values = batch_values(model, steps, batch)
        back = gradients_by_length(steps, values, paths, first_place, last_place, seed)
        norms = {length: norm(back[length]) for length in sorted(back)}
        whole = norm(sum(back.values()))
        if identity:
            error = _lack(values, terms, last_place)
    counts = dict(sorted(paths[last_place].items()))
    return GradientPaths(counts, identity, dict(+added), error, norms, whole)


def _tensor(model, nodes, argument, name):
    """The output of the layer of a name, or what the model as a whole has there."""
    if name is None:
        found = model.inputs if argument == "start" else model.outputs
    else:
        named = {x._keras_history.operation.name: [x] for x in model.inputs}
        named |= {node.operation.name: node.outputs for node in nodes}  # of several calls, the last
        if name not in named:
            raise invalid(argument, f"the name of a layer, such as {list(named)[-6:]}", name)
        found = named[name]
    if len(found) != 1:
        raise invalid(argument, "the name of a layer that gives one tensor", name)
    return found[0]


def _paths(steps, first):
    """How many paths lead from ``first`` to each place, by length."""
    paths = {first: Counter({0: 1})}
    for step in steps:
        own = int(has_kernel(step.operation))
        arriving = Counter()
        for place, times in step.often.items():
            for length, count in paths.get(place, {}).items():
                arriving[length + own] += times * count
        if arriving:
            paths.update(dict.fromkeys(step.gives, arriving))
    return paths


def _terms(steps, first, last):
    """The places that ``last`` is a sum of, and how many times each."""
    terms = {first: Counter({first: 1})}
    for step in steps:
        if any(place in terms for place in step.often) and _adds(step):
            total = Counter()
            for place, times in step.often.items():
                for term, count in terms.get(place, {place: 1}).items():
                    total[term] += times * count
            terms[step.gives[0]] = total
    return terms.get(last, Counter({last: 1}))


def _adds(step):
    """Whether a call gives the sum of what it reads: an addition, an identity, dropout at rest.

    It is asked: whole numbers are added without rounding, at any precision.
    """
    tensors = step.arguments.keras_tensors
    sizes = {tuple(2 if n is None else n for n in x.shape) for x in tensors}
    weights = getattr(step.operation, "weights", ())
    if len(sizes) != 1 or len(step.gives) != 1 or weights or not all(map(is_float, tensors)):
        return False
    (size,) = sizes
    rng = np.random.default_rng(0)
    arrays = {place: rng.integers(-32, 33, size).astype("float32") for place in step.often}
    expected = sum(times * arrays[place] for place, times in step.often.items())
    dtypes = {step.reads[id(x)]: x.dtype for x in tensors}
    given = {place: ops.convert_to_tensor(x, dtypes[place]) for place, x in arrays.items()}
    with keras.StatelessScope(collect_losses=True):  # the model stays as it is
        found = array(step(given)[0])
    return found.shape == expected.shape and bool((found == expected).all())


def _lack(values, terms, last):
    """How far ``last`` is from the sum of its terms."""
    end = array(values[last])
    total = sum(times * array(values[term]) for term, times in terms.items())
    return float(np.abs(end - total).max() / (np.abs(end).max() or 1.0))
