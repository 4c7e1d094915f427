"""MinimalRNN adds two marked numbers of a sequence of fifty.

    keras-arch train sequence.minimal_rnn_adding

Made sequences of 50 numbers, two of them marked; the answer is their sum, and whoever
ignores the sequence has a mean squared error of 1/6. 64 units whose gates start out to keep
the state for some 20 steps (bias 3). 400 updates, half a minute on four busy cores. Reaches a mean
squared error of about 0.0001; the target is 0.002.

Chen. MinimalRNN: Toward More Interpretable and Trainable Recurrent Neural Networks.
NIPS 2017 Symposium on Interpretable Machine Learning.
"""

import functools

import keras

import keras_arch
from keras_arch.recipes.experiment import main

TARGETS = {"mean_squared_error": (None, 0.002)}
LENGTH, UNITS, BATCH, UPDATES = 50, 64, 100, 400


def network():
    """Sequence to number: ``(B, 50, 2) -> (B, 1)``."""
    inputs = keras.Input((LENGTH, 2), name="sequence")
    cell = keras_arch.layers.MinimalRNNCell(
        UNITS, bias_initializer=keras.initializers.Constant(3.0), name="block1_cell"
    )
    x = keras.layers.RNN(cell, name="block1")(inputs)
    x = keras.layers.Dense(1, dtype="float32", name="head")(x)
    return keras.Model(inputs, x, name="minimal_rnn")


def run(experiment):
    """Train, measure on sequences of another draw, export."""
    updates = 50 if experiment.quick else UPDATES
    load = functools.partial(
        keras_arch.data.load, "adding", batch_size=BATCH, length=LENGTH, task_seed=experiment.seed
    )
    model = network()
    model.compile(keras.optimizers.Adam(0.01), "mse")
    experiment.fit(model, functools.partial(load, examples=updates * BATCH), epochs=1)
    error = model.evaluate(load(split="test", examples=2000), verbose=0)
    experiment.save(model)
    return {"mean_squared_error": error}


if __name__ == "__main__":
    main(run, TARGETS)
