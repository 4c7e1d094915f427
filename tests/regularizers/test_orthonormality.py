"""Orthonormality: its value, its gradient, and where its descent ends."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_arch.regularizers import Orthonormality


@pytest.mark.parametrize("shape", [(5, 4), (3, 3, 2, 6), (3, 3, 3, 7)])
def test_value_and_gradient(shape):
    x = np.random.default_rng(0).normal(size=shape)
    w = x.reshape(-1, shape[-1])
    lack = w.T @ w - np.eye(shape[-1])
    variable = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(variable)
        value = Orthonormality(0.3)(variable)
    np.testing.assert_allclose(value, 0.15 * np.sum(lack**2), rtol=1e-6)
    slope = tape.gradient(value, variable)
    np.testing.assert_allclose(slope, (0.6 * w @ lack).reshape(shape), rtol=1e-6)


@pytest.mark.parametrize("shape", [(3, 3, 4, 8), (3, 12), (1, 1, 4, 4)])
def test_it_is_zero_for_orthonormal_kernels_only(shape):
    kernel = keras.initializers.Orthogonal(seed=0)(shape)
    assert float(Orthonormality(1.0)(kernel)) < 1e-9
    assert float(Orthonormality(1.0)(1.1 * kernel)) > 0.05


def test_descent_brings_every_singular_value_to_one():
    inputs = keras.Input((6, 6, 3))
    law = keras.initializers.HeNormal(seed=0)
    layer = keras.layers.Conv2D(
        8, 3, use_bias=False, kernel_initializer=law, kernel_regularizer=Orthonormality(0.1)
    )
    model = keras.Model(inputs, layer(inputs))
    model.compile(keras.optimizers.SGD(0.5), loss=lambda y, p: 0.0 * p)

    def values():
        return np.linalg.svd(np.reshape(layer.kernel, (-1, 8)), compute_uv=False)

    before, lack = values(), float(model.losses[0])
    x = np.ones((400, 6, 6, 3), "float32")
    model.fit(x, np.zeros((400, 4, 4, 8)), batch_size=4, verbose=0)
    assert np.abs(before - 1).max() > 0.3
    np.testing.assert_allclose(values(), 1, atol=1e-3)
    assert float(model.losses[0]) < 1e-4 * lack


def test_what_is_no_kernel_is_refused():
    with pytest.raises(ValueError, match="`x`"):
        Orthonormality(0.1)(np.ones(3))
    with pytest.raises(ValueError, match="`rate`"):
        Orthonormality(-1)
