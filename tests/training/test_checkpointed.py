"""A checkpointed step is the plain step, bit by bit; and the faults of a naive one are seen."""

import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_arch
from keras_arch.training import checkpointed
from keras_arch.training import checkpointed as function

module = sys.modules[function.__module__]
AT = ["stage1", "stage2"]


@keras.saving.register_keras_serializable("tests")
class Warming(keras.layers.Layer):
    """A layer whose state decides what it gives."""

    def build(self, shape):
        self.count = self.add_weight(name="count", initializer="zeros", trainable=False)

    def call(self, x, training=False):
        x = x * (1 + 0.1 * keras.ops.cast(self.count, x.dtype))
        if training:
            self.count.assign(self.count + 1)
        return x


def network(penalty="l2"):
    """Everything that a recomputation can get wrong, and a tensor that skips a cut."""
    keras.utils.set_random_seed(0)
    image = keras.Input((8, 8, 3), name="image")
    shared = keras.layers.BatchNormalization(momentum=0.9, name="shared_bn")
    x = keras.layers.Conv2D(6, 3, padding="same", name="conv1")(image)
    x = shared(x)
    skip = keras.layers.ReLU(name="relu1")(x)
    x = keras.layers.Dropout(0.4, seed=1, name="dropout1")(skip)
    x = keras.layers.Identity(name="stage1")(x)
    x = keras.layers.Conv2D(6, 3, padding="same", name="conv2")(x)
    x = Warming(name="warming")(x)
    x = shared(x)  # in two parts
    x = keras.layers.GaussianNoise(0.1, seed=2, name="noise")(x)
    x = keras.layers.Add(name="add")([x, skip])
    x = keras.layers.Identity(name="stage2")(x)
    x = keras.layers.Dropout(0.4, seed=3, name="dropout2")(x)
    x = keras.layers.Conv2D(4, 3, activity_regularizer=penalty, name="conv3")(x)
    x = keras.layers.BatchNormalization(momentum=0.9, name="bn3")(x)
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    x = keras.layers.Dense(3, kernel_regularizer="l2", dtype="float32", name="head")(x)
    return keras.Model(image, x, name="net")


rng = np.random.default_rng(0)
X, Y = rng.normal(size=(6, 8, 8, 3)).astype("float32"), rng.integers(0, 3, 6)


def step(make, jit_compile=False, **arguments):
    """One step: loss, gradients, and everything that is not trained."""
    model = network(**arguments)
    trained = make(model)
    trained.compile(loss=keras.losses.SparseCategoricalCrossentropy(True))

    @tf.function(jit_compile=jit_compile)
    def run():
        with tf.GradientTape() as tape:
            loss = trained.compute_loss(X, Y, trained(X, training=True))
        return loss, tape.gradient(loss, [v.value for v in model.trainable_variables])

    loss, gradients = run()
    states = [variable.numpy() for variable in model.variables if not variable.trainable]
    return float(loss), [gradient.numpy() for gradient in gradients], states


def same(one, other, exact=True):
    """Whether loss, gradients and states of two steps are the same."""
    (loss, gradients, states), (loss2, gradients2, states2) = one, other
    size = np.sqrt(sum(np.sum(g**2) for g in gradients))
    distance = np.sqrt(
        sum(np.sum((a - b) ** 2) for a, b in zip(gradients, gradients2, strict=True))
    )
    close = np.array_equal if exact else lambda a, b: np.allclose(a, b, rtol=1e-5, atol=1e-6)
    alike = all(close(a, b) for a, b in zip(states, states2, strict=True))
    return {"loss": close(loss, loss2), "gradients": distance < 1e-5 * size, "states": alike}


@pytest.fixture(scope="module")
def plain():
    return step(lambda model: model)


@pytest.mark.parametrize("at", [AT, ["stage2"], ["conv1", "relu1", "conv2", "add", "pool"], None])
def test_a_step_is_the_plain_step(at, plain):
    assert all(same(plain, step(lambda model: checkpointed(model, at))).values())


def test_so_it_is_with_xla_but_for_the_order_of_additions():
    one, other = (step(make, True) for make in (lambda m: m, checkpointed))
    assert all(same(one, other, exact=False).values())


def test_so_it_is_in_half_precision():
    keras.config.set_dtype_policy("mixed_bfloat16")
    one, other = (step(make, penalty=None) for make in (lambda m: m, checkpointed))
    assert all(same(one, other).values())


def part_of(state, wanted):
    return [pair for pair in state if ("seed" in pair[0].path) == wanted]


def no_snapshot(monkeypatch):
    """Statistics are not set back before the second run."""
    original = module.snapshot
    monkeypatch.setattr(module, "snapshot", lambda part: part_of(original(part), wanted=True))


def no_seeds(monkeypatch):
    """Random numbers are drawn anew in the second run, or never move on."""
    original = module.snapshot
    monkeypatch.setattr(module, "snapshot", lambda part: part_of(original(part), wanted=False))


def statistics_twice(monkeypatch):
    """The second run moves them as well."""
    original = module.pure

    def twice(part, state, training):
        run = original(part, state, training)

        def again(*tensors):
            _, after, _ = run(*tensors)
            moved = [(v, value) for (v, _), value in zip(state, after, strict=True)]
            outputs, _, losses = run(*tensors)
            return outputs, original(part, moved, training)(*tensors)[1], losses

        return again

    monkeypatch.setattr(module, "pure", twice)


def naive(monkeypatch):
    """Recomputation alone, as `keras.remat` of the part: nothing is set back."""

    def run_of(part, state, training):
        def run(*tensors):
            outputs = part(list(tensors[: len(part.inputs)]), training=training)
            return keras.tree.flatten(outputs), [variable.value for variable, _ in state], []

        return run

    monkeypatch.setattr(module, "pure", run_of)


@pytest.mark.parametrize("fault", [no_snapshot, no_seeds, statistics_twice, naive])
def test_a_fault_is_seen(fault, monkeypatch, plain):
    fault(monkeypatch)
    assert not all(same(plain, step(lambda model: checkpointed(model, AT))).values())


def test_parts_are_recomputed_and_their_inside_is_forgotten(monkeypatch):
    runs = []
    original = module.pure

    def counted(part, state, training):
        run = original(part, state, training)

        def counting(*tensors):
            tf.py_function(lambda: runs.append(part.name), [], [])
            return run(*tensors)

        return counting

    monkeypatch.setattr(module, "pure", counted)
    step(lambda model: checkpointed(model, AT))
    names = ["net_part1", "net_part2", "net_part3"]
    assert sorted(runs) == sorted(2 * names)


def test_fit_trains_the_given_model_and_leaves_it_whole(tmp_path):
    losses, weights = [], []
    for make in (lambda model: model, checkpointed):
        model = network()
        trained = make(model)
        trained.compile(
            keras.optimizers.SGD(0.1),
            keras.losses.SparseCategoricalCrossentropy(True),
            metrics=["accuracy"],
            jit_compile=False,
        )
        history = trained.fit(X, Y, batch_size=3, epochs=3, shuffle=False, verbose=0).history
        losses.append(history["loss"])
        weights.append(model.get_weights())
        np.testing.assert_array_equal(trained.predict(X, verbose=0), model.predict(X, verbose=0))
        model.save(tmp_path / "model.keras")
        again = keras.models.load_model(tmp_path / "model.keras")
        np.testing.assert_array_equal(again(X), model(X))
    np.testing.assert_allclose(*losses, rtol=1e-5)
    for one, other in zip(*weights, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_it_saves_itself_too(tmp_path):
    lean = checkpointed(network(), AT)
    lean.save(tmp_path / "lean.keras")
    again = keras.models.load_model(tmp_path / "lean.keras")
    assert len(again.parts) == 3
    np.testing.assert_array_equal(again(X), lean(X))


def test_several_inputs_and_outputs():
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    x = keras.layers.Dense(4, "tanh", name="block1")(a)
    y = keras.layers.Dense(4, name="left")(keras.layers.Add(name="sum")([x, b]))
    model = keras.Model({"a": a, "b": b}, {"x": x, "y": y})
    inputs = {"a": X[:, 0, 0, :1].repeat(4, 1), "b": X[:, 1, 0, :1].repeat(4, 1)}
    found, expected = checkpointed(model)(inputs), model(inputs)
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        np.testing.assert_array_equal(found[key], value)


@pytest.mark.parametrize("name", ["ResNet", "DenseNet", "VGG", "STN", "VanillaCNN"])
def test_families_are_cut_at_their_taps(name):
    entry = keras_arch.get(name)
    model = entry.target(**next(iter(entry.tiny.values())))
    lean = checkpointed(model)
    x = rng.normal(size=(2, *model.input_shape[1:])).astype("float32")
    np.testing.assert_array_equal(lean(x), model(x))
    assert len(lean.parts) > 1


def test_on_jax():
    code = f"""
import os; os.environ["KERAS_BACKEND"] = "jax"
import sys; sys.path[:0] = {sys.path!r}
import jax, keras, numpy as np
from keras_arch.training import checkpointed
def net():
    keras.utils.set_random_seed(0)
    x = image = keras.Input((6,))
    for index in range(1, 4):
        x = keras.layers.Dense(6, "tanh", name=f"dense{{index}}")(x)
        x = keras.layers.BatchNormalization(name=f"bn{{index}}")(x)
        x = keras.layers.Dropout(0.3, seed=index, name=f"block{{index}}")(x)
    return keras.Model(image, keras.layers.Dense(1, name="head")(x))
x, y = np.random.default_rng(0).normal(size=(8, 6)), np.ones((8, 1))
found = []
for make in (lambda m: m, checkpointed):
    model = net(); trained = make(model); trained.compile("sgd", "mse")
    trained.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0)
    found.append([np.asarray(v) for v in model.variables])
for one, other in zip(*found, strict=True):
    np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
lean = checkpointed(net())
trained, rest = ([v.value for v in of] for of in (
    lean.trainable_variables, lean.non_trainable_variables))
lowered = jax.make_jaxpr(lambda v: lean.stateless_call(v, rest, x, training=True)[0])(trained)
assert "remat" in str(lowered) or "checkpoint" in str(lowered)
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


def test_what_cannot_be_cut_is_refused():
    with pytest.raises(ValueError, match="`model`"):
        checkpointed(keras.Sequential())
    for at in (["nowhere"], []):
        with pytest.raises(ValueError, match="`at`"):
            checkpointed(network(), at)
    image = keras.Input((4, 4, 1))
    x = keras.layers.Conv2D(2, 1, name="inner")
    x = keras.layers.SpectralNormalization(x, name="block1")(image)
    assigning = checkpointed(keras.Model(image, keras.layers.ReLU(name="relu")(x)))
    with pytest.raises(ValueError, match=r"`model`.*inner/kernel"):
        assigning(X[:, :4, :4, :1], training=True)
    tokens = keras.Input((5,), dtype="int32")
    x = keras.layers.Embedding(3, 4, mask_zero=True, name="block1")(tokens)
    masked = keras.Model(tokens, keras.layers.LSTM(2, name="lstm")(x))
    with pytest.raises(ValueError, match=r"`at`.*masked"):
        checkpointed(masked)
