"""Kernel layers: the layers that own kernels, in order of depth, and how far a step moves them."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np


class KernelLayer(NamedTuple):
    """A layer that owns kernels, under a name that sorts by depth: ``003_conv``."""

    name: str
    kernels: list[keras.Variable]


def is_kernel(variable: keras.Variable) -> bool:
    """Whether a variable connects units: a matrix or more; no bias, scale or offset."""
    return len(variable.shape) >= 2


def kernel_layers(model: keras.Model) -> list[KernelLayer]:
    """Return the layers that own the trainable kernels of a model, in order of depth.

    A cell owns its kernel and its recurrent kernel. The path names the owner; a path that
    comes again belongs to another layer of the same name, in another part of the model.
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
    return [
        KernelLayer(f"{depth:03d}_{owner}", kernels) for depth, (owner, kernels) in enumerate(owned)
    ]


class KernelStep:
    """Norms of the kernels of layers before a step, and of what the step added to them.

    Args:
        layers: What to measure, each by all of its kernels together.
    """

    def __init__(self, layers: Sequence[KernelLayer]) -> None:
        import tensorflow as tf

        kernels = [kernel for layer in layers for kernel in layer.kernels]
        owners = [index for index, layer in enumerate(layers) for _ in layer.kernels]
        lengths = [math.prod(kernel.shape) for kernel in kernels]
        dtype = "float64" if any(kernel.dtype == "float64" for kernel in kernels) else "float32"

        def joined():
            flat = [tf.reshape(kernel.value, [-1]) for kernel in kernels]
            return tf.concat([tf.cast(part, dtype) for part in flat], 0)

        def norms(flat):
            squares = [2.0 * tf.nn.l2_loss(part) for part in tf.split(flat, lengths)]
            return tf.sqrt(tf.math.segment_sum(tf.stack(squares), owners))

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
