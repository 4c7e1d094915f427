"""GradientFlow: the numbers are GradientTape's, and training does not notice."""

import copy
import logging
import math
import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from callbacks.taped_training import (
    BATCH,
    assert_logged,
    batches,
    build,
    events,
    expected,
    fit,
    norm,
    scalars,
    taped,
)
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.util import tensor_util

from keras_arch.callbacks import GradientFlow

OPTIMIZERS = {
    "clipped": lambda: keras.optimizers.Adam(0.01, global_clipnorm=1e-3),
    "dynamic": lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.01), 1024.0),
    "accumulated": lambda: keras.optimizers.SGD(0.5, gradient_accumulation_steps=2),
}


@pytest.mark.parametrize(
    ("kind", "jit_compile"), [*((kind, False) for kind in OPTIMIZERS), ("dynamic", True)]
)
def test_norms_are_those_of_a_tape(tmp_path, kind, jit_compile):
    model = build(optimizer=OPTIMIZERS[kind](), jit_compile=jit_compile)
    fit(model, callbacks=[GradientFlow(tmp_path, every=1)])
    steps = taped(build(optimizer=OPTIMIZERS[kind](), jit_compile=jit_compile), batches())
    if kind == "accumulated":
        steps = steps[1::2]  # those that update
    logged = scalars(tmp_path)
    assert (logged.pop("clipping/optimizer", None) is not None) == (kind == "clipped")
    assert_logged(logged, expected(steps), range(len(steps)), rtol=1e-5)


CLIPPED = {
    "global_clipnorm": lambda g: [part * min(1, 0.1 / norm(*g)) for part in g],
    "clipnorm": lambda g: [part * min(1, 0.1 / norm(part)) for part in g],
    "clipvalue": lambda g: [np.clip(part, -0.1, 0.1) for part in g],
}


@pytest.mark.parametrize("by", CLIPPED)
def test_what_clipping_leaves(tmp_path, by):
    """With accumulation, what is clipped is the mean."""
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(8, 4)).astype("float32"), rng.normal(size=(8, 1)).astype("float32")
    image = keras.Input((4,))
    hidden = keras.layers.Dense(3, activation="relu", name="hidden")(image)
    model = keras.Model(image, keras.layers.Dense(1, name="head")(hidden))
    variables = model.trainable_variables
    gradients = []
    for half in (slice(4), slice(4, 8)):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((model(x[half]) - y[half]) ** 2)
        gradients.append([part.numpy() for part in tape.gradient(loss, variables)])
    model.compile(keras.optimizers.SGD(gradient_accumulation_steps=2, **{by: 0.1}), "mse")
    data = tf.data.Dataset.from_tensor_slices((x, y)).batch(4)
    fit(model, data, [GradientFlow(tmp_path)])
    mean = [sum(parts) / 2 for parts in zip(*gradients, strict=True)]
    [(step, share)] = scalars(tmp_path)["clipping/optimizer"]
    assert step == 0
    assert share == pytest.approx(norm(*CLIPPED[by](mean)) / norm(*mean), rel=1e-5)
    assert share < 0.9


def test_what_each_of_several_optimizers_clips(tmp_path):
    """Two in one, for a layer each: one clips, and the other layer's gradient is not asked."""
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(8, 4)).astype("float32"), rng.normal(size=(8, 1)).astype("float32")
    image = keras.Input((4,))
    hidden = keras.layers.Dense(3, activation="relu", name="hidden")(image)
    model = keras.Model(image, keras.layers.Dense(1, name="head")(hidden))
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((model(x) - y) ** 2)
    sizes = [norm(part) for part in tape.gradient(loss, model.trainable_variables)]
    several = keras.optimizers.OptimizerMap(keras.optimizers.SGD())
    several["hidden/.*"] = keras.optimizers.SGD(clipnorm=0.1)
    model.compile(keras.optimizers.MultiOptimizer(several), "mse", jit_compile=False)
    fit(model, tf.data.Dataset.from_tensors((x, y)), [GradientFlow(tmp_path)])
    [(_, share)] = scalars(tmp_path)["clipping/optimizer"]
    assert share == pytest.approx(math.hypot(0.1, 0.1) / norm(*sizes[:2]), rel=1e-5)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_training_is_bit_identical_and_checkpoints_are_the_same(tmp_path, jit_compile):
    def trained(*callbacks):
        model = build(optimizer=keras.optimizers.Adam(0.02, clipnorm=0.1), jit_compile=jit_compile)
        fit(model, callbacks=callbacks, epochs=2)
        return model

    alone, watched = trained(), trained(GradientFlow(tmp_path, every=2))
    for ours, theirs in ((alone, watched), (alone.optimizer, watched.optimizer)):
        assert len(ours.variables) == len(theirs.variables)
        for one, other in zip(ours.variables, theirs.variables, strict=True):
            np.testing.assert_array_equal(one.numpy(), other.numpy())
    watched.save_weights(tmp_path / "watched.weights.h5")
    fresh = build(optimizer=keras.optimizers.Adam(0.02))
    fresh.optimizer.build(fresh.trainable_variables)
    fresh.load_weights(tmp_path / "watched.weights.h5")


def test_records_at_multiples_of_every_and_goes_on_where_a_run_stopped(tmp_path):
    model = build()
    for _ in range(2):
        fit(model, batches(5), [GradientFlow(tmp_path, every=3)])
    assert [step for step, _ in scalars(tmp_path)["log10_gradient_norm/003_head"]] == [0, 3, 6, 9]


def test_several_steps_in_an_execution(tmp_path):
    model = build(steps_per_execution=2)
    fit(model, callbacks=[GradientFlow(tmp_path, every=1)])
    gradients = [norm(gradients[7]) for gradients, *_ in taped(build(), batches())]
    logged = scalars(tmp_path)["log10_gradient_norm/003_head"]
    assert [step for step, _ in logged] == [1, 3]
    np.testing.assert_allclose([10**v for _, v in logged], gradients[1::2], rtol=1e-5)


def test_an_execution_that_an_epoch_cuts_short(tmp_path):
    """The number is that of the last step that was taken, and of no step to come."""
    model = build(steps_per_execution=3)
    fit(model, callbacks=[GradientFlow(tmp_path, every=1)], epochs=2)
    gradients = [norm(gradients[7]) for gradients, *_ in taped(build(), batches().repeat(2))]
    logged = scalars(tmp_path)["log10_gradient_norm/003_head"]
    assert [step for step, _ in logged] == [2, 3, 6, 7]
    np.testing.assert_allclose([10**v for _, v in logged], np.take(gradients, [2, 3, 6, 7]), 1e-5)
    assert [event.step for event in events(tmp_path).Scalars("epoch/loss")] == [4, 8]


def test_what_is_not_finite_is_seen(tmp_path):
    x = np.ones((BATCH, 2), "float32")
    image = keras.Input((2,))
    model = keras.Model(image, keras.layers.Dense(1, name="head")(image))
    model.compile(keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(), 2.0**100), "mse")
    overflowing = tf.data.Dataset.from_tensors((x, 1e9 * x[:, :1])).repeat(2)
    fit(model, overflowing, [GradientFlow(tmp_path, every=1)])
    assert model.optimizer.iterations == 0  # the steps overflowed, and were skipped
    assert scalars(tmp_path)["log10_global_gradient_norm/optimizer"] == [(0, math.inf)]

    model.compile("sgd", "mse")
    fit(model, tf.data.Dataset.from_tensors((x, np.nan * x)), [GradientFlow(tmp_path / "nan")])
    [(step, value)] = scalars(tmp_path / "nan")["log10_gradient_norm/000_head"]
    assert step == 0
    assert math.isnan(value)


def test_a_fixed_loss_scale_is_divided_out(tmp_path):
    image = keras.Input((2,))
    model = keras.Model(image, keras.layers.Dense(1, name="head")(image))
    model.compile(keras.optimizers.SGD(loss_scale_factor=256.0), loss=lambda y, p: p)
    x = np.array([[3.0, 4.0]], "float32")
    fit(model, tf.data.Dataset.from_tensors((x, x[:, :1])), [GradientFlow(tmp_path)])
    [(_, value)] = scalars(tmp_path)["log10_gradient_norm/000_head"]
    assert 10**value == pytest.approx(5, rel=1e-5)


def test_a_vanishing_gradient_is_seen_far_below_the_square_root_of_float32(tmp_path):
    image = keras.Input((2,))
    model = keras.Model(image, keras.layers.Dense(1, use_bias=False, name="head")(image))
    model.compile("sgd", loss=lambda y, p: 1e-30 * p)
    x = np.array([[3.0, 4.0]], "float32")
    fit(model, tf.data.Dataset.from_tensors((x, x[:, :1])), [GradientFlow(tmp_path)])
    [(_, value)] = scalars(tmp_path)["log10_gradient_norm/000_head"]
    assert 10**value == pytest.approx(5e-30, rel=1e-5, abs=0)


def charts(log_dir):
    """The tags that each chart of the layout draws, by title."""
    logged = events(log_dir)
    [event] = logged.Tensors("custom_scalars__config__")
    content = tensor_util.make_ndarray(event.tensor_proto).item()
    [category] = layout_pb2.Layout.FromString(content).category
    tags = logged.Tags()["scalars"]
    return {
        chart.title: [t for t in tags if any(re.search(p, t) for p in chart.multiline.tag)]
        for chart in category.chart
    }


def test_the_layout_draws_each_kind_in_one_chart(tmp_path):
    fit(build(optimizer=OPTIMIZERS["clipped"]()), callbacks=[GradientFlow(tmp_path)])
    drawn = charts(tmp_path)
    assert sorted(map(len, drawn.values())) == [1, 1, 1, 1, 1, 4, 4, 4, 7, 7, 7]
    tags = [tag for tag in events(tmp_path).Tags()["scalars"] if not tag.startswith("epoch/")]
    assert sorted(tag for of_one in drawn.values() for tag in of_one) == sorted(tags)


class TwoPlayers(keras.Model):
    """Two networks with layers of one name, each with an optimizer."""

    def __init__(self):
        super().__init__()
        inputs = [keras.Input((3,)) for _ in range(2)]
        self.players = [keras.Model(x, keras.layers.Dense(3, name="dense")(x)) for x in inputs]

    def compile(self, optimizer, second_optimizer):
        super().compile(optimizer)
        self.second_optimizer = second_optimizer

    def call(self, x):
        return self.players[1](self.players[0](x))

    def train_step(self, x):
        for scale, player, optimizer in (
            (10.0, self.players[1], self.second_optimizer),
            (1.0, self.players[0], self.optimizer),
        ):
            with tf.GradientTape() as tape:
                loss = scale * tf.reduce_mean(player(x))
            variables = player.trainable_variables
            optimizer.apply(tape.gradient(loss, variables), variables)
        return {"loss": loss}


def test_a_model_with_two_optimizers(tmp_path):
    model = TwoPlayers()
    model.compile(keras.optimizers.SGD(), keras.optimizers.SGD())
    fit(model, tf.data.Dataset.from_tensors(np.ones((4, 3), "float32")), [GradientFlow(tmp_path)])
    logged = {tag: 10 ** rows[0][1] for tag, rows in scalars(tmp_path).items()}
    # d mean(x W + b) / dW is 1/3 everywhere, for x of ones; so is that of b.
    assert logged["log10_gradient_norm/000_dense"] == pytest.approx(1, rel=1e-5)
    assert logged["log10_gradient_norm/001_dense"] == pytest.approx(10, rel=1e-5)
    both = math.sqrt(12) / 3
    assert logged["log10_global_gradient_norm/optimizer"] == pytest.approx(both, rel=1e-5)
    assert logged["log10_global_gradient_norm/second_optimizer"] == pytest.approx(
        10 * both, rel=1e-5
    )


def test_a_model_that_its_first_step_builds(tmp_path):
    model = keras.Sequential([keras.layers.Dense(2, name="first"), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    data = tf.data.Dataset.from_tensors((np.ones((4, 3)), np.ones((4, 1)))).repeat(3)
    fit(model, data, [GradientFlow(tmp_path, every=1)])
    logged = scalars(tmp_path)
    assert [step for step, _ in logged["log10_gradient_norm/000_first"]] == [0, 1, 2]
    assert [step for step, _ in logged["log10_weight_norm/000_first"]] == [0, 1, 2]


def test_an_eager_step_that_builds_the_model_is_not_recorded(tmp_path):
    """Before it, no layer has a weight or a depth."""

    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.first = keras.layers.Dense(4, "tanh", name="first")
            self.second = keras.layers.Dense(1, "tanh", name="second")

        def call(self, x):
            return self.second(self.first(x))

    model = Own()
    model.compile("sgd", "mse", run_eagerly=True)
    data = tf.data.Dataset.from_tensors((np.ones((4, 3)), np.ones((4, 1)))).repeat(3)
    fit(model, data, [GradientFlow(tmp_path, every=1)])
    logged = scalars(tmp_path)
    assert {tag for tag in logged if "mean" in tag} == {
        "activation_mean/000_first",
        "activation_mean/001_second",
    }
    assert {tuple(step for step, _ in rows) for rows in logged.values()} == {(1, 2)}


class Raise(keras.callbacks.Callback):
    def __init__(self, at):
        super().__init__()
        setattr(self, at, self.fail)

    def fail(self, batch, logs=None):
        raise KeyError("on purpose")


def test_nothing_is_left_behind_where_training_raised(tmp_path):
    model = build()
    callback = GradientFlow(tmp_path)
    own = model.make_train_function() or model.train_function
    with pytest.raises(KeyError, match="on purpose"):
        fit(model, callbacks=[callback, Raise("on_train_batch_end")])
    assert model.train_function is own
    assert "apply" not in vars(model.optimizer)
    with pytest.raises(tf.errors.InvalidArgumentError):  # labels out of range, in the step
        fit(model, batches().map(lambda x, y: (x, y + 9)), [callback])
    assert model.train_function is own
    assert "apply" not in vars(model.optimizer)
    fit(model)
    before = scalars(tmp_path)
    fit(model)  # a step that stayed behind would record
    assert scalars(tmp_path) == before
    fit(model, callbacks=[callback])
    assert model.train_function is own
    copy.deepcopy(callback)


def test_a_step_that_was_to_be_watched_and_never_came(tmp_path):
    model = build()
    own = model.make_train_function() or model.train_function
    with pytest.raises(KeyError, match="on purpose"):
        fit(model, callbacks=[GradientFlow(tmp_path / "first"), Raise("on_train_batch_begin")])
    fit(model, callbacks=[GradientFlow(tmp_path / "next", every=1)])
    assert model.train_function is own
    logged = scalars(tmp_path / "next")["log10_gradient_norm/003_head"]
    assert [step for step, _ in logged] == [0, 1, 2, 3]


def test_a_training_takes_one(tmp_path):
    model = build()
    first, second = GradientFlow(tmp_path / "first", every=1), GradientFlow(tmp_path / "second")
    with pytest.raises(ValueError, match="at most one `GradientFlow`"):
        fit(model, callbacks=[first, second])
    assert model.optimizer.iterations == 0
    for callback in (second, first):
        fit(model, callbacks=[callback])
    for name, steps in (("first", [4, 5, 6, 7]), ("second", [0])):
        logged = scalars(tmp_path / name)["log10_gradient_norm/003_head"]
        assert [step for step, _ in logged] == steps


def test_steps_that_a_callback_passes_over(tmp_path, caplog):
    """As an exact restart does: they are no steps of the optimizer."""

    class PassTwo(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            own, left = self.model.train_function, [1, 0]

            def take(iterator):
                next(iterator)
                if not left.pop(0):
                    self.model.train_function = own
                return {}

            self.model.train_function = take

    model = build()
    fit(model, batches(6), [GradientFlow(tmp_path, every=2), PassTwo()])
    assert model.optimizer.iterations == 4
    logged = scalars(tmp_path)["log10_gradient_norm/003_head"]
    assert [step for step, _ in logged] == [0, 2]
    assert caplog.records == []


def test_what_fails_is_logged_once_and_training_goes_on(tmp_path, caplog):
    (tmp_path / "file").touch()
    model = build()
    with caplog.at_level(logging.WARNING):
        fit(model, callbacks=[GradientFlow(tmp_path / "file", every=1)])
    assert model.optimizer.iterations == 4
    assert len([r for r in caplog.records if "GradientFlow" in r.message]) == 1


def test_construction_touches_nothing_and_refuses_nonsense(tmp_path, monkeypatch):
    callback = copy.deepcopy(GradientFlow(tmp_path / "run", every=5))
    assert callback.every == 5
    assert not (tmp_path / "run").exists()
    for every in (0, -1, 1.5, None):
        with pytest.raises(ValueError, match="`every`"):
            GradientFlow(tmp_path, every=every)
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    with pytest.raises(RuntimeError, match="TensorFlow or JAX backend"):
        GradientFlow(tmp_path)
