"""Kernel layers: the layers that own kernels, in order of depth."""

from typing import NamedTuple

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
