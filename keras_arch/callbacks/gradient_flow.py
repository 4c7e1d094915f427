"""Gradient flow: how the gradient fares from layer to layer, seen in TensorBoard.

A net learns where gradients arrive: neither vanished nor exploded, and large enough for the
weights to move (about a thousandth of their size in a step), in its first layer as in its
last. Layers that are initialised to keep the variance of the signal keep that of its
gradient: Glorot, Bengio. Understanding the difficulty of training deep feedforward neural
networks. AISTATS 2010. https://proceedings.mlr.press/v9/glorot10a.html
"""

import os
from collections.abc import Mapping
from typing import Any

import keras

from keras_arch.callbacks.alarms import Alarms
from keras_arch.callbacks.gradient_recorder import GradientRecorder
from keras_arch.callbacks.watched_step import WatchedStep
from keras_arch.errors import invalid, require_backend


class GradientFlow(keras.callbacks.Callback):
    """Logs what the gradient of each layer does, step by step, to TensorBoard.

    The numbers are those of the training step itself, not computed again: of the gradients
    as they reach the optimizer, before clipping and accumulation, with a loss scale divided
    out, summed over the replicas of ``tf.distribute``. A layer is one that owns a kernel;
    its biases count in the groups and in the global norm. Training with this callback gives
    the same weights, bit for bit, as training without it, checkpoints do not change, and
    nothing that goes wrong here stops a training: it is logged once.

    The steps that are recorded run in a second form of the training step, which Keras
    compiles like the first; the other steps are untouched, and cost nothing.

    What spans decades is logged as decimal logarithm, which a linear axis can show. A zero
    is then ``-inf``; NaN and infinity stay what they are. The tags, with the depth of the
    layer in front of its name so that they sort:

    - ``log10_gradient_norm/003_name``: norm of the gradient of the layer's kernels;
    - ``log10_weight_norm/003_name``: norm of the kernels before the step;
    - ``log10_update_ratio/003_name``: norm of what the step added, over that of the kernels;
    - ``log10_group_gradient_norm/bias`` and so on: the same three of all variables of one
      name: kernels, biases, scales;
    - ``log10_global_gradient_norm/optimizer``: norm of the gradient of all variables, for
      each optimizer that the model holds, by the name of the attribute;
    - ``clipping/optimizer``: the share of this norm that clipping leaves, if it clips;
    - ``activation_mean/003_name``, ``log10_activation_variance/003_name``,
      ``dead_fraction/003_name``: of what nonlinear layers put out, and of their units those
      that answer all examples of the batch alike.

    The tab "Custom Scalars" draws each kind as one chart with a line for each layer, the tab
    "Images" all gradient norms in one map of depth by step. Alarms in words go to the tab
    "Text", to the log, and into ``alarms``. After each epoch, what Keras says of it is logged
    as ``epoch/loss`` and so on, for the tab "HParams".

    A record's step is the optimizer's iterations before the update, so a resumed run goes
    on where the first one stopped. With ``gradient_accumulation_steps`` the record is of
    the step that updates, and of the gradient of its batch (clipping: of the mean). With
    ``steps_per_execution`` it is of the last step of an execution. On JAX, activations are
    seen in Keras's own training step only, not in one of the model's. A step that runs eagerly
    and builds the model is not recorded. A training takes one ``GradientFlow``.

    Args:
        log_dir: Directory of the run; the records go into its folder ``gradient_flow``.
        every: Steps from record to record: at iterations 0, ``every``, ``2 * every`` ...
        histograms: Whether to log histograms of ``log10 |gradient|``, one a layer.
        activations: Whether to log means, variances and dead units.
        hparams: What to compare runs by in the tab "HParams", besides name, size, depth and
            initializer of the model, its optimizer and learning rate.

    Attributes:
        alarms: What was found wrong, in words that name the layer.

    Raises:
        ValueError: If ``every`` is not a positive integer; when training begins, if it has
            another ``GradientFlow``.
        RuntimeError: If Keras runs neither on TensorFlow nor on JAX.

    Example:

    >>> GradientFlow("logs/densenet", every=50).every
    50
    """

    def __init__(
        self,
        log_dir: str | os.PathLike,
        every: int = 10,
        histograms: bool = False,
        activations: bool = True,
        hparams: Mapping[str, bool | int | float | str] | None = None,
    ) -> None:
        super().__init__()
        require_backend("`GradientFlow`", "tensorflow", "jax")
        if not isinstance(every, int) or every < 1:
            raise invalid("every", "a positive integer", every)
        self.log_dir = os.fspath(log_dir)
        self.every = every
        self.histograms = histograms
        self.activations = activations
        self.hparams = dict(hparams or {})
        self.summary: dict[str, float] = {}  # of the last record; an exact restart keeps it
        self._alarms = Alarms()
        self._recorder: Any = None  # of the training that runs
        self._watched: Any = None  # kept for the next training: it need not be compiled again

    @property
    def alarms(self) -> list[str]:
        return self._alarms.words

    def on_train_begin(self, logs: dict | None = None) -> None:
        training = {} if self.params is None else self.params  # its callbacks share this one
        if training.setdefault("gradient_flow", id(self)) != id(self):
            raise invalid("callbacks", "at most one `GradientFlow` in a training", "another one")
        self._recorder = GradientRecorder(
            self.log_dir, self.every, self.model, self._alarms, self.hparams, self.summary
        )
        self._recorder.attempt(self._watch)

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self._recorder.attempt(self._recorder.count_steps)

    def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        self._recorder.attempt(self._recorder.before_step)

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self._recorder.attempt(self._recorder.after_step)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self._recorder.attempt(self._recorder.end_epoch, logs or {})

    def on_train_end(self, logs: dict | None = None) -> None:
        self._recorder.attempt(self._recorder.close)
        self._recorder = None

    def flush(self) -> None:
        """Hand the records so far to the operating system."""
        if self._recorder is not None:
            self._recorder.attempt(self._recorder.log.file.flush)

    def _watch(self):
        WatchedStep.disarm(self.model)
        if self._watched is None or not self._watched.is_of(self.model):
            self._watched = WatchedStep(self.model, self.histograms, self.activations)
        self._recorder.watch(self._watched)

    def __getstate__(self):
        """Copies begin anew: what belongs to a training is not copied."""
        return {**vars(self), "_recorder": None, "_watched": None, "_model": None}
