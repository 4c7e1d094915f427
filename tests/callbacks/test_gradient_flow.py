"""GradientFlow: the numbers are GradientTape's, and training does not notice."""

import copy
import logging
import math
import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.util import tensor_util

from keras_arch.callbacks import GradientFlow

BATCH = 8


@keras.saving.register_keras_serializable()
class Gate(keras.layers.Layer):
    """A layer of our own, with a kernel under another name."""

    def build(self, shape):
        self.mix = self.add_weight(shape=(shape[-1], shape[-1]), name="mix")

    def call(self, x):
        return x * keras.ops.tanh(keras.ops.matmul(x, self.mix))


def build(**compile_arguments):
    keras.utils.set_random_seed(3)
    tokens = keras.Input((5,), dtype="int32", name="tokens")
    x = keras.layers.Embedding(7, 4, name="embedding")(tokens)
    x = keras.layers.SimpleRNN(6, name="recurrent")(x)
    x = keras.layers.BatchNormalization(name="norm")(x)
    x = keras.layers.Dropout(0.3, name="dropout")(x)
    x = Gate(name="gate")(x)
    model = keras.Model(tokens, keras.layers.Dense(3, name="head")(x))
    compile_arguments = {"optimizer": "sgd", "jit_compile": False, **compile_arguments}
    model.compile(loss=keras.losses.SparseCategoricalCrossentropy(True), **compile_arguments)
    return model


def batches(count=4):
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 7, (count * BATCH, 5)), rng.integers(0, 3, count * BATCH)
    return tf.data.Dataset.from_tensor_slices((x, y)).batch(BATCH)


def fit(model, data=None, callbacks=(), **arguments):
    data = batches() if data is None else data
    return model.fit(data, callbacks=list(callbacks), shuffle=False, verbose=0, **arguments)


def scalars(log_dir):
    events = EventAccumulator(str(log_dir / "gradient_flow"), {"scalars": 0, "tensors": 0})
    events.Reload()
    return {t: [(e.step, e.value) for e in events.Scalars(t)] for t in events.Tags()["scalars"]}


def taped(model, data):
    """For each step: gradients of a tape, then the same step taken by the model itself."""

    @tf.function(jit_compile=model.jit_compile)  # or XLA would draw other dropout masks
    def gradients_of(x, y):
        with tf.GradientTape() as tape:
            loss = model.compute_loss(x, y, model(x, training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        return [tf.convert_to_tensor(gradient) for gradient in gradients]

    steps = []
    for x, y in data:
        states = [v.numpy() for v in model.variables]
        gradients = [gradient.numpy().astype("float64") for gradient in gradients_of(x, y)]
        for variable, state in zip(model.variables, states, strict=True):
            variable.assign(state)  # statistics and seeds as they were
        before = [v.numpy().astype("float64") for v in model.trainable_variables]
        model.train_on_batch(x, y)
        after = [v.numpy().astype("float64") for v in model.trainable_variables]
        steps.append((gradients, before, after))
    return steps


def norm(*arrays):
    return math.sqrt(sum(float(np.sum(np.square(array))) for array in arrays))


OPTIMIZERS = {
    "clipped": lambda: keras.optimizers.Adam(0.01, global_clipnorm=1e-3),
    "dynamic": lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.01), 1024.0),
    "accumulated": lambda: keras.optimizers.SGD(0.5, gradient_accumulation_steps=2),
}
LAYERS = {  # and where the kernels of each stand among the trainable variables
    "000_embedding": [0],
    "001_recurrent/simple_rnn_cell": [1, 2],
    "002_gate": [6],
    "003_head": [7],
}


@pytest.mark.parametrize(
    ("kind", "jit_compile"), [*((kind, False) for kind in OPTIMIZERS), ("dynamic", True)]
)
def test_norms_are_those_of_a_tape(tmp_path, kind, jit_compile):
    model = build(optimizer=OPTIMIZERS[kind](), jit_compile=jit_compile)
    fit(model, callbacks=[GradientFlow(tmp_path, every=1)])
    logged = scalars(tmp_path)

    steps = taped(build(optimizer=OPTIMIZERS[kind](), jit_compile=jit_compile), batches())
    if kind == "accumulated":
        steps = steps[1::2]  # those that update
    expected = {}
    for index, (gradients, before, after) in enumerate(steps):
        rows = {"global_gradient_norm/optimizer": norm(*gradients)}
        for layer, places in LAYERS.items():
            weight = norm(*(before[p] for p in places))
            rows[f"gradient_norm/{layer}"] = norm(*(gradients[p] for p in places))
            rows[f"weight_norm/{layer}"] = weight
            rows[f"update_ratio/{layer}"] = norm(*(after[p] - before[p] for p in places)) / weight
        for tag, value in rows.items():
            expected.setdefault(f"log10_{tag}", []).append((index, value))
    assert logged.keys() == expected.keys()
    for tag, rows in expected.items():
        assert [step for step, _ in logged[tag]] == [step for step, _ in rows]
        values = [10**value for _, value in logged[tag]]
        np.testing.assert_allclose(values, [value for _, value in rows], rtol=1e-5, err_msg=tag)


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
    gradients = [norm(gradients[7]) for gradients, _, _ in taped(build(), batches())]
    logged = scalars(tmp_path)["log10_gradient_norm/003_head"]
    assert [step for step, _ in logged] == [1, 3]
    np.testing.assert_allclose([10**v for _, v in logged], gradients[1::2], rtol=1e-5)


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


def test_the_layout_draws_each_kind_in_one_chart(tmp_path):
    fit(build(), callbacks=[GradientFlow(tmp_path)])
    events = EventAccumulator(str(tmp_path / "gradient_flow"))
    events.Reload()
    [event] = events.Tensors("custom_scalars__config__")
    content = tensor_util.make_ndarray(event.tensor_proto).item()
    [category] = layout_pb2.Layout.FromString(content).category
    tags = events.Tags()["scalars"]
    drawn = [
        [tag for tag in tags if any(re.search(p, tag) for p in chart.multiline.tag)]
        for chart in category.chart
    ]
    assert sorted(map(len, drawn)) == [1, 4, 4, 4]
    assert sorted(tag for tags_of_one in drawn for tag in tags_of_one) == sorted(tags)


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
    assert [step for step, _ in logged["log10_weight_norm/000_first"]] == [1, 2]


class Raise(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        raise KeyError("on purpose")


def test_nothing_is_left_behind_where_training_raised(tmp_path):
    model = build()
    callback = GradientFlow(tmp_path)
    with pytest.raises(KeyError, match="on purpose"):
        fit(model, callbacks=[callback, Raise()])
    assert "apply" not in vars(model.optimizer)
    with pytest.raises(tf.errors.InvalidArgumentError):  # labels out of range, in the step
        fit(model, batches().map(lambda x, y: (x, y + 9)), [callback])
    assert "apply" not in vars(model.optimizer)
    assert model.train_function is None
    fit(model, callbacks=[callback])
    assert model.train_function is None
    copy.deepcopy(callback)


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
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(RuntimeError, match="TensorFlow backend"):
        GradientFlow(tmp_path)
