"""Gradient flow: how the gradient fares from layer to layer, seen in TensorBoard.

A net learns where gradients arrive: neither vanished nor exploded, and large enough for the
weights to move (about a thousandth of their size in a step), in its first layer as in its
last. Layers that are initialised to keep the variance of the signal keep that of its
gradient: Glorot, Bengio. Understanding the difficulty of training deep feedforward neural
networks. AISTATS 2010. https://proceedings.mlr.press/v9/glorot10a.html
"""

import os
from typing import Any

import keras

from keras_arch.callbacks.backend import require_tensorflow
from keras_arch.callbacks.gradient_recorder import GradientRecorder
from keras_arch.errors import invalid


class GradientFlow(keras.callbacks.Callback):
    """Logs gradient norm, weight norm and update ratio of each layer to TensorBoard.

    The gradients are those of the training step itself, not computed again: as they reach
    the optimizer, before clipping and accumulation, with a loss scale divided out. A layer
    is one that owns a kernel; its biases count in the global norm only. Training with this
    callback gives the same weights, bit for bit, as training without it, checkpoints do
    not change, and nothing that goes wrong here stops a training: it is logged once.

    All values are decimal logarithms, since layers differ by decades, which a linear axis
    does not show. A zero is then ``-inf``; NaN and infinity stay what they are. The tags,
    with the depth of the layer in front of its name so that they sort:

    - ``log10_gradient_norm/003_name``: norm of the gradient of the layer's kernels;
    - ``log10_weight_norm/003_name``: norm of the kernels before the step;
    - ``log10_update_ratio/003_name``: norm of what the step added, over that of the kernels;
    - ``log10_global_gradient_norm/optimizer``: norm of the gradient of all variables, for
      each optimizer that the model holds, by the name of the attribute.

    The tab "Custom Scalars" draws each kind as one chart with a line for each layer.
    A record's step is the optimizer's iterations before the update, so a resumed run goes
    on where the first one stopped. With ``gradient_accumulation_steps`` the record is of
    the step that updates, and of the gradient of its batch. With ``steps_per_execution``
    the gradient is that of the last step of an execution, and the update that of the whole.
    Several replicas (``tf.distribute``) are not recorded.

    Args:
        log_dir: Directory of the run; the records go into its folder ``gradient_flow``.
        every: Steps from record to record: at iterations 0, ``every``, ``2 * every`` ...

    Raises:
        ValueError: If ``every`` is not a positive integer.
        RuntimeError: If Keras does not run on TensorFlow.

    Example:

    >>> GradientFlow("logs/densenet", every=50).every
    50
    """

    def __init__(self, log_dir: str | os.PathLike, every: int = 10) -> None:
        super().__init__()
        require_tensorflow("GradientFlow")
        if not isinstance(every, int) or every < 1:
            raise invalid("every", "a positive integer", every)
        self.log_dir = os.fspath(log_dir)
        self.every = every
        self._recorder: Any = None  # of the training that runs

    def on_train_begin(self, logs: dict | None = None) -> None:
        self._recorder = GradientRecorder(self.log_dir, self.every, self.model)
        self._recorder.attempt(self._recorder.attach)

    def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        self._recorder.attempt(self._recorder.before_step)

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self._recorder.attempt(self._recorder.after_step)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self.flush()

    def on_train_end(self, logs: dict | None = None) -> None:
        self._recorder.attempt(self._recorder.log.close)
        self._recorder = None
        self.model.train_function = None  # the next training is traced without taps

    def flush(self) -> None:
        """Hand the records so far to the operating system."""
        if self._recorder is not None:
            self._recorder.attempt(self._recorder.log.flush)
