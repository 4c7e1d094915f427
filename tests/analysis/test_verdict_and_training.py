"""The signal report's verdict, against what a short training then does."""

import keras
import numpy as np
import pytest
from keras import layers
from sklearn.datasets import load_digits

from keras_arch import initializers
from keras_arch.analysis import signal_report

WIDTH, EXAMPLES, EPOCHS = 32, 256, 12
RATES = 0.01, 0.1
CHANCE = np.log(10)

digits = load_digits()
X = ((digits.data[:EXAMPLES] - 4.9) / 6.0).astype("float32")
Y = digits.target[:EXAMPLES]


def network(depth, activation="relu", law=initializers.HeNormal, bias=0.0, residual=False):
    """A chain of dense layers, or of blocks ``x + branch(x)``: ``(B, 64) -> (B, 10)``."""
    seeds = keras.random.SeedGenerator(0)
    inputs = keras.Input((64,), name="features")
    x = layers.Dense(WIDTH, kernel_initializer=initializers.LecunNormal(seeds), name="stem")(inputs)
    for index in range(1, depth + 1):
        y = layers.Dense(
            WIDTH,
            activation,
            kernel_initializer=law(seeds),
            bias_initializer=keras.initializers.Constant(bias),
            name=f"block{index}",
        )(x)
        if residual:
            law_of_end = initializers.RandomNormal(0.0, 0.1 * WIDTH**-0.5, seeds)
            y = layers.Dense(WIDTH, kernel_initializer=law_of_end, name=f"block{index}_end")(y)
            y = layers.Add(name=f"block{index}_add")([x, y])
        x = y
    return keras.Model(inputs, layers.Dense(10, name="head")(x))


def gaussian(seeds):
    return initializers.RandomNormal(0.0, 1.0, seeds)


NETWORKS = {
    "he_relu": ("healthy", {"depth": 10}),
    "residual": ("healthy", {"depth": 15, "residual": True}),
    "sigmoids": (
        "vanishing",
        {"depth": 30, "activation": "sigmoid", "law": initializers.GlorotUniform},
    ),
    "exploding": ("exploding", {"depth": 30, "law": gaussian}),
    "dead": ("dead", {"depth": 10, "bias": -20.0}),
}


def losses(model):
    """What a short training ends at, at each rate; not a number where that is what it gives."""
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(), loss, jit_compile=False, steps_per_execution=4)
    start = model.get_weights()
    for rate in RATES:
        model.set_weights(start)
        model.optimizer.learning_rate = rate
        model.fit(X, Y, batch_size=64, epochs=EPOCHS, verbose=0)
        yield model.evaluate(X, Y, batch_size=EXAMPLES, verbose=0)


@pytest.mark.parametrize("name", NETWORKS)
def test_what_is_called_healthy_learns_and_nothing_else_does(name):
    diagnosis, arguments = NETWORKS[name]
    model = network(**arguments)
    report = signal_report(model, X[:64])
    assert report.diagnosis == diagnosis
    found = list(losses(model))
    if report.diagnosis == "healthy":
        assert np.nanmin(found) < CHANCE / 2, report.verdict
    else:
        assert not any(after < 0.95 * CHANCE for after in found), report.verdict
