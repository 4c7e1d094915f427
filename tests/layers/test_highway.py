"""Highway layers, written again in numpy."""

import itertools

import keras
import numpy as np
import pytest

from keras_arch.layers import HighwayConv2D, HighwayDense


def randomized(layer, shape):
    random = np.random.default_rng(0)
    layer.build(shape)
    layer.set_weights([random.normal(size=w.shape) for w in layer.weights])
    return random.normal(size=shape).astype("float32")


def test_formula():
    layer = HighwayDense(activation="tanh")
    x = randomized(layer, (4, 6))
    kernel, bias, gate_kernel, gate_bias = layer.get_weights()
    gate = 1 / (1 + np.exp(-(x @ gate_kernel + gate_bias)))
    expected = gate * np.tanh(x @ kernel + bias) + (1 - gate) * x
    np.testing.assert_allclose(layer(x), expected, rtol=1e-5, atol=1e-6)


def test_a_1x1_convolution_is_the_dense_layer_of_each_pixel():
    dense, convolution = HighwayDense(), HighwayConv2D(1)
    x = randomized(convolution, (2, 3, 4, 5))
    dense.build((None, 5))
    dense.set_weights(
        [w.reshape(w.shape[-2:]) if w.ndim > 1 else w for w in convolution.get_weights()]
    )
    np.testing.assert_allclose(convolution(x), dense(x), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("layer", [HighwayDense(), HighwayConv2D(3)])
def test_a_closed_gate_is_the_identity_and_an_open_one_a_layer(layer):
    x = randomized(layer, (2, 4, 4, 3))
    layer.gate.kernel.assign(np.zeros(layer.gate.kernel.shape))
    layer.gate.bias.assign(np.full(3, -200.0))
    np.testing.assert_array_equal(layer(x), x)
    layer.gate.bias.assign(np.full(3, 200.0))
    np.testing.assert_array_equal(layer(x), layer.transform(x))


def test_the_widths_that_the_authors_compare():
    highway, plain = HighwayDense(), keras.layers.Dense(71)
    highway.build((None, 50))
    plain.build((None, 71))
    assert (highway.count_params(), plain.count_params()) == (5_100, 5_112)


def test_the_more_negative_the_bias_the_less_a_layer_changes():
    x = np.random.default_rng(0).normal(size=(500, 50)).astype("float32")
    changes = []
    for bias in (-1.0, -2.0, -3.0, -4.0):
        keras.utils.set_random_seed(0)
        layer = HighwayDense(gate_bias=bias)
        changes.append(np.linalg.norm(layer(x) - x) / np.linalg.norm(x))
        np.testing.assert_array_equal(layer.gate.bias, np.full(50, bias))
    assert all(after < 0.7 * before for before, after in itertools.pairwise(changes))


def test_both_kernels_begin_apart():
    layer = HighwayDense(kernel_initializer=keras.initializers.HeNormal())
    layer.build((None, 4))
    assert not np.allclose(layer.transform.kernel, layer.gate.kernel)
