"""Signal report: can this network be trained? What one batch tells, before training and in it.

    batch -> layer -> layer -> ... -> outputs       mean, variance, dead and saturated units
          <- layer <- layer <- ... <- loss          norms of gradients, the Jacobian

Glorot, Bengio. Understanding the Difficulty of Training Deep Feedforward Neural Networks.
AISTATS 2010. https://proceedings.mlr.press/v9/glorot10a.html

Hanin. Which Neural Net Architectures Give Rise to Exploding and Vanishing Gradients?
NeurIPS 2018. https://arxiv.org/abs/1801.03744

Pennington, Schoenholz, Ganguli. Resurrecting the Sigmoid in Deep Learning through Dynamical
Isometry. NeurIPS 2017. https://arxiv.org/abs/1711.04735
"""

import dataclasses
import os
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_arch.analysis import signal_events, signal_picture, signal_table
from keras_arch.analysis.signal_findings import findings_of
from keras_arch.analysis.signal_flow import observe, refuse_unbuilt
from keras_arch.analysis.signal_gradients import Spectrum, flow_gradients, flow_jacobian
from keras_arch.analysis.signal_layers import LayerSignal, layer_signals
from keras_arch.analysis.signal_pass import floats, is_float
from keras_arch.analysis.signal_verdict import diagnose, verdict
from keras_arch.analysis.widths import Widths, check_widths, hidden_widths
from keras_arch.errors import invalid


@dataclasses.dataclass(frozen=True)
class SignalReport:
    """What ``signal_report`` found. ``print`` shows it as a table.

    Attributes:
        model: Name of the model.
        examples: Size of the batch.
        layers: In the order of the data flow.
        jacobian: Moments and singular values of the input-output Jacobian; ``None`` where
            the model has no output for each example.
        widths: Hanin's sum over the widths, and the moments that it predicts of a plain
            network of ReLU and He's law; ``None`` without kernels.
        diagnosis: One word: ``"healthy"``, ``"vanishing"``, ``"exploding"``, ``"vanishing
            gradients"``, ``"exploding gradients"``, ``"dead"``, ``"saturated"`` or
            ``"not finite"``.
        verdict: The same in plain words, with the cure where there is one.
    """

    model: str
    examples: int
    layers: tuple[LayerSignal, ...]
    jacobian: Spectrum | None
    widths: Widths | None
    diagnosis: str
    verdict: str

    def __str__(self) -> str:
        return self.table(limit=40)

    def table(self, limit: int | None = None) -> str:
        """Return the table, of at most so many layers, evenly chosen."""
        return signal_table.table(self, limit)

    def plot(self, path: str | os.PathLike | None = None) -> Any:
        """Return a picture as a matplotlib figure, and write it if there is a path."""
        return signal_picture.plot(self, path)

    def write(self, log_dir: str | os.PathLike) -> None:
        """Write curves over the layers, picture, spectrum and verdict for TensorBoard.

        The step of a curve is the number of the layer: runs lie over each other there.

        Args:
            log_dir: Directory of the run.
        """
        signal_events.write(self, log_dir)


def signal_report(
    model: keras.Model,
    batch: Any,
    loss: Callable[[Any], Any] | None = None,
    training: bool = True,
    rows: int = 32,
    examples: int = 2,
    seed: int = 0,
) -> SignalReport:
    """Observe a batch on its way through a model, and its gradients on their way back.

    Every layer that is called is shown, also those in other layers and models; recurrent
    ones step by step. What happens inside of a compiled loop is not seen but for its
    result. Nothing of the model changes.

    Args:
        model: Any built model.
        batch: What the model takes, two examples or more; some dozens are better.
        loss: ``loss(outputs)`` gives the loss whose gradients are shown. By default they
            are those of a random projection of the outputs, which have the size of the
            Jacobian: its norm on average. A softmax or sigmoid at the very end is then left
            out, since losses take logits.
        training: Whether batch normalization takes the statistics of the batch, as in
            training, or its moving averages. Dropout rests either way. For the Jacobian
            the statistics are held: examples do not depend on one another there.
        rows: The Jacobian is that of so many outputs, chosen at random; of all if there are
            no more.
        examples: The Jacobian is taken at so many examples.
        seed: Of projection and choice.

    Returns:
        ``SignalReport``.

    Raises:
        ValueError: If the model is not built, or gives no floating-point numbers for each
            example; or the batch has fewer than two examples, or only ones that are alike,
            or other shapes than the model, or numbers that are not finite.

    Example:

    >>> inputs = keras.Input((64,))
    >>> x = inputs
    >>> for block in range(50):
    ...     law = keras_arch.initializers.FanInUniform(seed=block)
    ...     x = keras.layers.Dense(64, use_bias=False, kernel_initializer=law)(x)
    >>> report = signal_report(keras.Model(inputs, x), keras.random.normal((32, 64), seed=0))
    >>> report.diagnosis
    'vanishing'
    >>> report.verdict.split(":")[0]
    'Variance falls by 0.33 a layer'
    """
    refuse_unbuilt(model)
    for name, value in (("rows", rows), ("examples", examples)):
        if value < 1:
            raise invalid(name, "a positive number", value)
    inputs, count = _checked(model, batch)
    rng = np.random.default_rng(seed)
    flow = observe(model, inputs, training)
    if not flow.outputs:
        raise invalid("model", "one that gives floating-point numbers for each example", model)
    if not flow.calls:
        raise invalid("model", "one whose layers give floating-point numbers", model)
    gradients, by_kernel = flow_gradients(model, inputs, flow, loss, training, rng)
    found = tuple(layer_signals(flow, gradients, by_kernel))
    jacobian = flow_jacobian(model, inputs, flow, rows, examples, rng)
    widths = _widths(model, jacobian)
    findings = findings_of(flow, found, widths)
    return SignalReport(
        model.name, count, found, jacobian, widths, diagnose(findings), verdict(findings)
    )


def _checked(model, batch):
    """The batch as tensors, and its size."""
    try:
        inputs = keras.tree.map_structure(_tensor, batch)
    except (TypeError, ValueError) as error:
        raise invalid("batch", "arrays of numbers", type(batch).__name__) from error
    found = keras.tree.flatten(inputs)
    sizes = {x.shape[0] if len(x.shape) else None for x in found}
    if len(sizes) != 1 or None in sizes or min(sizes) < 2:
        shapes = [tuple(x.shape) for x in found]
        raise invalid("batch", "at least two examples, as many in each array", shapes)
    expected = getattr(model, "inputs", None)
    if expected:
        wanted = [tuple(x.shape) for x in expected]
        shapes = [tuple(x.shape) for x in found]
        if len(shapes) != len(wanted) or not all(map(_fits, shapes, wanted)):
            raise invalid("batch", f"arrays of the shapes {wanted}", shapes)
    if not all(bool(ops.all(ops.isfinite(x))) for x in floats(inputs)):
        raise invalid("batch", "finite numbers", "NaN or infinity")
    if all(bool(ops.all(ops.equal(x, x[:1]))) for x in found):
        raise invalid("batch", "examples that differ", f"{sizes.pop()} that are all alike")
    return inputs, sizes.pop()


def _tensor(array):
    tensor = ops.convert_to_tensor(array)
    if keras.backend.standardize_dtype(tensor.dtype) == "string":
        raise TypeError("strings")
    return ops.cast(tensor, keras.config.floatx()) if is_float(tensor) else tensor


def _fits(shape, wanted):
    pairs = zip(shape[1:], wanted[1:], strict=False)
    return len(shape) == len(wanted) and all(w in (None, s) for s, w in pairs)


def _widths(model, jacobian):
    try:
        hidden = hidden_widths(model)
    except ValueError:  # no kernels
        return None
    inputs, outputs = (jacobian.inputs, jacobian.outputs) if jacobian else (1, 1)
    return check_widths((inputs, *hidden, outputs))
