"""A small model, its training, and the same training by hand: what a tape says of each step."""

import math

import keras
import numpy as np
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

BATCH = 8
LAYERS = {  # and where the kernels of each stand among the trainable variables
    "000_embedding": [0],
    "001_recurrent/simple_rnn_cell": [1, 2],
    "002_gate": [6],
    "003_head": [7],
}
GROUPS = {
    "embeddings": [0],
    "kernel": [1, 7],
    "recurrent_kernel": [2],
    "bias": [3, 8],
    "gamma": [4],
    "beta": [5],
    "mix": [6],
}


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
    head = keras.layers.Dense(3, name="head", dtype="float32")
    model = keras.Model(tokens, head(x))
    compile_arguments = {"optimizer": "sgd", "jit_compile": False, **compile_arguments}
    model.compile(loss=keras.losses.SparseCategoricalCrossentropy(True), **compile_arguments)
    return model


def batches(count=4):
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 7, (count * BATCH, 5)), rng.integers(0, 3, count * BATCH)
    return tf.data.Dataset.from_tensor_slices((x, y)).batch(BATCH, drop_remainder=True)


def fit(model, data=None, callbacks=(), **arguments):
    data = batches() if data is None else data
    return model.fit(data, callbacks=list(callbacks), shuffle=False, verbose=0, **arguments)


def events(log_dir):
    every = {"scalars": 0, "tensors": 0, "images": 0}
    return EventAccumulator(str(log_dir / "gradient_flow"), every).Reload()


def scalars(log_dir):
    """The scalars of the steps, those of epochs aside: step and value, by tag."""
    found = events(log_dir)
    tags = [tag for tag in found.Tags()["scalars"] if not tag.startswith("epoch/")]
    return {tag: [(e.step, e.value) for e in found.Scalars(tag)] for tag in tags}


def norm(*arrays):
    return math.sqrt(sum(float(np.sum(np.square(array))) for array in arrays))


def taped(model, data):
    """For each step: gradients of a tape, then the same step taken by the model itself.

    The gradients are of the variables themselves, as the optimizer should see them; the output of
    the recurrent layer comes with them.
    """
    watched = keras.Model(model.input, [model.get_layer("recurrent").output, model.output])

    @tf.function(jit_compile=model.jit_compile)  # or XLA would draw other dropout masks
    def gradients_of(x, y):
        with tf.GradientTape() as tape:
            inner, predicted = watched(x, training=True)
            loss = model.compute_loss(x, y, predicted)
        gradients = tape.gradient(loss, model.trainable_variables)
        return [tf.convert_to_tensor(gradient) for gradient in gradients], inner

    steps = []
    for x, y in data:
        states = [v.numpy() for v in model.variables]
        gradients, inner = gradients_of(x, y)
        gradients = [gradient.numpy().astype("float64") for gradient in gradients]
        for variable, state in zip(model.variables, states, strict=True):
            variable.assign(state)  # statistics and seeds as they were
        before = [v.numpy().astype("float64") for v in model.trainable_variables]
        model.train_on_batch(x, y)
        after = [v.numpy().astype("float64") for v in model.trainable_variables]
        steps.append((gradients, before, after, tf.cast(inner, "float64").numpy()))
    return steps


def expected(steps):
    """The scalars that such steps have, by tag: a value for each step."""
    rows = {}
    for gradients, before, after, inner in steps:
        values = {"log10_global_gradient_norm/optimizer": norm(*gradients)}
        for prefix, parts in (("", LAYERS), ("group_", GROUPS)):
            for name, places in parts.items():
                weight = norm(*(before[p] for p in places))
                moved = norm(*(after[p] - before[p] for p in places))
                values[f"log10_{prefix}gradient_norm/{name}"] = norm(
                    *(gradients[p] for p in places)
                )
                values[f"log10_{prefix}weight_norm/{name}"] = weight
                values[f"log10_{prefix}update_ratio/{name}"] = moved / weight if weight else np.inf
        values["activation_mean/001_recurrent"] = inner.mean()
        values["log10_activation_variance/001_recurrent"] = inner.var()
        values["dead_fraction/001_recurrent"] = (inner == inner[:1]).all(axis=0).mean()
        for tag, value in values.items():
            rows.setdefault(tag, []).append(value)
    return rows


def assert_logged(logged, wanted, steps, rtol, only=""):
    """Every scalar is there, at every step, and equal."""
    assert logged.keys() == wanted.keys()
    for tag in (tag for tag in wanted if only in tag):
        assert [step for step, _ in logged[tag]] == list(steps), tag
        values = [10**v if tag.startswith("log10_") else v for _, v in logged[tag]]
        np.testing.assert_allclose(values, wanted[tag], rtol=rtol, atol=1e-8, err_msg=tag)
