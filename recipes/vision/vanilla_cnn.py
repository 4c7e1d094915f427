"""A thousand layers without normalization or shortcut learn, from their initialization alone.

    keras-arch train vision.vanilla_cnn [--full]

Delta-orthogonal kernels on the critical line of tanh, against Gaussian ones of the same
variance: scikit-learn's digits, 1,000 layers of 8 channels, four epochs of plain gradient
descent at one rate for both. The gradient of the first layer over that of the last says why:
it arrives, or it does not. ``--full`` takes 10,000 layers, and hours on a CPU. RESULT

Xiao, Bahri, Sohl-Dickstein, Schoenholz, Pennington. Dynamical Isometry and a Mean Field
Theory of CNNs. ICML 2018.
"""

import functools

import keras
import numpy as np

import keras_arch
from keras_arch.recipes.experiment import main

TARGETS = {
    "accuracy": (0.3, None),
    "gaussian_accuracy": (None, 0.2),
    "gradient_ratio": (0.1, 10.0),
    "gaussian_gradient_ratio": (None, 0.01),
}
LAYERS, CHANNELS, EPOCHS = 1000, 8, 4
RATE = 0.05  # over the depth: what one layer moves, all of them do


def options(parser):
    """The recipe's own."""
    parser.add_argument("--full", action="store_true", help="10,000 layers instead of 1,000")


def network(depth, initializer):
    """Digits at 8x8 through the deep part at full size: ``(B, 8, 8, 1) -> (B, 10)``."""
    return keras_arch.models.VanillaCNN(
        depth,
        CHANNELS,
        strides=(1,),
        initializer=initializer,
        input_shape=(8, 8, 1),
        name=initializer,
    )


def gradient_ratio(model, batch):
    """Norm of the gradient of the first layer over that of the last."""
    import tensorflow as tf

    images, labels = batch
    kernel = model.get_layer("stage1").stacked_kernel

    @tf.function
    def slopes():
        with tf.GradientTape() as tape:
            loss = model.compute_loss(images, labels, model(images, training=True))
        return tape.gradient(loss, kernel.value)

    norms = np.linalg.norm(np.reshape(slopes(), (kernel.shape[0], -1)), axis=1)
    return norms[0] / norms[-1]


def run(experiment):
    """Train with both laws, export the network that learned."""
    load = functools.partial(keras_arch.data.load, "digits", batch_size=64)
    depth = 10 * LAYERS if experiment.options.full else LAYERS
    if experiment.quick or experiment.steps:
        depth = 50
    numbers = {}
    for name, prefix in (("delta_orthogonal", ""), ("gaussian", "gaussian_")):
        keras.utils.set_random_seed(experiment.seed)
        model = network(depth, name)
        model.compile(
            keras.optimizers.SGD(RATE / depth),
            keras.losses.SparseCategoricalCrossentropy(),
            metrics=["accuracy"],
            jit_compile=False,  # its loop is slow on a CPU
        )
        ratio = gradient_ratio(model, next(iter(load("train"))))
        experiment.fit(model, functools.partial(load, split="train"), EPOCHS, part=name)
        found = model.evaluate(load("test"), verbose=0, return_dict=True)
        numbers[f"{prefix}accuracy"] = found["accuracy"]
        numbers[f"{prefix}gradient_ratio"] = ratio
        if not prefix:
            experiment.save(model)
    return numbers


if __name__ == "__main__":
    main(run, TARGETS, options)
