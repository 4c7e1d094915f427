"""Trains a small model that kills itself where it is told to, and starts it again.

    python killed_training.py '{"DIRECTORY": [["step", 9], ["half", 4], ...], ...}'

One process imports TensorFlow, once, and forks for each start: in each directory one for
each kill, and one that is not killed, which leaves ``result.npz`` and ``result.json``.
"""

import json
import os
import signal
import sys
import threading

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import tensorflow as tf

from keras_arch.callbacks import ExactResume, GradientFlow

EPOCHS, STEPS, BATCH = 9, 6, 8


def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)


class DieAtStep(keras.callbacks.Callback):
    def __init__(self, step):
        super().__init__()
        self.step = step

    def on_train_batch_end(self, batch, logs=None):
        if self.model.optimizer.iterations == self.step:
            die()


class DieAtEpochEnd(keras.callbacks.Callback):
    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_end(self, epoch, logs=None):
        if epoch == self.epoch:
            die()


class DieLater(keras.callbacks.Callback):
    """Dies some seconds after the first step, whatever is going on then."""

    def __init__(self, seconds):
        super().__init__()
        self.timer = threading.Timer(seconds, die)

    def on_train_batch_end(self, batch, logs=None):
        if not self.timer.ident:
            self.timer.start()


def die_writing(number, moment):
    """Die at the given checkpoint: with half of it written, or before or after it counts."""
    replace, savez = os.replace, np.savez
    written = iter(range(1, 1000))

    def savez_half(file, **arrays):
        savez(file, **arrays)
        if next(written) == number:
            file.truncate(file.tell() // 2)
            die()

    def replace_and_die(source, target):
        last = next(written) == number
        if last and moment == "before":
            die()
        replace(source, target)
        if last:
            die()

    if moment == "half":
        np.savez = savez_half
    else:
        os.replace = replace_and_die


def arrange(kill):
    if kill is None:
        return []
    moment, when = kill
    if moment in ("half", "before", "after"):
        die_writing(when, moment)
        return []
    return [{"step": DieAtStep, "epoch_end": DieAtEpochEnd, "seconds": DieLater}[moment](when)]


def build():
    keras.utils.set_random_seed(0)
    image = keras.Input((6,), name="image")
    x = keras.layers.Dense(8, name="hidden")(image)
    x = keras.layers.BatchNormalization(name="norm")(x)
    x = keras.layers.ReLU(name="relu")(x)
    x = keras.layers.Dropout(0.4, name="dropout")(x)
    model = keras.Model(image, keras.layers.Dense(3, name="head")(x))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.02), loss, metrics=["accuracy"], jit_compile=False)
    return model


def batches(first_epoch):
    """Every epoch in an order of its own, which follows from its number alone."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(STEPS * BATCH, 6)).astype("float32")
    y = rng.integers(0, 3, STEPS * BATCH)
    order = [np.random.default_rng([1, e]).permutation(len(x)) for e in range(first_epoch, EPOCHS)]
    order = np.concatenate([np.zeros(0, int), *order])
    train = tf.data.Dataset.from_tensor_slices((x[order], y[order])).batch(BATCH)
    return train, (x[:12] + 0.1, y[:12])


def train(directory, kill):
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.experimental.enable_op_determinism()
    mortal = arrange(kill)
    model = build()
    resume = ExactResume(f"{directory}/resume", every_steps=2)
    stopping = keras.callbacks.EarlyStopping(
        "val_loss", patience=2, min_delta=0.03, restore_best_weights=True
    )
    plateau = keras.callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=0.05)
    best = keras.callbacks.ModelCheckpoint(f"{directory}/best.keras", save_best_only=True)
    steps, validation = batches(resume.epoch)
    history = model.fit(
        steps,
        epochs=EPOCHS,
        steps_per_epoch=STEPS,
        validation_data=validation,
        shuffle=False,
        verbose=0,
        callbacks=[
            keras.callbacks.LearningRateScheduler(lambda epoch, rate: 0.9 * rate),
            resume,
            stopping,
            plateau,
            best,
            keras.callbacks.TensorBoard(f"{directory}/logs", update_freq=1),
            keras.callbacks.CSVLogger(f"{directory}/log.csv"),
            GradientFlow(f"{directory}/logs", every=1),
            *mortal,
        ],
    )
    weights = {f"variable {index}": v.numpy() for index, v in enumerate(model.variables)}
    moments = {v.path: v.numpy() for v in model.optimizer.variables}
    saved = keras.models.load_model(f"{directory}/best.keras").get_weights()
    best_weights = {f"best {index}": value for index, value in enumerate(saved)}
    np.savez(f"{directory}/result.npz", **weights, **moments, **best_weights)
    result = {
        "history": history.history,
        "epochs": history.epoch,
        "stopping": [stopping.wait, stopping.best, stopping.best_epoch, stopping.stopped_epoch],
        "plateau": [plateau.wait, plateau.best, plateau.cooldown_counter],
        "best": best.best,
        "next_epoch": resume.epoch,
    }
    with open(f"{directory}/result.json", "w") as file:
        json.dump(result, file)


def start(directory, kill):
    """Return how a start ended: ``"done"``, or the signal that killed it."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        try:
            train(directory, kill)
        except BaseException:
            import traceback

            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        return signal.Signals(os.WTERMSIG(status)).name
    return "done" if status == 0 else "failed"


if __name__ == "__main__":
    ends = {}
    for directory, kills in json.loads(sys.argv[1]).items():
        os.makedirs(directory)
        ends[directory] = [start(directory, kill) for kill in [*kills, None]]
    print(json.dumps(ends))
