"""Gradient recorder: reads the taps of a training at some of its steps, and logs them."""

import logging
import math
import os
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from keras_arch.callbacks.event_log import EventLog
from keras_arch.callbacks.gradient_taps import GradientTaps
from keras_arch.callbacks.kernel_layers import KernelLayer, KernelStep, kernel_layers

logger = logging.getLogger(__name__)

CHARTS = {
    "gradient norm of each layer (log10)": r"^log10_gradient_norm/",
    "update : weight of each layer (log10)": r"^log10_update_ratio/",
    "weight norm of each layer (log10)": r"^log10_weight_norm/",
    "gradient norm of all variables (log10)": r"^log10_global_gradient_norm/",
}


class GradientRecorder:
    """What ``GradientFlow`` needs while one training runs.

    Args:
        log_dir: Directory of the run.
        every: Iterations from record to record.
        model: Model in training.
    """

    def __init__(self, log_dir: str, every: int, model: keras.Model) -> None:
        self.every = every
        self.model = model
        self.log = EventLog(os.path.join(log_dir, "gradient_flow"), "gradient flow", CHARTS)
        self._taps = GradientTaps(model, self.attempt)
        self._failed = False
        self._layers: list[KernelLayer] = []
        self._last_step = -1
        self._due = False  # whether the step that runs will be recorded
        self._step: KernelStep | None = None  # its measure, once the model is built

    def attempt(self, action: Callable[..., None], *arguments: Any) -> None:
        """Do something for the record; once that failed, say so and do nothing more."""
        if self._failed:
            return
        try:
            action(*arguments)
        except Exception:
            self._failed = True
            logger.warning("GradientFlow records no more; training goes on.", exc_info=True)

    def attach(self) -> None:
        """Have the training step traced anew, with taps on the optimizers."""
        import tensorflow as tf

        if self.model.distribute_strategy.num_replicas_in_sync > 1:
            raise NotImplementedError("Gradients of several replicas are not recorded.")
        if not self._taps.optimizers:
            raise ValueError("The model holds no optimizer as an attribute.")
        model, taps = self.model, self._taps
        model.train_function = None
        model.make_train_function()
        untapped = model.train_function

        def train_function(iterator):
            try:
                with taps.attached():
                    return untapped(iterator)
            except (StopIteration, tf.errors.OutOfRangeError):  # the end of an epoch
                raise
            except BaseException:  # Keras calls no callback then
                model.train_function = None
                raise

        model.train_function = train_function

    def before_step(self) -> None:
        """Keep the kernels, where the coming step will be recorded."""
        done, to_be_done = self._updates()
        step = to_be_done - 1
        # An optimizer that skips an update (loss scaling) stays at its iteration.
        if step // self.every == (done - 1) // self.every or step == self._last_step:
            return
        self._last_step = step
        self._due = True
        if self._step is None and all(layer.built for layer in self.model.layers):
            self._find_layers()
        if self._step is not None:
            self._step.begin()

    @np.errstate(divide="ignore", invalid="ignore")  # zeros and infinities are to be seen
    def after_step(self) -> None:
        """Log the step, if it is one to be recorded."""
        if not self._due:
            return
        self._due = False
        scalars = {}
        if self._step is None:  # it has built the model: too late to measure its kernels
            self._find_layers()
        else:
            for layer, weight, update in zip(self._layers, *self._step.end(), strict=True):
                scalars[f"weight_norm/{layer.name}"] = weight
                scalars[f"update_ratio/{layer.name}"] = np.divide(update, weight)
        of_kernels, of_optimizers = self._taps.read()
        for layer in self._layers:
            kernels = (kernel for kernel in layer.kernels if id(kernel) in of_kernels)
            norms = [of_kernels[id(kernel)][layer.place or 0] for kernel in kernels]
            if norms:
                scalars[f"gradient_norm/{layer.name}"] = math.hypot(*norms)
        for attribute, norm in of_optimizers.items():
            scalars[f"global_gradient_norm/{attribute}"] = norm
        self.log.write(
            self._last_step, {f"log10_{tag}": np.log10(value) for tag, value in scalars.items()}
        )

    def _updates(self):
        """Return the updates before and after the coming step, which with accumulation are few."""
        optimizers = self._taps.optimizers
        optimizer = optimizers.get("optimizer") or next(iter(optimizers.values()))
        optimizer = getattr(optimizer, "inner_optimizer", optimizer)
        accumulated = optimizer.gradient_accumulation_steps or 1
        steps = int(optimizer._iterations)
        return steps // accumulated, (steps + self.model.steps_per_execution) // accumulated

    def _find_layers(self):
        self._layers = kernel_layers(self.model)
        if self._layers:
            self._step = KernelStep(self._layers)
