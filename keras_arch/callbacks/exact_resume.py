"""Exact resume: a training that was killed goes on as if it had not been.

fit -> ... -> on_epoch_end of all callbacks -> checkpoint, whole or not at all
killed, started again:
on_train_begin of all callbacks -> restore -> pass the batches of the epoch that were
trained on -> restore its metrics -> the next step
"""

import inspect
import logging
import os

import keras

from keras_arch.callbacks import checkpoint, log_files, training_state
from keras_arch.callbacks.callback_state import CallbackStates
from keras_arch.errors import invalid, require_backend

logger = logging.getLogger(__name__)


class ExactResume(keras.callbacks.Callback):
    """Lets a training that was killed end with the same weights, bit for bit.

    A checkpoint is written at the end of each epoch, and within it every ``every_steps``
    steps, after all other callbacks had their turn. The same program started again goes on
    from the newest. What it restores: all variables (weights, those of every optimizer that
    the model holds, seed states, metrics), what the other callbacks have learned, in
    whatever order they stand (best values, waits, best weights, ``History``, step counts of
    ``TensorBoard``), and where logs ended: what ``TensorBoard``, ``GradientFlow`` and
    ``CSVLogger`` wrote after the checkpoint is cut off, and written again. Settings of
    callbacks are not restored; they may be changed.

    A training that had ended, or was stopped by a callback, is restored and not trained
    further; with more ``epochs`` than before, one that had ended goes on.

    Exact means: on one machine, with one number of threads and one setting of
    ``jit_compile``, with ``tf.config.experimental.enable_op_determinism()``, and on data
    whose order follows from epoch and step alone. So shuffle with ``keras_arch.data.load``;
    ``fit`` on arrays needs ``shuffle=False``, a ``tf.data`` pipeline that ``fit`` starts anew
    for each epoch needs the same order each time. Random numbers of others than Keras
    (``tf.random``, ``numpy.random``) are not restored.

    Args:
        directory: Where the checkpoint is kept, one directory a training.
        every_steps: Steps between the checkpoints within an epoch, which must be of known
            length; ``None`` for those at the end of epochs only.

    Raises:
        RuntimeError: If Keras does not run on TensorFlow.
        ValueError: If ``every_steps`` is not a positive integer, or the directory holds
            something else than a checkpoint; in ``fit``, if the checkpoint does not fit the
            model, with the names of the variables, before anything of it is restored (if
            only its metrics do not fit: before a step is trained).

    Example:

    >>> resume = ExactResume("runs/digits/resume", every_steps=100)
    >>> resume.epoch
    0

    ```python
    steps = len(data.load("digits", batch_size=64))
    train = data.load("digits", epochs=20, start=(resume.epoch, 0), batch_size=64, seed=0)
    model.fit(train, epochs=20, steps_per_epoch=steps, callbacks=[EarlyStopping(), resume])
    ```
    """

    def __init__(self, directory: str | os.PathLike, every_steps: int | None = None) -> None:
        super().__init__()
        require_backend("`ExactResume`", "tensorflow")
        if every_steps is not None and (not isinstance(every_steps, int) or every_steps < 1):
            raise invalid("every_steps", "a positive integer or None", every_steps)
        self.directory = os.fspath(directory)
        self.every_steps = every_steps
        self._facts = checkpoint.read_facts(self.directory)
        # Looked for here: later, this process itself begins to log.
        known = self._facts or {"log_patterns": [], "logs": {}}
        self._later_logs = log_files.sizes(known["log_patterns"]).keys() - known["logs"].keys()
        self._passed = 0  # steps of the running epoch that a killed run has trained ...
        self._left = 0  # ... and whose batches are still to be taken from the data

    @property
    def epoch(self) -> int:
        """The epoch to start with, counted from 0: that of the checkpoint."""
        return self._facts["epoch"] if self._facts else 0

    def set_model(self, model: keras.Model) -> None:
        super().set_model(model)
        self._enclose(_enclosing_callback_list())

    def _enclose(self, callbacks):
        """Have a say before and after all callbacks of a training, whatever their order."""
        train_begin, train_end = callbacks.on_train_begin, callbacks.on_train_end
        epoch_begin, epoch_end = callbacks.on_epoch_begin, callbacks.on_epoch_end
        batch_begin, batch_end = callbacks.on_train_batch_begin, callbacks.on_train_batch_end

        def on_train_begin(logs=None):
            others = [other for other in callbacks.callbacks if other is not self]
            self._take_logs_back(others)
            train_begin(logs)
            self._others = others
            self._states = CallbackStates(others)
            self._resume()

        def on_epoch_begin(epoch, logs=None):
            self.model._initial_epoch = None  # read by now, and no business of the next `fit`
            epoch_begin(epoch, logs)

        def on_train_batch_begin(batch, logs=None):
            if batch >= self._passed:
                batch_begin(batch, logs)

        def on_train_batch_end(batch, logs=None):
            if batch >= self._passed:
                batch_end(batch, logs)
                if self._is_due(batch + 1):
                    callbacks._flush_futures()  # callbacks that Keras runs in a thread
                    self._save(self._running_epoch, batch + 1)

        def on_epoch_end(epoch, logs=None):
            if self._left:  # Keras warned that the data ended, and went on
                raise self._data_ended()
            epoch_end(epoch, logs)
            self._passed = 0
            self._save(epoch + 1, 0)

        def on_train_end(logs=None):
            self.model._initial_epoch = None
            train_end(logs)

        for hook in (
            on_train_begin,
            on_epoch_begin,
            on_train_batch_begin,
            on_train_batch_end,
            on_epoch_end,
            on_train_end,
        ):
            setattr(callbacks, hook.__name__, hook)

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self._running_epoch = epoch

    def _is_due(self, steps: int) -> bool:
        """Whether a checkpoint is due after so many steps of an epoch."""
        if self.every_steps is None or steps >= self.params["steps"]:
            return False  # the end of the epoch has its own
        before = steps - self.model.steps_per_execution
        return steps // self.every_steps > before // self.every_steps

    def _save(self, epoch, step):
        log_files.flush(self._others)
        built, arrays = training_state.take(self.model)
        states, of_states = self._states.take()
        log_patterns = log_files.patterns(self._others)
        facts = {
            "epoch": epoch,
            "step": step,
            "steps": self.params["steps"],
            "stopped": self.model.stop_training,
            "optimizers": built,
            "callbacks": states,
            "log_patterns": log_patterns,
            "logs": log_files.sizes(log_patterns),
        }
        checkpoint.write(self.directory, facts, arrays | of_states)
        self._facts = facts

    def _take_logs_back(self, others):
        if self._facts is not None:
            log_files.cut(self._facts["logs"], self._later_logs)
            self._later_logs = set()
            for other in others:
                if isinstance(other, keras.callbacks.CSVLogger):
                    other.append = True

    def _resume(self):
        """Put everything back where the checkpoint has it."""
        if self.every_steps is not None and self.params["steps"] is None:
            raise invalid(
                "every_steps", "None, where the steps of an epoch are not known", self.every_steps
            )
        if self._facts is None:
            return
        self._check_steps()
        arrays = checkpoint.read_arrays(self.directory)
        training_state.put(self.model, self._facts["optimizers"], arrays, self.directory)
        unclaimed = self._states.put(self._facts["callbacks"], arrays)
        if unclaimed:
            logger.warning("No callback is there for the restored state of %s.", unclaimed)
        stopped, epoch, step = (self._facts[key] for key in ("stopped", "epoch", "step"))
        self.model._initial_epoch = self.params["epochs"] if stopped else epoch
        if step:
            self._pass(step, arrays)

    def _check_steps(self):
        step, steps = self._facts["step"], self._facts["steps"]
        if step and (self.params["steps"] != steps or step % self.model.steps_per_execution):
            raise ValueError(
                f"The checkpoint in {self.directory!r} was written after {step} of {steps} steps. "
                "To go on from there, an epoch must have as many steps, and "
                "`steps_per_execution` must divide those passed. Received: "
                f"steps_per_epoch={self.params['steps']}, "
                f"steps_per_execution={self.model.steps_per_execution}"
            )

    def _pass(self, step, arrays):
        """Take the batches that were trained on from the data, then go on as if just trained."""
        model, facts = self.model, self._facts
        train_function = model.train_function
        self._passed = self._left = step

        def take(iterator):
            for _ in range(model.steps_per_execution):
                batch = next(iterator, None)
                if batch is None:
                    raise self._data_ended()
                self._left -= 1
            if not self._left:
                # Once more: callbacks had an `on_epoch_begin`, which may have set, say, the
                # learning rate, and which the killed run had as well.
                training_state.put(model, facts["optimizers"], arrays, self.directory)
                training_state.put_metrics(model, batch, arrays, self.directory)
                self._states.put(facts["callbacks"], arrays)
                model.train_function = train_function
            return {}

        model.train_function = take

    def _data_ended(self):
        return ValueError(
            f"The data ended after {self._passed - self._left} batches of an epoch of which the "
            f"checkpoint in {self.directory!r} has trained {self._passed}."
        )


def _enclosing_callback_list():
    """Return the list of callbacks that is setting the model of one of them.

    Keras gives a callback no way to its neighbours; only the caller knows them.
    """
    frame = inspect.currentframe()
    while frame is not None:
        caller = frame.f_locals.get("self")
        if isinstance(caller, keras.callbacks.CallbackList):
            return caller
        frame = frame.f_back
    raise RuntimeError("`ExactResume` works among the callbacks of `model.fit` only.")
