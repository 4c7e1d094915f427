"""The sampler is scipy's interpolation, and its slope is that of finite differences."""

import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops
from scipy.ndimage import map_coordinates

from keras_arch.layers import SpatialTransformer, affine_grid, bilinear_sampler

IDENTITY = np.array([[1.0, 0, 0], [0, 1, 0]])
random = np.random.default_rng(0)


def images(*shape):
    return random.normal(size=shape).astype("float32")


def scipys(images, theta, height, width):
    """The same by scipy, one image and channel after the other, in float64."""
    batch, high, wide, channels = images.shape
    sides = (np.linspace(-1, 1, n) if n > 1 else np.zeros(1) for n in (height, width))
    y, x = np.meshgrid(*sides, indexing="ij")
    target = np.stack([x.ravel(), y.ravel(), np.ones(x.size)])
    out = np.empty((batch, height, width, channels))
    for n, channel in np.ndindex(batch, channels):
        x, y = theta[n] @ target
        places = [(y + 1) * (high - 1) / 2, (x + 1) * (wide - 1) / 2]
        found = map_coordinates(images[n, :, :, channel], places, order=1, mode="grid-constant")
        out[n, :, :, channel] = found.reshape(height, width)
    return out


def sampled(images, theta, height, width):
    return np.asarray(bilinear_sampler(images, affine_grid(theta, height, width)))


@pytest.mark.parametrize(("high", "wide"), [(9, 17), (6, 5), (1, 4)])
def test_the_identity_sees_the_image(high, wide):
    x = images(2, high, wide, 3)
    theta = np.stack([IDENTITY] * 2).astype("float32")
    np.testing.assert_allclose(sampled(x, theta, high, wide), x, atol=5e-6)


@pytest.mark.parametrize(("down", "right"), [(0, 1), (2, 0), (-3, 2), (9, 0)])
def test_whole_pixels_shift_exactly(down, right):
    x = images(1, 9, 17, 2)  # 8 and 16 steps: every coordinate is a binary fraction
    theta = np.array([[1, 0, 2 * right / 16], [0, 1, 2 * down / 8]])
    expected = np.zeros_like(x)
    for i, j in np.ndindex(9, 17):
        if 0 <= i + down < 9 and 0 <= j + right < 17:
            expected[0, i, j] = x[0, i + down, j + right]
    found = sampled(x, theta[None].astype("float32"), 9, 17)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(("height", "width"), [(7, 6), (4, 11), (1, 1)])
@pytest.mark.parametrize("spread", [0.2, 1.5])
def test_any_map_is_that_of_scipy(height, width, spread):
    x = images(5, 8, 9, 2)
    own = np.random.default_rng(0)  # whatever ran before: some of the places are in the image
    theta = (IDENTITY + spread * own.normal(size=(5, 2, 3))).astype("float32")
    expected = scipys(x, theta.astype("float64"), height, width)
    np.testing.assert_allclose(sampled(x, theta, height, width), expected, atol=2e-5)
    assert np.any(expected)


def test_gradients_are_finite_differences():
    x, weights = random.normal(size=(2, 4, 5, 1)), random.normal(size=(2, 5, 5, 1))
    theta = IDENTITY + 0.3 * random.normal(size=(2, 2, 3))

    def value(theta, x=x):
        return ops.sum(bilinear_sampler(x, affine_grid(theta, 5, 5)) * weights)

    inputs = [tf.constant(theta), tf.constant(x)]
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        total = value(*inputs)
    of_theta, of_x = tape.gradient(total, inputs)
    for found, at, of in ((of_theta, theta, value), (of_x, x, lambda x: value(theta, x))):
        numeric = np.empty(at.shape)
        for index in np.ndindex(at.shape):
            step = np.zeros(at.shape)
            step[index] = 1e-6  # kinks, where a place crosses a pixel, are rarer than that
            numeric[index] = (of(at + step) - of(at - step)) / 2e-6
        np.testing.assert_allclose(found, numeric, atol=1e-6)
        assert np.abs(numeric).max() > 0.1


def test_jax_gives_the_same(tmp_path):
    x, theta = images(2, 6, 7, 3), (IDENTITY + 0.5 * random.normal(size=(2, 2, 3)))
    theta = theta.astype("float32")
    np.savez(tmp_path / "given.npz", x=x, theta=theta)
    code = f"""
import os; os.environ["KERAS_BACKEND"] = "jax"
import jax, numpy as np
from keras_arch.layers import affine_grid, bilinear_sampler
given = np.load({str(tmp_path / "given.npz")!r})
def total(theta): return (bilinear_sampler(given["x"], affine_grid(theta, 5, 4)) ** 2).sum()
value, slope = jax.value_and_grad(total)(given["theta"])
np.savez({str(tmp_path / "found.npz")!r}, value=value, slope=slope)
"""
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    found = np.load(tmp_path / "found.npz")
    given = tf.constant(theta)
    with tf.GradientTape() as tape:
        tape.watch(given)
        value = ops.sum(bilinear_sampler(x, affine_grid(given, 5, 4)) ** 2)
    np.testing.assert_allclose(found["value"], value, rtol=1e-5)
    np.testing.assert_allclose(found["slope"], tape.gradient(value, given), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(("transform", "parameters"), [("affine", 6), ("attention", 3)])
def test_the_layer_begins_as_the_identity_and_learns_from_there(transform, parameters):
    layer = SpatialTransformer(transform=transform)
    x, features = images(2, 8, 8, 1), images(2, 5)
    np.testing.assert_allclose(layer((x, features)), x, atol=5e-6)
    assert layer.count_params() == 5 * parameters + parameters
    layer.kernel.assign(0.1 * random.normal(size=(5, parameters)))
    theta = np.asarray(layer.theta(features))
    expected = features @ np.asarray(layer.kernel) + np.asarray(layer.bias)
    if transform == "attention":
        scale, right, down = expected.T
        none = np.zeros(2)
        rows = [[scale, none, right], [none, scale, down]]
        expected = np.transpose(rows, (2, 0, 1))
    np.testing.assert_allclose(theta, expected.reshape(2, 2, 3), atol=1e-6)
    np.testing.assert_allclose(layer((x, features)), scipys(x, theta, 8, 8), atol=2e-5)


def test_half_precision_does_not_move_the_grid():
    x = np.arange(2 * 200 * 2, dtype="float32").reshape(1, 2, 200, 2) % 7
    layer = SpatialTransformer(dtype="mixed_bfloat16")
    seen = ops.cast(layer((x, images(1, 3))), "float32")
    np.testing.assert_allclose(seen, x, atol=0.05)


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="`transform`"):
        SpatialTransformer(transform="other")
    with pytest.raises(ValueError, match="`size`"):
        SpatialTransformer(size=(0, 3))
    assert keras.layers.deserialize(keras.layers.serialize(SpatialTransformer((3, 4)))).size == (
        3,
        4,
    )
