"""What the layers of a small ZFNet look for, projected back to the pixels.

    keras-arch train vision.deconvnet

Trains a narrow ZFNet on scikit-learn's digits at 32x32, then projects the strongest
activation of each stage back to the pixels with a deconvnet: for four feature maps of a
stage the three test digits that excite them most, beside their reconstructions, in
``deconvnet.png``. A reconstruction is checked, too: the tenth of an image's pixels where it
is strongest are blanked, and by how much the activation falls says how much it depended on
them; a tenth chosen at random is the control.

Todo:

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
    "left_without_strongest": (None, 0.5),
    "left_without_random": (0.5, None),
}
STAGES = ("stage1", "stage2", "stage3")
MAPS, IMAGES = 4, 3  # that the picture shows of each stage
BLANKED = 0.1


def strongest(maps):
    """The maps of a stage that answer most, and for each the images: ``(MAPS, IMAGES)``."""
    peaks = maps.max(axis=(1, 2))
    channels = np.argsort(-peaks.max(axis=0))[:MAPS]
    return channels, np.argsort(-peaks[:, channels], axis=0)[:IMAGES].T


def left(model, stage, channel, images, importance):
    """What is left of a map's peaks without each image's most important pixels."""
    count = int(BLANKED * images[0].size)
    blanked = images.copy().reshape(len(images), -1)
    for image, weights in zip(blanked, importance.reshape(len(images), -1), strict=True):
        image[np.argsort(-weights)[:count]] = 0
    features = keras_arch.feature_extractor(model, [stage])

    def peaks(x):
        return np.asarray(features(x)[stage])[..., channel].max(axis=(1, 2))

    return peaks(blanked.reshape(images.shape)) / peaks(images)


def look(model, images, seed):
    """Reconstructions of every stage, and what blanking leaves of the activations."""
    random, shown = np.random.default_rng(seed), {}
    without_strongest, without_random = [], []
    maps = keras_arch.feature_extractor(model, STAGES).predict(images, verbose=0)
    for stage in STAGES:
        shown[stage] = []
        for channel, chosen in zip(*strongest(maps[stage]), strict=True):
            seen = images[chosen]
            found = keras_arch.analysis.deconvnet(model, seen, stage, channel=int(channel))
            shown[stage].append((seen, found))
            check = functools.partial(left, model, stage, channel, seen)
            without_strongest.append(check(np.abs(found)))
            without_random.append(check(random.random(found.shape)))
    return shown, np.mean(without_strongest), np.mean(without_random)


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
    shown, without_strongest, without_random = look(model, images, experiment.seed)
    experiment.picture(
        draw(shown),
        "deconvnet",
        f"For {MAPS} feature maps of each of three stages, the {IMAGES} test digits that "
        "excite them most, each beside what a deconvnet reconstructs of its activation",
    )
    experiment.save(model)
    return {
        "accuracy": accuracy,
        "left_without_strongest": without_strongest,
        "left_without_random": without_random,
    }


if __name__ == "__main__":
    main(run, TARGETS)
