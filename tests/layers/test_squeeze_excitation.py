"""Squeeze-and-excitation, written again in numpy."""

import keras
import numpy as np
import pytest

from keras_arch.layers import SqueezeExcitation, channel_attention


def randomized(layer, shape):
    random = np.random.default_rng(0)
    layer.build(shape)
    layer.set_weights([random.normal(size=w.shape) for w in layer.weights])
    return random.normal(size=shape).astype("float32")


def test_formula():
    layer = SqueezeExcitation(ratio=2)
    x = randomized(layer, (3, 4, 5, 6))
    squeeze, bias, excite, gate_bias = (w.squeeze() for w in layer.get_weights())
    narrow = np.maximum(x.mean(axis=(1, 2)) @ squeeze + bias, 0)
    gate = 1 / (1 + np.exp(-(narrow @ excite + gate_bias)))
    np.testing.assert_allclose(layer(x), x * gate[:, None, None], rtol=1e-5, atol=1e-6)


def test_gates_do_not_see_where():
    layer = SqueezeExcitation(ratio=3)
    x = randomized(layer, (1, 4, 4, 6))
    shuffled = np.random.default_rng(1).permutation(x.reshape(1, 16, 6), axis=1)
    gate, again = layer(x) / x, layer(shuffled.reshape(x.shape)) / shuffled.reshape(x.shape)
    np.testing.assert_allclose(gate[0, 0, 0], again[0, 0, 0], rtol=1e-5)
    assert np.ptp(gate, axis=(1, 2)).max() < 1e-5
    assert 0 < np.min(gate) < np.max(gate) < 1


def test_without_weights_and_with_a_large_bias_it_is_the_identity():
    layer = SqueezeExcitation(ratio=2)
    x = randomized(layer, (1, 3, 3, 4))
    layer.set_weights([np.zeros(w.shape) for w in layer.get_weights()])
    np.testing.assert_allclose(layer(x), x / 2, rtol=1e-6)
    layer.excite.bias.assign(np.full(4, 100.0))
    np.testing.assert_array_equal(layer(x), x)


@pytest.mark.parametrize(("channels", "ratio"), [(64, 16), (2048, 16), (40, 4)])
def test_parameters_are_those_of_the_paper(channels, ratio):
    layer = SqueezeExcitation(ratio)
    layer.build((None, 1, 1, channels))
    assert layer.count_params() == 2 * channels**2 // ratio + channels + channels // ratio


def test_a_ratio_that_leaves_nothing_is_refused():
    with pytest.raises(ValueError, match=r"`ratio`\. Expected at most the 8 channels"):
        SqueezeExcitation(ratio=16)(np.ones((1, 2, 2, 8)))


def test_a_part_is_a_name_or_a_function():
    x = keras.Input((4, 4, 32))
    assert channel_attention(x, None, "gate") is x
    named = keras.Model(x, channel_attention(x, "squeeze_excitation", "gate"))
    assert isinstance(named.get_layer("gate"), SqueezeExcitation)
    other = channel_attention(x, lambda x, name: keras.layers.ReLU(name=name)(x), "gate")
    assert isinstance(keras.Model(x, other).get_layer("gate"), keras.layers.ReLU)
    with pytest.raises(ValueError, match="argument `attention`"):
        channel_attention(x, "spatial", "gate")
