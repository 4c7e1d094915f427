"""Order, chaos, and the line between them, where a deep network can learn.

    keras-arch train initializers.order_chaos

The correlation of two inputs in networks of tanh, biases of variance 0.05, layer by layer:
in order all inputs become one, in chaos like ones become unlike, each within a depth that
theory predicts; on the critical line, kernels of variance 1.761 over the fan-in, that depth
has no bound. Then 60 layers learn scikit-learn's digits in each of the three phases, by
plain gradient descent. The paper finds that networks learn up to six depth scales deep: 7
layers in this order, 32 in this chaos (where 30 still learn, to 0.63). Four minutes on four
busy cores. Reaches correlations within 0.038 of those predicted (target 0.05), and test
accuracies of 0.91 on the line, 0.10 in order and 0.11 in chaos; the targets are 0.8, and less
than 0.5 off the line.

Schoenholz, Gilmer, Ganguli, Sohl-Dickstein. Deep Information Propagation. ICLR 2017.
"""

import keras
import numpy as np
from matplotlib.figure import Figure

from keras_arch import initializers
from keras_arch.recipes.digits import learn
from keras_arch.recipes.experiment import main

TARGETS = {
    "largest_error": (None, 0.05),
    "critical_variance": (1.760, 1.762),
    "accuracy": (0.8, None),
    "order_accuracy": (None, 0.5),
    "chaos_accuracy": (None, 0.5),
}
BIAS_VARIANCE = 0.05
CRITICAL = initializers.critical_variance("tanh", BIAS_VARIANCE)
PHASES = {"order": 0.5, "critical": CRITICAL, "chaos": 6.0}
UNITS, NETWORKS, START, LAYERS = 500, 16, 0.6, 20
WIDTH, DEPTH = 128, 60


def correlations(kernel_variance, seed, networks):
    """Mean correlation of two inputs after each layer, in networks of 500 units."""
    rng = np.random.default_rng(seed)
    field = initializers.MeanField("tanh", kernel_variance, BIAS_VARIANCE)
    first, second = rng.normal(size=(2, networks, UNITS)) * field.variance**0.5
    pair = np.stack([first, START * first + (1 - START**2) ** 0.5 * second])
    found = [START]
    for _ in range(LAYERS):
        kernels = rng.normal(size=(networks, UNITS, UNITS)) * (kernel_variance / UNITS) ** 0.5
        biases = rng.normal(size=(networks, 1, UNITS)) * BIAS_VARIANCE**0.5
        pair = (np.tanh(pair).swapaxes(0, 1) @ kernels + biases).swapaxes(0, 1)
        norms = np.linalg.norm(pair, axis=-1)
        found.append(((pair[0] * pair[1]).sum(-1) / (norms[0] * norms[1])).mean())
    return field, np.array(found)


def measure(experiment, networks):
    """Correlations beside the predicted ones, depth scales, and the picture."""
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    errors = []
    for phase, kernel_variance in PHASES.items():
        field, found = correlations(kernel_variance, experiment.seed, networks)
        predicted = [START]
        for _ in range(LAYERS):
            predicted.append(field.next_correlation(predicted[-1]))
        errors.append(np.abs(found - predicted).max())
        (line,) = left.plot(found, "o", label=f"{phase}: variance {kernel_variance:.2f}")
        left.plot(predicted, color=line.get_color())
    left.set(xlabel="layer", ylabel="correlation", title="Two inputs: networks, and theory")
    left.legend()
    variances = np.linspace(0.3, 6.0, 58)
    fields = [initializers.MeanField("tanh", value, BIAS_VARIANCE) for value in variances]
    right.semilogy(variances, [field.depth_scale for field in fields])
    right.axvline(CRITICAL, color="grey", linestyle=":", label=f"critical: {CRITICAL:.4f}")
    right.set(xlabel="kernel variance", ylabel="layers", title="Depth scale of a correlation")
    right.legend()
    alt = "Left, correlations of two inputs by layer on their predicted curves in three phases; "
    experiment.picture(figure, "phases", alt + "right, a depth scale that diverges at one variance")
    return max(errors)


def network(phase, depth, seed):
    """Tanh layers, Gaussian: ``(B, 8, 8, 1) -> (B, 10)``, logits."""
    seeds = keras.random.SeedGenerator(seed)
    kernel = initializers.VarianceScaling(PHASES[phase], "fan_in", "untruncated_normal", seeds)
    if phase == "critical":
        kernel = initializers.CriticalGaussian("tanh", BIAS_VARIANCE, seeds)
    inputs = keras.Input((8, 8, 1), name="image")
    x = keras.layers.Rescaling(2.6, -0.8, name="scaled")(inputs)
    x = keras.layers.Flatten(name="flatten")(x)
    for block in range(1, depth + 1):
        x = keras.layers.Dense(
            WIDTH,
            "tanh",
            kernel_initializer=kernel,
            bias_initializer=initializers.RandomNormal(0.0, BIAS_VARIANCE**0.5, seeds),
            name=f"block{block}",
        )(x)
    return keras.Model(inputs, keras.layers.Dense(10, name="head")(x), name=phase)


def run(experiment):
    """Measure and train the three phases, export the critical network."""
    brief = experiment.quick or experiment.steps
    error = measure(experiment, 2 if brief else NETWORKS)
    depth = 6 if brief else DEPTH
    models = {phase: network(phase, depth, experiment.seed) for phase in PHASES}
    accuracies = {
        phase: learn(experiment, model, keras.optimizers.SGD(3e-3), epochs=20)
        for phase, model in models.items()
    }
    experiment.save(models["critical"])
    return {
        "largest_error": error,
        "critical_variance": CRITICAL,
        "accuracy": accuracies["critical"],
        "order_accuracy": accuracies["order"],
        "chaos_accuracy": accuracies["chaos"],
    }


if __name__ == "__main__":
    main(run, TARGETS)
