"""Gradient recorder: decides which steps of a training are watched, and what becomes of them."""

import functools
import logging
import os
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from keras_arch.callbacks.alarms import Alarms
from keras_arch.callbacks.event_log import EventLog
from keras_arch.callbacks.flow_record import FlowRecord
from keras_arch.callbacks.kernel_layers import KernelLayer, kernel_layers
from keras_arch.callbacks.optimizers import held_optimizers
from keras_arch.callbacks.tensor_norms import BINS, HIGHEST, LOWEST, PARTS
from keras_arch.callbacks.watched_step import WatchedStep

logger = logging.getLogger(__name__)

LINEAR = {"clipping", "activation_mean", "dead_fraction"}  # all else spans decades
OVERFLOWS = 5  # in a row, which a dynamic loss scale may need to find its size
CHARTS = {
    "gradient norm of each layer (log10)": r"^log10_gradient_norm/",
    "update : weight of each layer (log10)": r"^log10_update_ratio/",
    "weight norm of each layer (log10)": r"^log10_weight_norm/",
    "gradient norm of all variables (log10)": r"^log10_global_gradient_norm/",
    "what clipping leaves of the gradient norm": r"^clipping/",
    "gradient norm of each weight group (log10)": r"^log10_group_gradient_norm/",
    "update : weight of each weight group (log10)": r"^log10_group_update_ratio/",
    "weight norm of each weight group (log10)": r"^log10_group_weight_norm/",
    "mean of activations": r"^activation_mean/",
    "variance of activations (log10)": r"^log10_activation_variance/",
    "dead units": r"^dead_fraction/",
}


class GradientRecorder:
    """What ``GradientFlow`` needs while one training runs.

    Args:
        log_dir: Directory of the run.
        every: Updates from record to record.
        model: Model in training.
        alarms: Says what is wrong with a record.
    """

    def __init__(self, log_dir: str, every: int, model: keras.Model, alarms: Alarms) -> None:
        self.every = every
        self.model = model
        self.log = EventLog(os.path.join(log_dir, "gradient_flow"), "gradient flow", CHARTS)
        self.failed = False
        self.watched: WatchedStep | None = None
        self._alarms = alarms
        self._layers: list[KernelLayer] = []
        self._steps = 0  # of the optimizer, done so far
        self._step = -1  # the last one that was watched
        self._logged = -1

    def attempt(self, action: Callable[..., Any], *arguments: Any) -> Any:
        """Do something for the record; once that failed, say so and do nothing more."""
        if self.failed:
            return None
        try:
            return action(*arguments)
        except Exception:
            self.failed = True
            logger.warning("GradientFlow records no more; training goes on.", exc_info=True)
            return None

    def watch(self, watched: WatchedStep) -> None:
        """Have the training run through the watched step."""
        self.watched = watched
        watched.install(self.attempt)

    def count_steps(self) -> None:
        """Read how many steps the optimizer has done, which may wait for the last of them."""
        value = _value_in_training(self.model, self._optimizer._iterations)
        self._steps = int(keras.ops.convert_to_numpy(value))

    def before_step(self) -> None:
        """Have the coming step watched, where it is one to be recorded."""
        if self._due() is None:
            return
        self.count_steps()  # an optimizer that skips an update stays at its iteration
        step = self._due()
        if step is not None:
            self._step = step
            self.watched.due = True

    def after_step(self) -> None:
        """Log what was watched, if the step was."""
        self._steps += self.model.steps_per_execution
        if self.watched is None or not self.watched.measured:
            return
        if not self._layers:
            self._layers = kernel_layers(self.model)
        with np.errstate(all="ignore"):  # zeros and infinities are to be seen
            record = FlowRecord(self._step, self.watched, self._layers)
            self.watched.measured = {}
            said = self._alarms.raised_by(record, self._patience())
            texts = {"alarms": "\n\n".join(self._alarms.words)} if said else {}
            if self._step != self._logged or said:  # a step that overflowed is taken again
                self._logged = self._step
                self.log.write(record.step, tagged(record), histograms(record), texts)
        for words in said:
            logger.warning("%s", words)

    def close(self) -> None:
        """End the record of this training."""
        self.log.close()

    def _due(self):
        """Return the number of the coming update, if it is to be recorded; else None."""
        accumulated = self._optimizer.gradient_accumulation_steps or 1
        done = self._steps // accumulated
        step = (self._steps + self.model.steps_per_execution) // accumulated - 1
        if step // self.every == (done - 1) // self.every:
            return None
        return step

    @functools.cached_property
    def _optimizer(self):
        """The optimizer that counts the steps: the first one of several."""
        optimizers = held_optimizers(self.model)
        optimizer = optimizers.get("optimizer") or next(iter(optimizers.values()), None)
        if optimizer is None:
            raise ValueError("The model holds no optimizer as an attribute.")
        return getattr(optimizer, "inner_optimizer", optimizer)

    def _patience(self):
        scales = isinstance(self.model.optimizer, keras.optimizers.LossScaleOptimizer)
        return OVERFLOWS if scales else 1


def tagged(record: FlowRecord) -> dict[str, float]:
    """Return the scalars of a record by tag, as decimal logarithms where they span decades."""
    return {
        f"{kind}/{name}" if kind in LINEAR else f"log10_{kind}/{name}": (
            value if kind in LINEAR else np.log10(value)
        )
        for kind, rows in record.scalars.items()
        for name, value in rows.items()
    }


def histograms(record: FlowRecord) -> dict[str, np.ndarray]:
    """Return the histograms of a record by tag, each bin with its ends."""
    ends = np.linspace(LOWEST - 1 / PARTS, HIGHEST + 1 / PARTS, BINS + 1)
    return {
        f"log10_gradient/{name}": np.stack([ends[:-1], ends[1:], counts], axis=1)
        for name, counts in record.magnitudes.items()
    }


def _value_in_training(model, variable):
    """Return the value of an optimizer's variable: JAX takes them all away while it trains."""
    state = getattr(model, "_jax_state", None)
    if not state or model._jax_state_synced:
        return variable.value
    places = [i for i, v in enumerate(model.optimizer.variables) if v is variable]
    return state["optimizer_variables"][places[0]]
