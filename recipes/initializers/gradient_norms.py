"""Gradient norms by depth: plain, residual, dense and highway networks of equal size.

    keras-arch train initializers.gradient_norms

Four networks of 50 layers and some 205,000 weights read scikit-learn's digits, with Glorot's
law and ReLU. On its way back a gradient keeps the root of 1/2 of itself at each plain layer;
the root of 1 + 1/(2 L) at each of L residual ones, whose branches W relu(x) have 1/L of that
law's variance; and 1 - sigmoid(-4) = 0.982 at each highway one. To the dense one's layers
some path is always short. Then all learn by Adam at one rate. Three minutes on two busy
cores. Reaches factors of 0.707, 1.007 and 0.986 a layer, where 0.707, 1.005 and 0.982 are
predicted, and test accuracies of 0.10 (plain), 0.95, 0.96 (dense) and 0.93; the targets are
0.02 around the predictions, at most 0.3 for the plain network, and at least 0.9 for all
others.

Glorot, Bengio. Understanding the Difficulty of Training Deep Feedforward Neural Networks.
AISTATS 2010. He et al. Deep Residual Learning. CVPR 2016. Huang et al. Densely Connected
Convolutional Networks. CVPR 2017. Srivastava et al. Training Very Deep Networks. NeurIPS 2015.
"""

import keras
import numpy as np
from keras import layers
from matplotlib.figure import Figure

import keras_arch
from keras_arch import analysis, initializers
from keras_arch.recipes.digits import learn
from keras_arch.recipes.experiment import main

DEPTH, RATE, GATE_BIAS = 50, 3e-4, -4.0
PREDICTED = {
    "plain": 0.5**0.5,
    "residual": (1 + 0.5 / DEPTH) ** 0.5,
    "highway": 1 - 1 / (1 + np.exp(-GATE_BIAS)),
}
TARGETS = {
    **{name: (value - 0.02, value + 0.02) for name, value in PREDICTED.items()},
    "dense_decades": (None, 1.0),
    "plain_accuracy": (None, 0.3),
    **{f"{name}_accuracy": (0.9, None) for name in ("residual", "dense", "highway")},
}
UNITS = {"plain": 64, "residual": 64, "dense": 12, "highway": 45}  # for as many weights


def network(kind, depth, seed):
    """One of the four: ``(B, 8, 8, 1) -> (B, 10)``, logits; its layers are ``block1`` ..."""
    seeds, units = keras.random.SeedGenerator(seed), UNITS[kind]
    law = initializers.GlorotNormal(seeds)
    small = initializers.VarianceScaling(1 / depth, "fan_avg", "truncated_normal", seeds)
    inputs = keras.Input((8, 8, 1), name="image")
    x = layers.Rescaling(2.6, -0.8, name="scaled")(inputs)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(64 if kind == "dense" else units, kernel_initializer=law, name="stem")(x)
    for block in range(1, depth + 1):
        name = f"block{block}"
        if kind == "plain":
            x = layers.Dense(units, "relu", kernel_initializer=law, name=name)(x)
        elif kind == "residual":
            y = layers.ReLU(name=f"{name}_relu")(x)
            y = layers.Dense(units, kernel_initializer=small, name=f"{name}_branch")(y)
            x = layers.Add(name=name)([x, y])
        elif kind == "dense":
            y = layers.Dense(units, "relu", kernel_initializer=law, name=name)(x)
            x = layers.Concatenate(name=f"{name}_all")([x, y])
        else:
            x = keras_arch.layers.HighwayDense(
                gate_bias=GATE_BIAS, kernel_initializer=law, name=name
            )(x)
    return keras.Model(inputs, layers.Dense(10, name="head")(x), name=kind)


def gradients(model, images, depth):
    """Norms of the gradient by what each block gives."""
    report = analysis.signal_report(model, images, rows=1, examples=1)
    norms = {layer.name: layer.gradient for layer in report.layers}
    return np.array([norms[f"block{block}"] for block in range(1, depth + 1)])


def measure(experiment, models, depth):
    """Factors a layer, and the picture."""
    images, _ = next(iter(keras_arch.data.load("digits", "train", batch_size=256, seed=0)))
    ax = (figure := Figure(figsize=(8, 4.8), layout="constrained")).subplots()
    numbers, places = {}, np.arange(1, depth + 1)
    for kind, model in models.items():
        norms = gradients(model, images, depth)
        factor = np.exp(-np.polyfit(places, np.log(norms), 1)[0])
        (line,) = ax.semilogy(places, norms, "o", markersize=3, label=f"{kind}: {factor:.3f}")
        if kind in PREDICTED:
            numbers[kind] = factor
            back = norms[-1] * PREDICTED[kind] ** np.arange(depth - 1, -1, -1)
            label = f"predicted: {PREDICTED[kind]:.3f}"
            ax.semilogy(places, back, color=line.get_color(), linestyle=":", label=label)
        else:
            numbers[f"{kind}_decades"] = np.log10(norms.max() / norms.min())
    ax.set(xlabel="layer", ylabel="norm of the gradient", title="Factor a layer, on the way back")
    ax.legend(ncols=2, fontsize=8)
    alt = "Gradient norms by layer: plain falls by eight decades to the left, the others do not"
    experiment.picture(figure, "gradients", alt)
    return numbers


def run(experiment):
    """Measure the four, train the four, export the residual one."""
    depth = 6 if experiment.quick or experiment.steps else DEPTH
    models = {kind: network(kind, depth, experiment.seed) for kind in UNITS}
    numbers = measure(experiment, models, depth)
    for kind, model in models.items():
        print(f"{kind}: {model.count_params()} weights")
        accuracy = learn(experiment, model, keras.optimizers.Adam(RATE), epochs=10)
        numbers[f"{kind}_accuracy"] = accuracy
    experiment.save(models["residual"])
    return numbers


if __name__ == "__main__":
    main(run, TARGETS)
