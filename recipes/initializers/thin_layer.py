"""One thin layer ruins it: two units among hundreds, and every fourth network is silent.

    keras-arch train initializers.thin_layer

Of 20,000 ReLU networks (50, 50, k, 50, 50) with He's law, for k from 1 to 50: the fourth
moment of an entry of the Jacobian grows as 1 + 5/k, by Hanin's law, and all k units are off
at once, so that no gradient passes at all, in 1 of 2^k. The mean square knows nothing of it.
Then two networks of 320 hidden units learn scikit-learn's digits: eight layers of 40, and
seven of 45 or 46 with one of 2 in their middle. Two minutes on two busy cores. Reaches
fourth moments within 0.04 of the exact ones and silent shares within 0.003 of 1/2^k, and
test accuracies of 0.94 and 0.70; the targets are 0.15, 0.01, at least 0.9, and at most 0.8
for the thin one.

Hanin. Which Neural Net Architectures Give Rise to Exploding and Vanishing Gradients?
NeurIPS 2018.
"""

import numpy as np
from matplotlib.figure import Figure

from keras_arch import analysis
from keras_arch.recipes.experiment import main
from keras_arch.recipes.initializers.jacobian_moments import BLOCK, INPUTS, moments, train

TARGETS = {
    "fourth_error": (None, 0.15),
    "silent_error": (None, 0.01),
    "accuracy": (0.9, None),
    "thin_accuracy": (None, 0.8),
}
NETWORKS, WIDE, THIN = 20_000, 50, (1, 2, 3, 4, 6, 10, 20, 50)
EVEN, RUINED = (40,) * 8, (46, 45, 45, 45, 2, 45, 46, 46)  # of 320 units both


def measure(experiment, networks):
    """Fourth moments and silent shares by the width of the thin layer, and the picture."""
    profiles = [(WIDE, WIDE, width, WIDE, WIDE) for width in THIN]
    found = np.array([moments(profile, networks, experiment.seed) for profile in profiles])
    exact = np.array([analysis.check_widths((INPUTS, *widths, 1)).fourth for widths in profiles])
    silent = np.array([1 - np.prod(1 - 0.5 ** np.array(profile)) for profile in profiles])
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.loglog(THIN, exact * INPUTS**2, "-", label="Hanin: 6 prod(1 + 5/n)")
    left.loglog(THIN, found[:, 1] * INPUTS**2, "o", label=f"{networks} networks")
    left.set(xlabel="units of the thin layer", ylabel="fourth moment, times n0 squared")
    left.set_title("Entries of the Jacobian")
    right.semilogx(THIN, silent, "-", label="1 of 2^k")
    right.semilogx(THIN, found[:, 2], "o", label=f"{networks} networks")
    right.set(xlabel="units of the thin layer", ylabel="share", title="No gradient at all")
    left.legend()
    right.legend()
    alt = "Fourth moment and share of silent networks by the width of one layer, on their curves"
    experiment.picture(figure, "thin_layer", alt)
    return np.abs(found[:, 1] / exact - 1).max(), np.abs(found[:, 2] - silent).max()


def run(experiment):
    """Measure all widths, train two networks, export the even one."""
    brief = experiment.quick or experiment.steps
    fourth_error, silent_error = measure(experiment, BLOCK if brief else NETWORKS)
    model, accuracy = train(experiment, "even", EVEN)
    _, thin_accuracy = train(experiment, "thin", RUINED)
    experiment.save(model)
    return {
        "fourth_error": fourth_error,
        "silent_error": silent_error,
        "accuracy": accuracy,
        "thin_accuracy": thin_accuracy,
    }


if __name__ == "__main__":
    main(run, TARGETS)
