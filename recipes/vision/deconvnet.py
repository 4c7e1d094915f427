"""What the layers of a small ZFNet look for, projected back to the pixels.

    keras-arch train vision.deconvnet

Trains a narrow ZFNet on scikit-learn's digits at 32x32, then projects the strongest
activation of each stage back to the pixels with a deconvnet: for four feature maps of a
stage the three test digits that excite them most, beside their reconstructions, in
``deconvnet.png``. For stages 2 and 3 the reconstructions are checked, too: of the pixels
that an activation reads, the quarter that gives most by its reconstruction is blanked, and
what is left of the activation says how much it depended on them; a quarter chosen at random
and the brightest quarter are the controls. (Of stage 1 blanking says nothing: its units read
the contrast of a few pixels, which a black one raises.) A minute and a half on four busy
cores. Reaches a test accuracy of 0.983 (0.975 with seed 1); without the strongest quarter 0.51
(0.58) of an activation is left, without a random one 1.07 (1.02), and without the brightest
0.45 (0.56): on black ground, where the ink is says as much. Targets: at least 0.95, at most
0.7, at least 0.9.

Zeiler, Fergus. Visualizing and Understanding Convolutional Networks. ECCV 2014.
"""

import functools

import keras
import numpy as np
from matplotlib.figure import Figure

import keras_arch
from keras_arch.recipes.experiment import main

TARGETS = {
    "accuracy": (0.95, None),
    "left_without_strongest": (None, 0.7),
    "left_without_random": (0.9, None),
}
STAGES, CHECKED = ("stage1", "stage2", "stage3"), ("stage2", "stage3")
MAPS, IMAGES = 4, 3  # that the picture shows of each stage
BLANKED = 0.25


def strongest(maps):
    """The maps of a stage that answer most, and for each the images: ``(MAPS, IMAGES)``."""
    peaks = maps.max(axis=(1, 2))
    channels = np.argsort(-peaks.max(axis=0))[:MAPS]
    return channels, np.argsort(-peaks[:, channels], axis=0)[:IMAGES].T


def left(answer, images, read, importance):
    """What is left of each image's strongest activation without its most important pixels.

    Args:
        answer: A map's activations, of images.
        images: The images, ``(N, H, W, 1)``.
        read: Where a pixel matters to the activation, of the same shape.
        importance: Of each pixel, of the same shape.
    """
    everyone = np.arange(len(images))
    blanked = images.reshape(len(images), -1).copy()
    for image, where, weights in zip(blanked, read, importance, strict=True):
        pixels = np.flatnonzero(where)
        first = np.argsort(-weights.ravel()[pixels])[: int(BLANKED * len(pixels))]
        image[pixels[first]] = 0
    before = answer(images).reshape(len(images), -1)
    after = answer(blanked.reshape(images.shape)).reshape(len(images), -1)
    there = before.argmax(axis=1)  # and not where the blanked image excites the map most
    return after[everyone, there] / before[everyone, there]


def look(model, images, seed):
    """Reconstructions of every stage, and what blanking leaves of the activations."""
    random, shown = np.random.default_rng(seed), {}
    found = {"strongest": [], "random": [], "brightest": []}
    maps = keras_arch.feature_extractor(model, STAGES).predict(images, verbose=0)
    for stage in STAGES:
        shown[stage] = []
        features = keras_arch.feature_extractor(model, [stage])
        for channel, chosen in zip(*strongest(maps[stage]), strict=True):
            seen = images[chosen]
            back = keras_arch.analysis.deconvnet(model, seen, stage, channel=int(channel))
            shown[stage].append((seen, back))
            if stage not in CHECKED:
                continue

            def answer(x, features=features, stage=stage, channel=channel):
                return np.asarray(features(x)[stage])[..., channel]

            orders = {
                "strongest": seen * back,
                "random": random.random(back.shape),
                "brightest": seen,
            }
            for name, importance in orders.items():
                found[name].append(left(answer, seen, back != 0, importance))
    return shown, {f"left_without_{name}": np.mean(values) for name, values in found.items()}


def draw(shown):
    """A row a stage; each image beside its reconstruction, on a scale of its own."""
    figure = Figure(figsize=(2 * MAPS * IMAGES * 0.6, len(shown) * 0.9))
    axes = figure.subplots(len(shown), 2 * MAPS * IMAGES)
    for row, (stage, of_maps) in zip(axes, shown.items(), strict=True):
        pairs = [pair for seen, found in of_maps for pair in zip(seen, found, strict=True)]
        for axis, image in zip(row, [image for pair in pairs for image in pair], strict=True):
            axis.imshow(image[..., 0], cmap="gray")
            axis.set(xticks=[], yticks=[])
        row[0].set_ylabel(stage)
    return figure


def run(experiment):
    """Train, look, draw, export."""
    load = functools.partial(keras_arch.data.load, "digits", batch_size=64, image_size=32)
    model = keras_arch.models.ZFNet(
        widths=(32, 64, 96, 96, 64),
        units=(128,),
        kernel_initializer="he_normal",
        stem="cifar",
        input_shape=(32, 32, 1),
        classes=10,
    )
    epochs = 2 if experiment.quick else 12
    rate = keras.optimizers.schedules.CosineDecay(0.03, epochs * int(load("train").cardinality()))
    model.compile(
        keras.optimizers.SGD(rate, momentum=0.9, nesterov=True),
        keras.losses.SparseCategoricalCrossentropy(),
        metrics=["accuracy"],
    )
    test = load("test")
    experiment.fit(model, functools.partial(load, split="train"), epochs, validation_data=test)
    accuracy = model.evaluate(test, verbose=0, return_dict=True)["accuracy"]
    images = np.concatenate([np.asarray(x) for x, _ in test])
    shown, checks = look(model, images, experiment.seed)
    experiment.picture(
        draw(shown),
        "deconvnet",
        f"For {MAPS} feature maps of each of three stages, the {IMAGES} test digits that "
        "excite them most, each beside what a deconvnet reconstructs of its activation",
    )
    experiment.save(model)
    return {"accuracy": accuracy, **checks}


if __name__ == "__main__":
    main(run, TARGETS)
