"""GradientFlow where the test process cannot: ``flow_elsewhere.py jax|replicas FOLDER``.

Trains with the callback and by hand, prints what was logged and what it should have been, by
tag, whether the weights are the same bits without the callback, and whether TensorFlow came in.
"""

import json
import pathlib
import sys

import keras
import numpy as np

from keras_arch.callbacks import GradientFlow

STEPS, BATCH = 4, 8
rng = np.random.default_rng(0)
X = rng.normal(size=(STEPS * BATCH, 6, 6, 1)).astype("float32")
Y = rng.integers(0, 3, STEPS * BATCH)


def network():
    keras.utils.set_random_seed(1)
    image = keras.Input((6, 6, 1), name="image")
    x = keras.layers.Conv2D(4, 3, use_bias=False, name="conv")(image)
    x = keras.layers.BatchNormalization(name="norm")(x)
    x = keras.layers.ReLU(name="relu")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    x = keras.layers.Dense(5, activation="tanh", name="hidden")(x)
    return keras.Model(image, keras.layers.Dense(3, name="head")(x))


def compiled(optimizer):
    model = network()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, metrics=["accuracy"])
    return model


def train(model, callbacks=()):
    model.fit(X, Y, batch_size=BATCH, shuffle=False, verbose=0, callbacks=list(callbacks))
    return [np.asarray(v) for v in [*model.variables, *model.optimizer.variables]]


def logged(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder / "gradient_flow"), {"scalars": 0}).Reload()
    return {tag: [e.value for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


def rows(gradients, before, after, active):
    """The scalars of a step, of arrays by path of the variable and by name of the layer."""
    found = {}
    for depth, layer in enumerate(["conv", "hidden", "head"]):
        path, name = f"{layer}/kernel", f"{depth:03d}_{layer}"
        size = [
            np.linalg.norm(a) for a in (gradients[path], before[path], after[path] - before[path])
        ]
        found[f"log10_gradient_norm/{name}"] = np.log10(size[0])
        found[f"log10_weight_norm/{name}"] = np.log10(size[1])
        found[f"log10_update_ratio/{name}"] = np.log10(size[2] / size[1])
    total = np.sqrt(sum(np.sum(np.square(g)) for g in gradients.values()))
    found["log10_global_gradient_norm/optimizer"] = np.log10(total)
    for name, output in zip(("000_relu", "001_hidden"), active, strict=True):
        found[f"activation_mean/{name}"] = output.mean()
        found[f"log10_activation_variance/{name}"] = np.log10(output.var())
        same = (output == output[(slice(0, 1),) * (output.ndim - 1)]).reshape(-1, output.shape[-1])
        found[f"dead_fraction/{name}"] = same.all(0).mean()
    return {tag: float(value) for tag, value in found.items()}


def by_hand_on_jax(optimizer):
    import jax

    model = compiled(optimizer)
    tapped = keras.Model(
        model.input, [model.get_layer(n).output for n in ("relu", "hidden")] + [model.output]
    )
    paths = [v.path for v in model.trainable_variables]

    def loss(weights, x, y):
        states = [v.value for v in model.non_trainable_variables]
        (*active, predicted), _ = tapped.stateless_call(weights, states, x, training=True)
        return model.compute_loss(x, y, predicted), active

    for x, y in zip(np.split(X, STEPS), np.split(Y, STEPS), strict=True):
        before = [np.array(v.value) for v in model.trainable_variables]
        gradients, active = jax.grad(loss, has_aux=True)(before, x, y)
        model.train_on_batch(x, y)
        after = [np.array(v.value) for v in model.trainable_variables]
        parts = (
            dict(zip(paths, map(np.asarray, part), strict=True))
            for part in (gradients, before, after)
        )
        yield rows(*parts, map(np.asarray, active))


def without_tensorflow(folder):
    """Before anything else: Keras's ``set_random_seed`` imports it."""
    image = keras.Input((3,))
    model = keras.Model(image, keras.layers.Dense(1, name="head")(image))
    model.compile("sgd", "mse")
    callback = GradientFlow(folder / "first", histograms=True)
    model.fit(np.ones((8, 3)), np.ones((8, 1)), verbose=0, callbacks=[callback])
    return (
        bool(list((folder / "first" / "gradient_flow").iterdir()))
        and "tensorflow" not in sys.modules
    )


def on_jax(folder):
    free = without_tensorflow(folder)
    for name, make in {
        "adam": lambda: keras.optimizers.Adam(0.01, global_clipnorm=0.1),
        "scaled": lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1)),
    }.items():
        alone = train(compiled(make()))
        callback = GradientFlow(folder / name, every=1, histograms=name == "scaled")
        watched = train(compiled(make()), [callback])
        sometimes = train(compiled(make()), [GradientFlow(folder / f"{name} sometimes", every=3)])
        yield (
            name,
            {
                "same": [all(map(np.array_equal, alone, other)) for other in (watched, sometimes)],
                "without_tensorflow": free,
                "logged": logged(folder / name),
                "wanted": list(by_hand_on_jax(make())),
                "alarms": callback.alarms,
            },
        )


def on_replicas(folder):
    import tensorflow as tf

    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    for name, make in {
        "adam": lambda: keras.optimizers.Adam(0.01, clipnorm=0.1),
        "scaled": lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1)),
    }.items():

        def mirrored(make=make):
            with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
                return compiled(make())

        alone = train(mirrored())
        callback = GradientFlow(folder / name, every=1)
        watched = train(mirrored(), [callback])
        yield (
            name,
            {
                "same": [all(map(np.array_equal, alone, watched))],
                "logged": logged(folder / name),
                "wanted": list(by_hand_on_replicas(mirrored())),
                "alarms": callback.alarms,
            },
        )


def by_hand_on_replicas(model):
    """Each half of a batch passes its own batch normalization."""
    import tensorflow as tf

    alone = compiled("sgd")
    tapped = keras.Model(
        alone.input, [alone.get_layer(n).output for n in ("relu", "hidden")] + [alone.output]
    )
    paths = [v.path for v in model.trainable_variables]
    for x, y in zip(np.split(X, STEPS), np.split(Y, STEPS), strict=True):
        before = model.get_weights()
        alone.set_weights(before)
        halves = []
        with tf.GradientTape() as tape:
            loss = 0.0
            for half in (slice(BATCH // 2), slice(BATCH // 2, BATCH)):
                *active, predicted = tapped(x[half], training=True)
                halves.append(active)
                loss += alone.compute_loss(x[half], y[half], predicted) / 2
        gradients = [g.numpy() for g in tape.gradient(loss, alone.trainable_variables)]
        old = [v.numpy() for v in model.trainable_variables]
        data = tf.data.Dataset.from_tensors((x, y))
        model.fit(data.unbatch().batch(BATCH), shuffle=False, verbose=0)
        new = [v.numpy() for v in model.trainable_variables]
        parts = (dict(zip(paths, part, strict=True)) for part in (gradients, old, new))
        yield rows(*parts, [np.concatenate(both) for both in zip(*halves, strict=True)])


if __name__ == "__main__":
    where, folder = sys.argv[1:]
    train_there = {"jax": on_jax, "replicas": on_replicas}[where]
    print(json.dumps(dict(train_there(pathlib.Path(folder)))))
