"""Gradient recorder: decides which steps of a training are watched, and what becomes of them."""

import functools
import logging
import os
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np

from keras_arch.callbacks import hyperparameters
from keras_arch.callbacks.alarms import Alarms
from keras_arch.callbacks.depth_map import DepthMap
from keras_arch.callbacks.event_log import EventLog
from keras_arch.callbacks.flow_record import FlowReader, FlowRecord
from keras_arch.callbacks.kernel_layers import kernel_layers
from keras_arch.callbacks.optimizers import held_optimizers
from keras_arch.callbacks.tensor_norms import BINS, HIGHEST, LOWEST, PARTS
from keras_arch.callbacks.watched_step import WatchedStep

logger = logging.getLogger(__name__)

LINEAR = {"clipping", "activation_mean", "dead_fraction"}  # all else spans decades
OVERFLOWS = 5  # in a row, which a dynamic loss scale may need to find its size
ENDS = np.linspace(LOWEST - 1 / PARTS, HIGHEST + 1 / PARTS, BINS + 1)  # of histograms
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
        hparams: What runs are compared by, besides what the model tells.
        summary: What the last record says of the whole, brought up to date.
    """

    def __init__(
        self,
        log_dir: str,
        every: int,
        model: keras.Model,
        alarms: Alarms,
        hparams: Mapping[str, Any],
        summary: dict[str, float],
    ) -> None:
        self.every = every
        self.model = model
        self.log = EventLog(os.path.join(log_dir, "gradient_flow"), "gradient flow", CHARTS)
        self.failed = False
        self.watched: Any = None  # the WatchedStep, once there is one
        self.summary = summary
        self._alarms = alarms
        self._hparams = hparams
        self._opened = False  # the run among those of the tab "HParams"
        self._map = DepthMap()
        self._drawn = True  # nothing new to draw
        self._reader: FlowReader | None = None
        self._steps = 0  # of the optimizer, done so far
        self._counted = False  # at least once
        self._guessed = False  # since then, by the steps that were run
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
        """Have steps of the training run through the watched step."""
        self.watched = watched
        watched.begin(self.attempt)

    def count_steps(self) -> None:
        """Read how many steps the optimizer has done, which may wait for the last of them."""
        value = _value_in_training(self.model, self._optimizer._iterations)
        self._steps = int(keras.ops.convert_to_numpy(value))
        self._counted, self._guessed = True, False

    def before_step(self) -> None:
        """Have the coming step watched, where it is one to be recorded."""
        if not self.watched.is_of(self.model):  # a callback stands in, maybe to pass steps over
            self._counted = False
            return
        if self.model.run_eagerly and not self.model.built:  # its layers have no depth yet
            return
        if self._counted and not self._is_due():
            return
        if self._guessed or not self._counted:  # what skips an update stays at its iteration
            self.count_steps()
        if self._is_due():
            self.watched.arm()

    def after_step(self) -> None:
        """Log what was watched, if the step was."""
        if self.watched is None or not self.watched.measured:
            self._steps += self.model.steps_per_execution
            self._guessed = True
            return
        coming = self._updates
        self.count_steps()  # the last execution of an epoch may be short of steps
        step = max(coming, self._updates - 1)  # an update that was skipped will be taken again
        if self._reader is None or not self._reader.is_current:
            self._reader = FlowReader(self.watched, kernel_layers(self.model))
        with np.errstate(all="ignore"):  # zeros and infinities are to be seen
            record = self._reader.read(step)
            self.watched.measured = {}
            said = self._alarms.raised_by(record, self._patience())
            texts = {"alarms": "\n\n".join(self._alarms.words)} if said else {}
            if step != self._logged or said:  # a step that overflowed is taken again
                self._logged = step
                self.log.write(record.step, tagged(record), histograms(record), texts)
                if norms := record.scalars.get("gradient_norm"):
                    self._map.add(record.step, norms)
                    self._drawn = False
            self.summary.update(summary(record))
        for words in said:
            logger.warning("%s", words)

    def end_epoch(self, logs: Mapping[str, Any]) -> None:
        """Log what runs are compared by, and the map so far.

        Args:
            logs: What Keras says of the epoch.
        """
        self.count_steps()
        numbers = {key: float(value) for key, value in {**logs, **self.summary}.items()}
        scalars = {f"epoch/{key}": value for key, value in numbers.items()}
        if not self._opened:
            self._opened = True
            hparams = {**hyperparameters.facts(self.model), **self._hparams}
            opening = hyperparameters.session(hparams, list(scalars), self.log.file.directory)
            self.log.append(self._steps, opening)
        self.log.write(self._steps, scalars)
        self.log.file.flush()
        if not self._drawn:
            self._drawn = True
            self.log.write(self._steps, images={"gradient_map": self._map.png()})
            self.log.file.flush()

    def close(self) -> None:
        """End the record of this training."""
        if self._opened:
            self.log.append(self._steps, hyperparameters.end())
        self.log.file.close()

    @property
    def _updates(self):
        """How many updates the steps so far have made."""
        return self._steps // self._accumulated

    @property
    def _accumulated(self):
        return self._optimizer.gradient_accumulation_steps or 1

    def _is_due(self):
        """Whether the coming execution may make an update that is to be recorded."""
        last = (self._steps + self.model.steps_per_execution) // self._accumulated - 1
        return last // self.every > (self._updates - 1) // self.every

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


def summary(record: FlowRecord) -> dict[str, float]:
    """Return what a record says of the whole: how much smaller the first gradient is, the dead."""
    norms = list(record.scalars.get("gradient_norm", {}).values())
    deads = list(record.scalars.get("dead_fraction", {}).values())
    found = (
        {"log10_first_to_last_gradient": float(np.log10(np.divide(norms[0], norms[-1])))}
        if norms
        else {}
    )
    return {**found, **({"most_dead_units": max(deads)} if deads else {})}


def histograms(record: FlowRecord) -> dict[str, np.ndarray]:
    """Return the histograms of a record by tag, each bin with its ends."""
    return {
        f"log10_gradient/{name}": np.stack([ENDS[:-1], ENDS[1:], counts], axis=1)
        for name, counts in record.magnitudes.items()
    }


def _value_in_training(model, variable):
    """Return the value of an optimizer's variable: JAX takes them all away while it trains."""
    state = getattr(model, "_jax_state", None)
    if not state or model._jax_state_synced:
        return variable.value
    places = [i for i, v in enumerate(model.optimizer.variables) if v is variable]
    return state["optimizer_variables"][places[0]]
