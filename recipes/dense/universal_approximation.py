"""One hidden layer approximates the sine the better, the wider it is.

    keras-arch train dense.universal_approximation

Hidden units with evenly spread kinks, the last layer by least squares, on 10,000 points of a
period; the error is the root of the mean square on as many others. Beside them the network
of 16 units as gradient descent finds it, which moves the kinks, too. A minute and a half on
four very busy cores. Reaches 7.6e-2, 4.1e-3, 2.6e-4 and 1.6e-5 with 4, 16, 64 and 256 units,
a sixteenth for each fourfold width, and 2.2e-2 to 3.9e-2 by gradient descent (seeds 0 to 2);
the targets are a quarter or less for each fourfold width, and 0.1 by gradient descent.

Cybenko. Approximation by Superpositions of a Sigmoidal Function. Mathematics of Control,
Signals and Systems 1989. Hornik. Approximation Capabilities of Multilayer Feedforward
Networks. Neural Networks 1991. The first is about sigmoids, the second about any bounded
activation; about rectifiers, too: Leshno, Lin, Pinkus, Schocken. Neural Networks 1993.
"""

import functools
import itertools

import keras
import numpy as np
from matplotlib.figure import Figure

import keras_arch
from keras_arch.recipes.experiment import main

TARGETS = {
    "largest_ratio": (None, 0.25),
    "trained_error_16": (None, 0.1),
}
WIDTHS, TRAINED = (4, 16, 64, 256), 16


def mlp(units, name):
    """One hidden layer of rectifiers: ``(B, 1) -> (B, 1)``."""
    return keras_arch.models.MLP(
        features=1,
        units=(units,),
        activation="relu",
        classes=1,
        classifier_activation=None,
        name=name,
    )


def spread(width):
    """Its units open one after the other along the period."""
    model = mlp(width, name=f"spread_{width}")
    kinks = np.linspace(-np.pi, np.pi, width, endpoint=False)
    model.get_layer("block1").set_weights([np.ones((1, width)), -kinks])
    return model


def solve(model, x, y):
    """Set the last layer to the least squares solution."""
    hidden = keras.Model(model.input, model.get_layer("block1").output)
    features = np.c_[hidden.predict(x, batch_size=len(x), verbose=0), np.ones(len(x))]
    weights, *_ = np.linalg.lstsq(features.astype("float64"), y, rcond=None)
    model.get_layer("head").set_weights([weights[:-1], weights[-1]])


def error(model, x, y):
    """Root of the mean square."""
    return float(np.sqrt(np.mean((model.predict(x, batch_size=len(x), verbose=0) - y) ** 2)))


def picture(experiment, models, errors):
    """The functions, and the errors over the widths."""
    figure = Figure(figsize=(8, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    x = np.linspace(-np.pi, np.pi, 400, dtype="float32")[:, None]
    left.plot(x, np.sin(x), "k", linewidth=4, alpha=0.3, label="sine")
    for width, model in models.items():
        left.plot(x, model.predict(x, verbose=0), label=f"{width} units")
    left.legend()
    right.loglog(errors.keys(), errors.values(), "o-")
    right.set(xlabel="units", ylabel="error")
    alt = "Left: the sine and networks that follow it; right: their errors, falling with the width"
    experiment.picture(figure, "approximation", alt)


def run(experiment):
    """Solve at each width, train one, export the widest."""
    load = functools.partial(
        keras_arch.data.load, "sine", batch_size=1000, examples=10_000, task_seed=experiment.seed
    )
    (x, y), (new_x, new_y) = (
        map(np.concatenate, zip(*load(split).as_numpy_iterator(), strict=True))
        for split in ("train", "test")
    )
    models, errors = {}, {}
    for width in WIDTHS:
        models[width] = spread(width)
        solve(models[width], x, y)
        errors[width] = error(models[width], new_x, new_y)
    picture(experiment, models, errors)
    model = mlp(TRAINED, name="trained")
    epochs = 5 if experiment.quick else 50
    model.compile(
        keras.optimizers.Adam(
            keras.optimizers.schedules.CosineDecay(1e-2, epochs * int(load().cardinality()))
        ),
        "mse",
    )
    experiment.fit(model, load, epochs)
    experiment.save(models[WIDTHS[-1]])
    found = list(errors.values())
    return {
        **{f"error_{width}": value for width, value in errors.items()},
        "largest_ratio": max(b / a for a, b in itertools.pairwise(found)),
        f"trained_error_{TRAINED}": error(model, new_x, new_y),
    }


if __name__ == "__main__":
    main(run, TARGETS)
