"""How networks of the recipes learn scikit-learn's 8x8 digits, where only their start differs."""

import functools

import keras

import keras_arch
from keras_arch.recipes.experiment import Experiment
from keras_arch.recipes.machine import jit_compile


def learn(
    experiment: Experiment, model: keras.Model, optimizer: keras.optimizers.Optimizer, epochs: int
) -> float:
    """Train a network that gives logits, ``(B, 8, 8, 1) -> (B, 10)``; returns its test accuracy.

    Args:
        experiment: The run; a brief one (``--quick``) takes one epoch.
        model: The network; its name is that of its part of the run.
        optimizer: How it learns.
        epochs: Passes over the data, in batches of 64.
    """
    load = functools.partial(keras_arch.data.load, "digits", batch_size=64)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, metrics=["accuracy"], jit_compile=jit_compile())
    train = functools.partial(load, split="train")
    experiment.fit(model, train, 1 if experiment.quick else epochs, part=model.name)
    return model.evaluate(load("test"), verbose=0, return_dict=True)["accuracy"]
