"""An image classifier learns handwritten digits, sees its gradients, and can be served.

    keras-arch train vision.digits [--model NAME]

The 1,797 digits that ship with scikit-learn, at 32x32, one fifth of them kept for the
test. The default is a DenseNet-BC of 13 dense layers, about a minute on four busy cores; any image
classifier of the catalogue will do, families in a small size. Reaches a test accuracy of
0.99; the target is 0.985, and 0.964 for LeNet-5 in its modern form.

Huang et al. Densely Connected Convolutional Networks. CVPR 2017.
"""

import functools
import inspect

import keras

import keras_arch
from keras_arch.errors import invalid
from keras_arch.recipes.experiment import main

TARGETS = {"accuracy": (0.985, None)}
BATCH = 64
CHAIN = {"depths": (1, 1, 1), "widths": (16, 32, 64), "stem": "cifar"}
SMALL = {  # families in a size for small images; a preset is built as the catalogue says
    "DenseNet": {"depths": (3, 6, 4), "growth": 16},
    "LeNet5": {"variant": "modern"},
    "ResNet": {**CHAIN, "block": "basic", "conv_bias": False},
    "ResNetV2": {**CHAIN, "block": "basic", "wiring": "paper"},
    "VGG": {**CHAIN, "units": (128,), "norm": "batch", "dropout": 0.5},
}


def options(parser):
    """The recipe's own."""
    parser.add_argument("--model", default="DenseNet", help="an image classifier (DenseNet)")
    parser.add_argument("--data", default="digits", help="digits, or any TFDS set of images")
    parser.add_argument("--epochs", type=int, default=15, help="passes over the data (15)")


def classifier(name, classes, shape):
    """The model: a family in a small size, a preset as it is, both for small images."""
    values = SMALL.get(name)
    if values is None:
        stem = "stem" in inspect.signature(keras_arch.get(name).target).parameters
        values = {"stem": "cifar"} if stem else {}
    return keras_arch.create(name, classes=classes, input_shape=shape, **values)


def run(experiment):
    """Train, measure, export."""
    data, name = experiment.options.data, experiment.options.model
    if keras_arch.get(name).task != "image-classification":
        raise invalid("model", "an image classifier (`keras-arch list --room vision`)", name)
    if name == "LeNet5":
        experiment.targets = {"accuracy": (0.964, None)}
    load = functools.partial(keras_arch.data.load, data, batch_size=BATCH, image_size=32)
    test = load("test")
    images, _ = test.element_spec
    classes = len(keras_arch.data.info(data).classes)
    model = classifier(name, classes, tuple(images.shape[1:]))
    keras_arch.training.set_norm_momentum(model, 0.9)
    epochs = 2 if experiment.quick else experiment.options.epochs
    steps = int(load("train").cardinality())
    rate = keras.optimizers.schedules.CosineDecay(
        1e-4, (epochs - 1) * steps, warmup_target=4e-3, warmup_steps=steps
    )
    model.compile(
        keras.optimizers.AdamW(rate, weight_decay=0.05),
        keras.losses.SparseCategoricalCrossentropy(),
        metrics=["accuracy"],
    )
    experiment.fit(model, functools.partial(load, split="train"), epochs, validation_data=test)
    accuracy = model.evaluate(test, verbose=0, return_dict=True)["accuracy"]
    experiment.save(model)
    return {"accuracy": accuracy}


if __name__ == "__main__":
    main(run, TARGETS, options)
