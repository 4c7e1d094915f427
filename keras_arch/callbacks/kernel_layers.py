"""Kernel layers: the layers that own kernels, in order of depth, and how far a step moves them."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np

SHOWN = 50  # layers of a stack, its first and its last among them


class KernelLayer(NamedTuple):
    """A layer that owns kernels, under a name that sorts by depth: ``003_conv``.

    One of a stack of layers owns a part of its kernels, along their first axis: ``place``.
    """

    name: str
    kernels: list[keras.Variable]
    place: int | None = None


def is_stacked(variable: keras.Variable) -> bool:
    """Whether the first axis of a variable counts layers: its name says so."""
    return variable.name.startswith("stacked_")


def is_kernel(variable: keras.Variable) -> bool:
    """Whether a variable connects units: a matrix or more; no bias, scale or offset."""
    return len(variable.shape) - is_stacked(variable) >= 2


def kernel_layers(model: keras.Model) -> list[KernelLayer]:
    """Return the layers that own the trainable kernels of a model, in order of depth.

    A cell owns its kernel and its recurrent kernel. The path names the owner; a path that
    comes again belongs to another layer of the same name, in another part of the model. A
    stack counts as its layers (``stage1/0042``); of a deep one, ``SHOWN`` are returned.
    """
    owned: list[tuple[str, list[keras.Variable]]] = []
    current: dict[str, list[keras.Variable]] = {}
    for variable in filter(is_kernel, model.trainable_variables):
        owner = variable.path.rpartition("/")[0].removeprefix(f"{model.name}/")
        kernels = current.get(owner)
        if kernels is None or any(other.path == variable.path for other in kernels):
            current[owner] = kernels = []
            owned.append((owner, kernels))
        kernels.append(variable)
    found: list[tuple[int, str, list[keras.Variable], int | None]] = []
    depth = 0
    for owner, kernels in owned:
        layers = kernels[0].shape[0] if is_stacked(kernels[0]) else 1
        if is_stacked(kernels[0]):
            for place in np.unique(np.linspace(0, layers - 1, min(layers, SHOWN)).astype(int)):
                name = f"{owner}/{place:0{len(str(layers - 1))}d}"
                found.append((depth + int(place), name, kernels, int(place)))
        else:
            found.append((depth, owner, kernels, None))
        depth += layers
    digits = max(3, len(str(depth - 1)))
    return [
        KernelLayer(f"{at:0{digits}d}_{name}", kernels, place) for at, name, kernels, place in found
    ]


def sums_of_squares(kernel: keras.Variable, flat: Any) -> Any:
    """Return that of a kernel, ``(1,)``, or of each of a stack, from its elements in a row."""
    import tensorflow as tf

    if is_stacked(kernel):
        return tf.reduce_sum(tf.reshape(flat, (kernel.shape[0], -1)) ** 2, axis=1)
    return 2.0 * tf.nn.l2_loss(flat)[None]


class KernelStep:
    """Norms of the kernels of layers before a step, and of what the step added to them.

    Args:
        layers: What to measure, each by all of its kernels together.
    """

    def __init__(self, layers: Sequence[KernelLayer]) -> None:
        import tensorflow as tf

        kernels = list({id(kernel): kernel for x in layers for kernel in x.kernels}.values())
        lengths = [math.prod(kernel.shape) for kernel in kernels]
        dtype = "float64" if any(kernel.dtype == "float64" for kernel in kernels) else "float32"
        owners = []  # of each sum of squares; none of the layers of a stack that are not shown
        for kernel in kernels:
            owner = [-1] * (kernel.shape[0] if is_stacked(kernel) else 1)
            for index, layer in enumerate(layers):
                if any(kernel is other for other in layer.kernels):
                    owner[layer.place or 0] = index
            owners += owner

        def joined():
            flat = [tf.reshape(kernel.value, [-1]) for kernel in kernels]
            return tf.concat([tf.cast(part, dtype) for part in flat], 0)

        def norms(flat):
            parts = zip(kernels, tf.split(flat, lengths), strict=True)
            squares = tf.concat([sums_of_squares(*part) for part in parts], 0)
            return tf.sqrt(tf.math.unsorted_segment_sum(squares, owners, len(layers)))

        def measured(before):
            before, after = tf.cast(before, tf.float64), tf.cast(joined(), tf.float64)
            return tf.stack([norms(before), norms(after - before)])

        # One tensor end to end: a call on a tensor for each kernel costs more than the norms.
        self._joined = tf.function(joined, autograph=False)
        self._measured = tf.function(measured, autograph=False)

    def begin(self) -> None:
        """Keep the kernels as they are before the step."""
        self._before: Any = self._joined()

    def end(self) -> np.ndarray:
        """Return the norms after the step, ``(2, layers)``: kernels, update."""
        return self._measured(self._before).numpy()
