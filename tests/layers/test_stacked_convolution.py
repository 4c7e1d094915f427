"""A stack is the chain of its convolutions."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_arch.initializers import DeltaOrthogonal
from keras_arch.layers import StackedConv2D

X = np.random.default_rng(0).normal(size=(2, 6, 5, 3)).astype("float32")


def stack(depth=4, **arguments):
    arguments = {"activation": "tanh", "bias_initializer": "normal", **arguments}
    layer = StackedConv2D(depth, arguments.pop("kernel_size", 3), **arguments)
    layer.build(X.shape)
    return layer


@pytest.mark.parametrize("kernel_size", [1, 3, 4])
@pytest.mark.parametrize("padding", ["same", "circular"])
@pytest.mark.parametrize("jit_compile", [False, True])
def test_it_is_the_chain_and_has_its_gradients(kernel_size, padding, jit_compile):
    layer = stack(kernel_size=kernel_size, padding=padding)
    before = (kernel_size - 1) // 2
    around = [(0, 0), *[(before, kernel_size - 1 - before)] * 2, (0, 0)]
    kernels, biases = tf.unstack(layer.stacked_kernel.value), tf.unstack(layer.stacked_bias.value)
    x = tf.constant(X)
    with tf.GradientTape() as tape:
        tape.watch([x, *kernels, *biases])
        y = x
        for kernel, bias in zip(kernels, biases, strict=True):
            if padding == "circular":
                rows, columns = (
                    np.arange(-first, size + last) % size
                    for size, (first, last) in zip((6, 5), around[1:3], strict=True)
                )
                y = tf.gather(tf.gather(y, rows, axis=1), columns, axis=2)
                y = tf.nn.conv2d(y, kernel, 1, "VALID")
            else:
                y = tf.nn.conv2d(y, kernel, 1, "SAME")
            y = tf.tanh(y + bias)
        expected = tf.reduce_sum(y**2)
    slopes = tape.gradient(expected, [x, kernels, biases])

    @tf.function(jit_compile=jit_compile)
    def ours(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x)
            total = tf.reduce_sum(y**2)
        variables = [variable.value for variable in layer.trainable_variables]
        return y, tape.gradient(total, [x, *variables])

    found, (of_x, of_kernels, of_biases) = ours(x)
    np.testing.assert_allclose(found, y, atol=1e-6)
    np.testing.assert_allclose(of_x, slopes[0], atol=1e-5)
    np.testing.assert_allclose(of_kernels, slopes[1], atol=1e-5)
    np.testing.assert_allclose(of_biases, slopes[2], atol=1e-5)


@pytest.mark.parametrize(
    "law", ["glorot_normal", "orthogonal", "random_normal", DeltaOrthogonal(1.5, seed=3)]
)
def test_each_kernel_is_a_draw_of_its_own_by_the_law_of_one(law):
    kernels = np.asarray(stack(300, kernel_initializer=law).stacked_kernel)
    assert len({kernel.tobytes() for kernel in kernels}) == 300
    one = np.asarray(keras.initializers.get(law)((3, 3, 3, 3)))
    if law in ("glorot_normal", "random_normal"):
        deviation = {"glorot_normal": (2 / 54) ** 0.5, "random_normal": 0.05}[law]
        assert kernels.std() == pytest.approx(deviation, rel=0.05)
        between = np.corrcoef(kernels.reshape(300, -1))
        assert np.abs(between - np.eye(300)).max() < 0.55  # 81 numbers each
    else:
        flat = (kernels[:, 1, 1] if one[0, 0].any() == 0 else kernels).reshape(300, -1, 3)
        gain = 1.5 if isinstance(law, DeltaOrthogonal) else 1.0
        grams = np.transpose(flat, (0, 2, 1)) @ flat
        np.testing.assert_allclose(
            grams, np.broadcast_to(gain**2 * np.eye(3), grams.shape), atol=1e-5
        )


def test_a_seed_gives_the_same_stack_again():
    for law in (keras.initializers.GlorotNormal(seed=5), DeltaOrthogonal(seed=5)):
        first, second = (stack(kernel_initializer=law).stacked_kernel for _ in range(2))
        np.testing.assert_array_equal(first, second)


def test_the_penalty_is_that_of_every_kernel():
    law = keras.regularizers.L1L2(0.1, 0.2)
    layer = stack(kernel_regularizer=law)
    expected = sum(float(law(kernel)) for kernel in ops.unstack(layer.stacked_kernel.value))
    assert float(sum(layer.losses)) == pytest.approx(expected, rel=1e-5)


def test_any_size_of_image():
    image = keras.Input((None, None, 3))
    model = keras.Model(image, stack(padding="circular")(image))
    assert model.output_shape == (None, None, None, 3)
    assert model(X).shape == X.shape


@pytest.mark.parametrize(
    ("argument", "value"), [("depth", 0), ("kernel_size", 0), ("padding", "valid")]
)
def test_what_cannot_be_is_refused(argument, value):
    with pytest.raises(ValueError, match=f"`{argument}`"):
        StackedConv2D(**{"depth": 2, "kernel_size": 3, argument: value})
