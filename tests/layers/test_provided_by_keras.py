"""Layers that Keras has, and what the lectures say of them: nothing to write, much to check."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers


def features(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def multiply_adds(layer, height, width):
    """Of a layer whose kernels are all used at each pixel of its output."""
    return sum(int(np.prod(weight.shape)) for weight in layer.weights) * height * width


class TestSeparableConv2D:
    def make(self, channels=5, filters=7, multiplier=1):
        layer = layers.SeparableConv2D(
            filters, 3, padding="same", depth_multiplier=multiplier, use_bias=False
        )
        layer.build((None, 8, 6, channels))
        layer.set_weights([features(*w.shape, seed=i) for i, w in enumerate(layer.weights)])
        return layer

    def test_is_a_depthwise_then_a_pointwise_convolution(self):
        layer, x = self.make(multiplier=2), features(2, 8, 6, 5)
        depthwise = layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2, use_bias=False)
        pointwise = layers.Conv2D(7, 1, use_bias=False)
        pointwise(depthwise(x))
        depthwise.set_weights([layer.depthwise_kernel])
        pointwise.set_weights([layer.pointwise_kernel])
        np.testing.assert_allclose(layer(x), pointwise(depthwise(x)), rtol=1e-5, atol=1e-5)

    def test_is_a_convolution_of_rank_one_between_channels(self):
        layer, x = self.make(), features(2, 8, 6, 5)
        each = np.asarray(layer.depthwise_kernel)  # (3, 3, C, 1)
        mix = np.asarray(layer.pointwise_kernel)  # (1, 1, C, N)
        full = layers.Conv2D(7, 3, padding="same", use_bias=False)
        full.build(x.shape)
        full.set_weights([each * mix])
        np.testing.assert_allclose(layer(x), full(x), rtol=1e-4, atol=1e-4)
        kernel = np.asarray(full.kernel)
        for channel in range(5):  # one spatial filter for every output
            assert np.linalg.matrix_rank(kernel[:, :, channel].reshape(9, 7), tol=1e-5) == 1

    @pytest.mark.parametrize(("size", "filters", "share"), [(3, 512, 0.113), (5, 16, 0.1025)])
    def test_costs_a_share_of_a_convolution(self, size, filters, share):
        split = layers.SeparableConv2D(filters, size, use_bias=False)
        full = layers.Conv2D(filters, size, use_bias=False)
        for layer in (split, full):
            layer.build((None, 14, 14, 64))
        found = multiply_adds(split, 14, 14) / multiply_adds(full, 14, 14)
        assert found == pytest.approx(1 / filters + 1 / size**2)
        assert found == pytest.approx(share, abs=5e-4)


def test_a_1x1_convolution_is_a_sum_over_channels():
    layer, x = layers.Conv2D(4, 1), features(2, 5, 3, 6)
    layer.build(x.shape)
    layer.set_weights([features(*w.shape, seed=i) for i, w in enumerate(layer.weights)])
    kernel, bias = layer.get_weights()
    expected = np.einsum("bhwc,cn->bhwn", x, kernel[0, 0]) + bias
    np.testing.assert_allclose(layer(x), expected, rtol=1e-5, atol=1e-5)
    assert layer.count_params() == 6 * 4 + 4  # a 3x3 convolution has nine times the kernel


def gradient(layer, x):
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.reduce_sum(layer(x))
    return tape.gradient(y, x).numpy()


class TestPooling:
    def test_error_of_a_maximum_goes_to_the_maximum(self):
        x = features(2, 6, 4, 3)
        found = gradient(layers.MaxPooling2D(2), x)
        for b, h, w, c in np.ndindex(2, 3, 2, 3):
            here = np.s_[b, 2 * h : 2 * h + 2, 2 * w : 2 * w + 2, c]
            expected = np.zeros(4)
            expected[x[here].argmax()] = 1
            np.testing.assert_array_equal(found[here].ravel(), expected)

    def test_error_of_an_average_is_shared(self):
        found = gradient(layers.AveragePooling2D(2), features(2, 6, 4, 3))
        np.testing.assert_array_equal(found, np.full((2, 6, 4, 3), 0.25))

    @pytest.mark.parametrize("layer", [layers.MaxPooling2D(2), layers.AveragePooling2D(2)])
    def test_channels_do_not_meet(self, layer):
        x, order = features(2, 6, 4, 5), np.array([3, 0, 4, 1, 2])
        np.testing.assert_array_equal(layer(x[..., order]), np.asarray(layer(x))[..., order])

    def test_a_strided_convolution_can_be_an_average_pooling(self):
        x = features(2, 6, 4, 3)
        layer = layers.Conv2D(3, 2, strides=2, use_bias=False)
        layer.build(x.shape)
        layer.set_weights([np.full((2, 2, 1, 1), 0.25) * np.eye(3)])
        np.testing.assert_allclose(layer(x), layers.AveragePooling2D(2)(x), rtol=1e-5, atol=1e-6)


def adaptive_average(x, height, width):
    """``torch.nn.AdaptiveAvgPool2d``: cell i goes from floor(i n / m) to ceil((i + 1) n / m)."""

    def cells(size, count):
        return [slice(i * size // count, -(-(i + 1) * size // count)) for i in range(count)]

    rows, columns = cells(x.shape[1], height), cells(x.shape[2], width)
    return np.stack([np.stack([x[:, r, c].mean((1, 2)) for c in columns], 1) for r in rows], 1)


SIZES = ((7, 7), (9, 5), (13, 13))


class TestAdaptiveAveragePooling2D:
    @pytest.mark.parametrize("size", SIZES)
    @pytest.mark.parametrize("output", [(1, 1), (2, 3), (4, 4), (7, 5)])
    def test_is_that_of_torch(self, size, output):
        x = features(2, *size, 3)
        found = layers.AdaptiveAveragePooling2D(output)(x)
        np.testing.assert_allclose(found, adaptive_average(x, *output), rtol=1e-4, atol=1e-6)

    def test_one_head_takes_any_size(self):
        head = keras.Sequential(
            [layers.AdaptiveAveragePooling2D(3), layers.Flatten(), layers.Dense(4)]
        )
        assert [head(features(2, *size, 3)).shape for size in SIZES] == [(2, 4)] * 3


@pytest.mark.parametrize(
    ("stride", "padding", "size"), [(1, "same", 9), (2, "same", 8), (2, "valid", 9)]
)
def test_a_transposed_convolution_is_the_adjoint_of_a_convolution(stride, padding, size):
    arguments = {"strides": stride, "padding": padding, "use_bias": False}
    down, up = layers.Conv2D(5, 3, **arguments), layers.Conv2DTranspose(4, 3, **arguments)
    x = features(2, size, size, 4)
    y = features(*down(x).shape, seed=1)
    up.build(y.shape)
    up.set_weights([down.kernel])  # what comes out of one goes into the other
    back = up(y)
    assert back.shape == x.shape
    assert np.vdot(down(x), y) == pytest.approx(np.vdot(x, back), rel=1e-4)
    np.testing.assert_allclose(back, pulled_back(down, x, y), rtol=1e-4, atol=1e-5)


def pulled_back(layer, x, error):
    """The gradient with respect to ``x`` of the output, weighted with ``error``."""
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x)
    return tape.gradient(y, x, output_gradients=tf.constant(error))
