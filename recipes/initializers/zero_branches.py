"""Fifty residual blocks without normalization learn where their branches begin as zero.

    keras-arch train initializers.zero_branches

Each block adds to its input a branch of two layers, He's law and LeCun's, which gives as much
as it gets: the mean square doubles, and fifty blocks make 2^50. With the last kernel of each
branch set to zero, the fifty are the identity, and all singular values of their Jacobian are
1. Both learn scikit-learn's digits by plain gradient descent at one rate. A minute on two
busy cores. Reaches a ratio of 2.003 a block, singular values of 1 without any error, and test
accuracies of 0.956 and 0.1, which is chance; the targets are 1.9 to 2.1, 1e-6, at least 0.9
and at most 0.3.

Goyal et al. Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour. 2017.
Hardt, Ma. Identity Matters in Deep Learning. ICLR 2017.
"""

import keras
import numpy as np
from matplotlib.figure import Figure

import keras_arch
from keras_arch import analysis, initializers
from keras_arch.recipes.digits import learn
from keras_arch.recipes.experiment import main

TARGETS = {
    "ratio": (1.9, 2.1),
    "identity_error": (None, 1e-6),
    "accuracy": (0.9, None),
    "standard_accuracy": (None, 0.3),
}
UNITS, DEPTH, RATE = 64, 50, 3e-3


def network(name, depth, seed):
    """Residual blocks of dense layers: ``(B, 8, 8, 1) -> (B, 10)``, logits."""
    seeds = keras.random.SeedGenerator(seed)
    he, lecun = initializers.HeNormal(seeds), initializers.LecunNormal(seeds)
    inputs = keras.Input((8, 8, 1), name="image")
    x = keras.layers.Rescaling(2.6, -0.8, name="scaled")(inputs)
    x = keras.layers.Flatten(name="flatten")(x)
    x = keras.layers.Dense(UNITS, kernel_initializer=lecun, name="stem")(x)
    for block in range(1, depth + 1):
        y = keras.layers.Dense(UNITS, "relu", kernel_initializer=he, name=f"block{block}_1")(x)
        y = keras.layers.Dense(UNITS, kernel_initializer=lecun, name=f"block{block}_2")(y)
        x = keras.layers.Add(name=f"block{block}")([x, y])
    model = keras.Model(inputs, keras.layers.Dense(10, name="head")(x), name=name)
    if name == "zero_branches":
        initializers.zero_residual_branches(model)
    return model


def measure(experiment, models, depth):
    """Mean squares by block and the singular values of all blocks, and the picture."""
    images, _ = next(iter(keras_arch.data.load("digits", "train", batch_size=256, seed=0)))
    names = ["stem", *(f"block{block}" for block in range(1, depth + 1))]
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    squares, values = {}, {}
    for name, model in models.items():
        taps = keras_arch.feature_extractor(model, names)(images)
        squares[name] = np.array([np.mean(np.square(taps[tap], dtype="float64")) for tap in names])
        blocks = keras.Model(model.get_layer("stem").output, model.get_layer(names[-1]).output)
        report = analysis.signal_report(blocks, taps["stem"], rows=UNITS, examples=1)
        values[name] = report.jacobian.singular_values[0]
        (line,) = left.semilogy(squares[name], "o", markersize=3, label=name)
        ratio = 1.0 if name == "zero_branches" else 2.0
        predicted = squares[name][0] * ratio ** np.arange(depth + 1)
        left.semilogy(predicted, color=line.get_color(), label=f"predicted: {ratio:.0f} a block")
        right.semilogy(np.maximum(values[name], 1e-12), "o", markersize=3, label=name)
    left.set(xlabel="block", ylabel="mean square", title="Signals")
    right.set(xlabel="rank", title="Singular values of all blocks together")
    left.legend()
    right.legend()
    alt = "Left, mean squares by block: doubling with standard branches, level with zero ones; "
    experiment.picture(figure, "signals", alt + "right, singular values: decades, and all one")
    growth = squares["standard"][-1] / squares["standard"][0]
    return growth ** (1 / depth), np.abs(values["zero_branches"] - 1).max()


def run(experiment):
    """Measure both, train both, export the one that began as the identity."""
    depth = 6 if experiment.quick or experiment.steps else DEPTH
    names = ("zero_branches", "standard")
    models = {name: network(name, depth, experiment.seed) for name in names}
    ratio, error = measure(experiment, models, depth)
    accuracies = {
        name: learn(experiment, model, keras.optimizers.SGD(RATE), epochs=15)
        for name, model in models.items()
    }
    experiment.save(models["zero_branches"])
    return {
        "ratio": ratio,
        "identity_error": error,
        "accuracy": accuracies["zero_branches"],
        "standard_accuracy": accuracies["standard"],
    }


if __name__ == "__main__":
    main(run, TARGETS)
