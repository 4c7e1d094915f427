"""A GAN finds all eight modes of a ring of Gaussians.

    keras-arch train generative.gan_ring

Eight Gaussians of deviation 0.05 on a circle of radius 2, where a GAN easily forgets some.
4,000 simultaneous steps with the penalty R1 of 0.3, about a minute on four busy cores. At the
optimum the discriminator is undecided, and loses 2 log 2 = 1.386. Reaches all 8 modes, with
0.83 to 0.86 of the samples within three deviations of one (seeds 0 to 5); the target is 0.6,
and a loss within 0.03 of 2 log 2.

Goodfellow et al. Generative Adversarial Networks. NIPS 2014.
"""

import functools
import math

import keras
import numpy as np
from matplotlib.figure import Figure

import keras_arch
from keras_arch.recipes.experiment import main

UNDECIDED = 2 * math.log(2)
TARGETS = {
    "modes": (8, 8),
    "near_a_mode": (0.6, None),
    "discriminator_loss": (UNDECIDED - 0.03, UNDECIDED + 0.03),
}
RADIUS, DEVIATION, MODES = 2.0, 0.05, 8
LATENT, BATCH, UPDATES, SAMPLES = 8, 256, 400, 10_000  # updates of an epoch


def nearest(samples):
    """Each sample's nearest mode, and whether it is within three deviations of it."""
    angles = 2 * np.pi * np.arange(MODES) / MODES
    centres = RADIUS * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    distances = np.linalg.norm(samples[:, None] - centres, axis=-1)
    return distances.argmin(axis=1), distances.min(axis=1) < 3 * DEVIATION


def picture(experiment, real, made):
    """Real and made samples, side by side."""
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    for ax, samples, title in zip(axes, (real, made), ("data", "generator"), strict=True):
        ax.hexbin(*samples[:5000].T, gridsize=60, bins="log", extent=(-3, 3, -3, 3), cmap="viridis")
        ax.set(title=title, aspect="equal")
    experiment.picture(
        figure, "samples", "Two density maps: eight spots on a ring, of data and of the generator"
    )


def run(experiment):
    """Train, count the modes, measure the discriminator, export the generator."""
    load = functools.partial(
        keras_arch.data.load, "gaussian_ring", batch_size=BATCH, task_seed=experiment.seed
    )
    model = keras_arch.models.GAN(
        latent=LATENT,
        widths=(128, 128),
        shape=(2,),
        activation=None,
        pieces=2,
        dropout=0.0,
        input_dropout=0.0,
        r1=0.3,
    )
    epochs = 2 if experiment.quick else 10
    # With momentum, or at a constant rate, the two go on circling around the optimum.
    rate = keras.optimizers.schedules.CosineDecay(1e-3, epochs * UPDATES, alpha=0.3)
    model.compile(keras.optimizers.Adam(rate, beta_1=0.0))
    experiment.fit(model, functools.partial(load, examples=BATCH * UPDATES), epochs)
    codes = keras.random.normal((SAMPLES, LATENT), seed=experiment.seed)
    made = model.predict(codes, batch_size=SAMPLES, verbose=0)
    test = load("test", examples=SAMPLES)
    real = np.concatenate([points for points, _ in test.as_numpy_iterator()])
    modes, near = nearest(made)
    found = np.bincount(modes[near], minlength=MODES) > SAMPLES / MODES / 10
    loss = model.evaluate(test, verbose=0, return_dict=True)["discriminator_loss"]
    picture(experiment, real, made)
    experiment.save(model.generator)
    return {"modes": found.sum(), "near_a_mode": near.mean(), "discriminator_loss": loss}


if __name__ == "__main__":
    main(run, TARGETS)
