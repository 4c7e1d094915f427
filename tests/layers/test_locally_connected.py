"""Locally connected layers: windows in numpy, and a convolution where all kernels are equal."""

import keras
import numpy as np
import pytest
from formula import image, values

from keras_arch.layers import LocallyConnected1D, LocallyConnected2D

SHAPES = [  # kernel, strides, padding
    ((3, 3), (1, 1), "valid"),
    ((3, 2), (2, 1), "valid"),
    ((2, 4), (3, 2), "valid"),
    ((3, 3), (1, 1), "same"),
    ((4, 3), (2, 3), "same"),
    ((1, 1), (2, 2), "same"),
]


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def randomise(layer):
    layer.set_weights([numbers(*w.shape, seed=index) for index, w in enumerate(layer.weights)])


@pytest.mark.parametrize(("size", "strides", "padding"), SHAPES)
def test_equal_kernels_make_a_convolution(size, strides, padding):
    x = numbers(2, 8, 9, 3)
    local = LocallyConnected2D(4, size, strides, padding, activation="tanh")
    conv = keras.layers.Conv2D(4, size, strides, padding, activation="tanh")
    assert local.compute_output_shape(x.shape) == conv.compute_output_shape(x.shape)
    expected = conv(x)
    conv.set_weights([numbers(*size, 3, 4), numbers(4)])
    local(x)
    local.set_weights(
        [
            np.broadcast_to(w, v.shape)
            for w, v in zip(conv.get_weights(), local.weights, strict=True)
        ]
    )
    np.testing.assert_allclose(local(x), conv(x), atol=1e-5)
    assert not np.allclose(conv(x), expected)


@pytest.mark.parametrize(("size", "stride", "padding"), [(3, 1, "valid"), (2, 3, "same")])
def test_equal_kernels_make_a_convolution_along_a_sequence(size, stride, padding):
    x = numbers(2, 8, 3)
    local = LocallyConnected1D(4, size, stride, padding)
    conv = keras.layers.Conv1D(4, size, stride, padding)
    local(x), conv(x)
    conv.set_weights([numbers(size, 3, 4), numbers(4)])
    local.set_weights(
        [
            np.broadcast_to(w, v.shape)
            for w, v in zip(conv.get_weights(), local.weights, strict=True)
        ]
    )
    np.testing.assert_allclose(local(x), conv(x), atol=1e-5)


def test_each_place_has_its_own_kernel_and_bias():
    x = numbers(2, 7, 6, 3)
    layer = LocallyConnected2D(4, (3, 2), (2, 1), activation="relu")
    layer(x)
    randomise(layer)
    kernel, bias = (np.asarray(weight) for weight in layer.weights)
    expected = np.zeros((2, 3, 5, 4))
    for i, j in np.ndindex(3, 5):
        window = x[:, 2 * i : 2 * i + 3, j : j + 2]
        expected[:, i, j] = np.einsum("byxc,yxcf->bf", window, kernel[i, j]) + bias[i, j]
    np.testing.assert_allclose(layer(x), np.maximum(expected, 0), atol=1e-5)


def test_each_place_along_a_sequence():
    x = numbers(2, 7, 3)
    layer = LocallyConnected1D(4, 3, 2)
    layer(x)
    randomise(layer)
    kernel, bias = (np.asarray(weight) for weight in layer.weights)
    for place in range(3):
        window = x[:, 2 * place : 2 * place + 3]
        expected = np.einsum("bxc,xcf->bf", window, kernel[place]) + bias[place]
        np.testing.assert_allclose(layer(x)[:, place], expected, atol=1e-5)


def test_the_answers_of_tf_keras():
    """Its weights are these, with the places in one axis and each window in another."""
    layer = LocallyConnected2D(4, (3, 2), (2, 1), activation="tanh")
    layer.build((None, 9, 8, 3))
    layer.set_weights([10 * values("kernel", (4, 7, 3, 2, 3, 4)), values("beta", (4, 7, 4))])
    found = np.ravel(layer(image(9, 8, 3)))[[0, 50, 100, 150, 200]]
    expected = [0.7264178395, 0.8719141483, 0.6788790822, -0.420335263, 0.9862731099]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    layer = LocallyConnected1D(4, 3, 2)
    layer.build((None, 9, 3))
    layer.set_weights([10 * values("kernel", (4, 3, 3, 4)), values("beta", (4, 4))])
    found = np.ravel(layer(image(9, 8, 3)[:, :, 0]))[[0, 7, 14, 21, 28]]
    expected = [2.7453670502, 2.2457337379, -2.830425024, -1.9077425003, -2.7900733948]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_parameters():
    layer = LocallyConnected2D(4, 3)
    layer.build((None, 8, 8, 2))
    assert layer.count_params() == 2_736 == 6 * 6 * (3 * 3 * 2 * 4 + 4)


@pytest.mark.parametrize("law", ["glorot_uniform", "he_normal", "lecun_normal", "glorot_normal"])
def test_kernels_follow_the_law_of_one_place(law):
    layer = LocallyConnected2D(16, 3, kernel_initializer=law)
    layer.build((None, 12, 12, 8))
    one = np.asarray(keras.initializers.get(law)((3, 3, 8, 16)))
    kernel = np.asarray(layer.kernel)
    assert kernel.std() == pytest.approx(one.std(), rel=0.05)
    assert len(np.unique(kernel[:, :, 0, 0, 0, 0])) == 100  # no place as another


def test_other_laws_are_of_each_weight():
    layer = LocallyConnected1D(2, 3, kernel_initializer=keras.initializers.RandomNormal(stddev=0.1))
    layer.build((None, 1000, 2))
    assert np.asarray(layer.kernel).std() == pytest.approx(0.1, rel=0.05)


def test_regularizers_and_constraints():
    layer = LocallyConnected2D(
        2,
        3,
        kernel_regularizer=keras.regularizers.L2(0.5),
        bias_regularizer="l1",
        kernel_constraint="non_neg",
        bias_constraint="non_neg",
        bias_initializer="ones",
    )
    layer.build((None, 4, 4, 1))
    kernel, bias = layer.kernel, layer.bias
    expected = 0.5 * np.square(kernel).sum() + 0.01 * np.abs(bias).sum()
    assert float(sum(layer.losses)) == pytest.approx(expected, rel=1e-5)
    assert kernel.constraint is not None
    assert bias.constraint is not None


def test_what_cannot_be_built_is_refused():
    for argument, value in (("filters", 0), ("padding", "full"), ("kernel_size", (3, 0))):
        with pytest.raises(ValueError, match=f"`{argument}`"):
            LocallyConnected2D(**{"filters": 2, "kernel_size": 3, argument: value})
    with pytest.raises(ValueError, match=r"`strides`.*2 positive integers"):
        LocallyConnected2D(2, 3, strides=(1, 1, 1))
    with pytest.raises(ValueError, match="a fixed size"):
        LocallyConnected2D(2, 3)(keras.Input((None, 8, 1)))
    with pytest.raises(ValueError, match=r"at least \(5,\)"):
        LocallyConnected1D(2, 5)(keras.Input((4, 1)))
