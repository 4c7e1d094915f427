"""ExactResume in one process: what it refuses, and the models and loops it knows."""

import logging
import os

import keras
import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf

from keras_arch import data
from keras_arch.callbacks import ExactResume, checkpoint
from keras_arch.callbacks.callback_state import CallbackStates

STEPS, BATCH = 4, 4


class KilledError(Exception):
    pass


class Kill(keras.callbacks.Callback):
    """Stands for a kill after some steps of an epoch: Keras calls nobody any more."""

    def __init__(self, epoch, batch):
        super().__init__()
        self.epoch, self.batch = epoch, batch

    def on_epoch_begin(self, epoch, logs=None):
        self.running = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.running, batch) == (self.epoch, self.batch):
            raise KilledError


def build(units=5, dropout=0.5, optimizer="adam", metrics=("mae",), **arguments):
    x = keras.Input((3,), name="x")
    y = keras.layers.Dense(units, activation="tanh", name="hidden")(x)
    y = keras.layers.Dropout(dropout, name="dropout")(y)
    model = keras.Model(x, keras.layers.Dense(1, name="head")(y))
    model.compile(optimizer, "mse", metrics=list(metrics) or None, jit_compile=False, **arguments)
    return model


def batches(first_epoch=0, epochs=3):
    """Epoch after epoch, each with examples of its own."""
    x = np.concatenate(
        [np.zeros((0, 3)), *(_epoch(epoch) for epoch in range(first_epoch, epochs))]
    ).astype("float32")
    return tf.data.Dataset.from_tensor_slices((x, x[:, :1])).batch(BATCH)


def _epoch(epoch):
    return np.random.default_rng(epoch).normal(size=(STEPS * BATCH, 3))


def fit(model, resume, *callbacks, data=batches, epochs=3, steps=STEPS):
    return model.fit(
        data(resume.epoch, epochs),
        epochs=epochs,
        steps_per_epoch=steps,
        callbacks=[*callbacks, resume],
        shuffle=False,
        verbose=0,
    )


def kill(build_model, directory, epoch, batch, every_steps=1, **arguments):
    keras.utils.set_random_seed(1)
    with pytest.raises(KilledError):
        fit(build_model(), ExactResume(directory, every_steps), Kill(epoch, batch), **arguments)
    keras.backend.clear_session()  # as in a new process, where names are counted from 1 ...
    keras.utils.set_random_seed(2)  # ... and nothing else comes out the same


def assert_same_training(build_model, directory, epoch=1, batch=2, every_steps=1, **arguments):
    """Train alone, and killed and resumed: the same weights, and the same history."""
    keras.utils.set_random_seed(1)
    alone = build_model()
    alone_history = fit(alone, ExactResume(directory / "alone"), **arguments)
    expected = [v.numpy() for v in [*alone.variables, *alone.optimizer.variables]]
    kill(build_model, directory / "killed", epoch, batch, every_steps, **arguments)
    model = build_model()
    history = fit(model, ExactResume(directory / "killed", every_steps), **arguments)
    found = [v.numpy() for v in [*model.variables, *model.optimizer.variables]]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)
    assert history.history == alone_history.history
    assert history.epoch == alone_history.epoch
    return model


def test_a_new_directory_starts_at_epoch_0_and_a_finished_run_at_its_end(tmp_path):
    keras.utils.set_random_seed(1)
    plain = build()
    plain.fit(batches(), epochs=3, steps_per_epoch=STEPS, shuffle=False, verbose=0)
    keras.utils.set_random_seed(1)
    model = build()
    assert ExactResume(tmp_path / "run").epoch == 0
    assert not (tmp_path / "run").exists()
    resume = ExactResume(tmp_path / "run")
    fit(model, resume)
    assert resume.epoch == ExactResume(tmp_path / "run").epoch == 3
    assert os.listdir(tmp_path / "run") == ["training.npz"]

    again = build()
    history = fit(again, ExactResume(tmp_path / "run"))
    assert history.epoch == [0, 1, 2]
    for same in zip(plain.variables, model.variables, again.variables, strict=True):
        for one in same[1:]:
            np.testing.assert_array_equal(one.numpy(), same[0].numpy())
    assert again._initial_epoch is None  # another `fit` of this model starts where it likes


def test_with_more_epochs_a_finished_run_goes_on(tmp_path):
    keras.utils.set_random_seed(1)
    alone = build()
    fit(alone, ExactResume(tmp_path / "alone"), epochs=4)
    keras.utils.set_random_seed(1)
    fit(build(), ExactResume(tmp_path / "run"), epochs=2)
    model = build()
    fit(model, ExactResume(tmp_path / "run"), epochs=4)
    for one, other in zip(model.variables, alone.variables, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())


def test_several_steps_in_an_execution(tmp_path):
    assert_same_training(lambda: build(steps_per_execution=2), tmp_path, batch=1, every_steps=2)


def test_a_dataset_that_fit_starts_anew_each_epoch(tmp_path):
    one = batches(epochs=1)
    assert_same_training(build, tmp_path, data=lambda first, epochs: one, steps=None)


def test_learning_rate_schedules_and_moving_averages_of_weights(tmp_path):
    def averaged():
        schedule = keras.optimizers.schedules.CosineDecay(0.1, 3 * STEPS)
        return build(optimizer=keras.optimizers.SGD(schedule, momentum=0.9, use_ema=True))

    assert_same_training(averaged, tmp_path)


class TwoPlayers(keras.Model):
    """Its own step, two optimizers, and noise drawn without a seed."""

    def __init__(self):
        super().__init__()
        inputs = [keras.Input((3,)) for _ in range(2)]
        self.first, self.second = (
            keras.Model(x, keras.layers.Dense(3, name="dense")(x)) for x in inputs
        )
        self.distance = keras.metrics.Mean(name="distance")

    def compile(self):
        super().compile(keras.optimizers.Adam(0.1), jit_compile=False)
        self.second_optimizer = keras.optimizers.RMSprop(0.1)

    def train_step(self, data):
        x, _ = data
        x = x + keras.random.normal(tf.shape(x))
        for player, optimizer in (
            (self.second, self.second_optimizer),
            (self.first, self.optimizer),
        ):
            with tf.GradientTape() as tape:
                distance = tf.reduce_mean(tf.square(self.second(self.first(x)) - x))
            variables = player.trainable_variables
            optimizer.apply(tape.gradient(distance, variables), variables)
        self.distance.update_state(distance)
        return {"distance": self.distance.result()}


def test_a_model_with_two_optimizers_and_a_step_of_its_own(tmp_path):
    def two_players():
        model = TwoPlayers()
        model.compile()
        return model

    model = assert_same_training(two_players, tmp_path)
    assert model.second_optimizer.iterations == 3 * STEPS


def test_settings_of_callbacks_are_the_callers(tmp_path, caplog):
    keras.utils.set_random_seed(1)
    stopping = keras.callbacks.EarlyStopping("loss", min_delta=10.0, patience=9)
    fit(build(), ExactResume(tmp_path), stopping, epochs=2)
    assert (stopping.wait, stopping.best_epoch) == (1, 0)
    again = keras.callbacks.EarlyStopping("loss", min_delta=10.0, patience=2)
    history = fit(build(), ExactResume(tmp_path), again, epochs=9)
    assert again.stopped_epoch == 2  # it had waited for one epoch, and waits for two
    assert history.epoch == [0, 1, 2]
    with caplog.at_level(logging.WARNING):
        fit(build(), ExactResume(tmp_path), epochs=9)
    assert "EarlyStopping#0" in caplog.text


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"units": 6}, r"model/hidden/kernel: .*\(3, 5\)\) in the checkpoint, .*\(3, 6\)\)"),
        ({"optimizer": "sgd"}, "optimizers/optimizer/hidden_kernel_velocity: not in the model"),
        ({"metrics": ["mse"]}, "metrics/mean_absolute_error/total: not in the model"),
    ],
)
def test_a_checkpoint_of_another_model_is_refused_by_name(tmp_path, other, message):
    kill(build, tmp_path, 1, 2)
    model = build(**other)
    before = [v.numpy() for v in model.variables]
    with pytest.raises(ValueError, match=message):
        fit(model, ExactResume(tmp_path))
    if "metrics" not in other:  # they are made by the first batch, before a step
        for one, other in zip(model.variables, before, strict=True):
            np.testing.assert_array_equal(one.numpy(), other)
    assert model.optimizer.iterations in (0, STEPS + 2)


def test_other_steps_and_missing_data_are_refused(tmp_path):
    kill(build, tmp_path, 1, 3)
    with pytest.raises(ValueError, match="after 3 of 4 steps"):
        fit(build(), ExactResume(tmp_path), steps=5)
    with pytest.raises(ValueError, match="`steps_per_execution` must divide"):
        fit(build(steps_per_execution=2), ExactResume(tmp_path))

    def short(first, epochs):
        return batches().take(2)

    with (
        pytest.warns(UserWarning, match="ran out of data"),
        pytest.raises(ValueError, match="data ended after 2 batches"),
    ):
        fit(build(metrics=()), ExactResume(tmp_path), data=short)
    with pytest.raises(ValueError, match="data ended after 2 batches"):
        fit(build(), ExactResume(tmp_path), data=lambda *_: short(*_).filter(lambda x, y: True))


def test_what_cannot_be_done_is_refused(tmp_path, monkeypatch):
    for every_steps in (0, -3, 2.5):
        with pytest.raises(ValueError, match="`every_steps`"):
            ExactResume(tmp_path, every_steps)

    def unknown(first, epochs):
        return batches().filter(lambda x, y: True)

    with pytest.raises(ValueError, match="`every_steps`"):
        fit(build(), ExactResume(tmp_path, 2), data=unknown, steps=None)
    with pytest.raises(RuntimeError, match=r"model\.fit"):
        ExactResume(tmp_path).set_model(build())
    (tmp_path / "training.npz").write_bytes(b"else")
    with pytest.raises(ValueError, match="not a checkpoint"):
        ExactResume(tmp_path)
    np.savez(tmp_path / "training.npz", weights=np.ones(3))
    with pytest.raises(ValueError, match="not a checkpoint"):
        ExactResume(tmp_path)
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(RuntimeError, match="TensorFlow backend"):
        ExactResume(tmp_path)


def test_arrays_of_every_dtype_come_back(tmp_path):
    arrays = {
        "a/b": np.array([[1.5, np.nan]], ml_dtypes.bfloat16),
        "scalar": np.array(3, "uint32"),
        "empty": np.zeros((0, 2), "float16"),
        "float8": np.array([0.5, 2.0], ml_dtypes.float8_e4m3fn),
    }
    checkpoint.write(str(tmp_path), {"epoch": 1}, arrays)
    assert checkpoint.read_facts(str(tmp_path))["epoch"] == 1
    found = checkpoint.read_arrays(str(tmp_path))
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        assert found[name].tobytes() == array.tobytes()


def test_states_of_callbacks_come_back_as_they_were():
    class Learner(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.setting, self.wait, self.model_like = "old", 0, object()

    first, second = Learner(), Learner()
    states = CallbackStates([first, second])
    learned = {
        "wait": 3,
        "best": -np.inf,
        "history": {"loss": [0.1, float("nan")], 2: (1, "a", None, True)},
        "weights": [np.arange(3.0), np.float32(0.1)],
    }
    vars(second).update(learned, unknown=[object()])
    taken, arrays = states.take()
    assert taken["Learner#0"] == {}

    fresh = [Learner(), Learner()]
    fresh[1].setting = "new"
    assert CallbackStates(fresh).put({**taken, "Gone#0": {"wait": 1}}, arrays) == ["Gone#0"]
    np.testing.assert_equal({name: vars(fresh[1])[name] for name in learned}, learned)
    assert type(fresh[1].history[2]) is tuple
    assert type(fresh[1].weights[1]) is np.float32
    assert fresh[1].setting == "new"
    assert not hasattr(fresh[1], "unknown")
    assert fresh[0].wait == 0


def test_with_data_that_starts_at_any_epoch(tmp_path):
    def adding(first, epochs):
        return data.load(
            "adding",
            batch_size=BATCH,
            seed=5,
            epochs=epochs,
            start=(first, 0),
            examples=STEPS * BATCH,
            length=3,
        )

    def model_of_sequences():
        steps = keras.Input((3, 2), name="steps")
        y = keras.layers.Dropout(0.5, name="dropout")(keras.layers.Flatten(name="flat")(steps))
        model = keras.Model(steps, keras.layers.Dense(1, name="head")(y))
        model.compile("adam", "mse", jit_compile=False)
        return model

    assert_same_training(model_of_sequences, tmp_path, data=adding)
