"""What each layer of a model gives, and the gradient that it gets, as rows of a report."""

import dataclasses
import math
from collections.abc import Iterator, Mapping

import numpy as np

from keras_arch.analysis.signal_flow import Flow, kernels_of
from keras_arch.analysis.signal_kernels import KernelLaw, kernel_law
from keras_arch.analysis.signal_pass import Key


@dataclasses.dataclass(frozen=True)
class Steps:
    """A recurrent layer by time step, in the order in which it takes them; arrays ``(T,)``."""

    mean: np.ndarray
    variance: np.ndarray
    dead: np.ndarray
    saturation: np.ndarray
    gradient: np.ndarray


@dataclasses.dataclass(frozen=True)
class LayerSignal:
    """What a layer gives, and the gradient that it gets.

    Attributes:
        name: Path of the layer; a layer that is called again has ``#2`` behind it.
        kind: Its class.
        units: Size of its last axis.
        dtype: Type of the activations.
        mean: Of all activations.
        variance: Of all activations.
        variation: Variance between examples, at one place and unit: what is left of the
            differences of the inputs.
        dead: Fraction of units whose activation is the same everywhere.
        saturation: Fraction of activations where the slope of the activation is less than
            a tenth of its steepest; with ReLU, of those that are off. NaN without one.
        bounded: Whether the activation is flat at both ends.
        gradient: Norm of the gradient by the activations.
        kernel_gradient: Norm of the gradient by the layer's kernels; NaN without them.
        laws: What the layer's kernels look like.
        arrives: Variance of what arrives at a layer with kernels, else NaN.
        variation_arrives: The same between examples.
        all_alike: Whether what arrives is the same for all examples but for rounding.
        steps: By time step, in recurrent layers.
    """

    name: str
    kind: str
    units: int
    dtype: str
    mean: float
    variance: float
    variation: float
    dead: float
    saturation: float
    bounded: bool
    gradient: float
    kernel_gradient: float
    laws: tuple[KernelLaw, ...]
    arrives: float
    variation_arrives: float
    all_alike: bool
    steps: Steps | None


def layer_signals(
    flow: Flow, gradients: Mapping[Key, np.ndarray], by_kernel: Mapping[int, float]
) -> Iterator[LayerSignal]:
    """Yield what each layer gives, the calls of a cell in one recurrent layer together.

    Args:
        flow: What a pass has shown.
        gradients: The gradient at each call.
        by_kernel: Norm of the gradient by each kernel, by ``id``.
    """
    groups: dict[tuple[str, int | str], list] = {}
    for key, call in flow.calls.items():
        place = call.step_of if call.step_of is not None else key[1]
        groups.setdefault((call.path, place), []).append((call, gradients[key]))
    for (path, place), members in groups.items():
        calls = [call for call, _ in members]
        layer, first = calls[0].layer, calls[0]
        norms = np.array([np.linalg.norm(gradient) for _, gradient in members])
        kernels = kernels_of(layer)
        given = np.array([call.given for call in calls])
        mean, square, _, variation, dead, _ = given.mean(axis=0).tolist()
        flat = np.array([call.flat for call in calls])
        taken = [call.taken for call in calls if call.taken is not None]
        yield LayerSignal(
            name=path if isinstance(place, str) or not place else f"{path}#{place + 1}",
            kind=type(layer).__name__,
            units=first.shape[-1],
            dtype=first.dtype,
            mean=mean,
            variance=square - mean**2,
            variation=variation,
            dead=dead,
            saturation=float(flat.mean()),
            bounded=first.bounded,
            gradient=float(np.sqrt((norms**2).mean())),
            kernel_gradient=math.hypot(*(by_kernel[id(v)] for v in kernels))
            if kernels
            else math.nan,
            laws=tuple(kernel_law(layer, kernel) for kernel in kernels),
            arrives=float(np.mean([x.variance for x in taken])) if taken else math.nan,
            variation_arrives=float(np.mean([x.variation for x in taken])) if taken else math.nan,
            all_alike=bool(taken) and all(x.is_constant for x in taken),
            steps=Steps(given[:, 0], given[:, 2], given[:, 4], flat, norms)
            if first.step_of is not None
            else None,
        )
