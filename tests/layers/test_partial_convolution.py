import keras
import numpy as np
import pytest

from keras_arch.layers import PartialConv2D

TABLE = [[0, 2], [1], [3, 0, 1], [2, 3]]


def image(channels=4):
    return np.random.default_rng(0).normal(size=(2, 7, 6, channels)).astype("float32")


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("strides", [1, 2])
def test_each_output_is_a_convolution_of_the_maps_it_reads(strides, padding):
    layer = PartialConv2D(TABLE, 3, strides, padding, "tanh", bias_initializer="normal")
    x = image()
    found = np.asarray(layer(x))
    start = 0
    for target, sources in enumerate(TABLE):
        kernel = np.asarray(layer.kernel)[:, :, start : start + len(sources), None]
        one = keras.ops.conv(x[..., sources], kernel, strides, padding)
        expected = np.tanh(np.asarray(one)[..., 0] + np.asarray(layer.bias)[target])
        np.testing.assert_allclose(found[..., target], expected, atol=1e-5)
        start += len(sources)
    assert start == layer.kernel.shape[-1]


def test_what_is_not_connected_has_no_influence():
    layer = PartialConv2D(TABLE, 3)
    x, other = image(), image()
    other[..., 2] += 1
    changed = np.abs(np.asarray(layer(x)) - np.asarray(layer(other))).max(axis=(0, 1, 2))
    np.testing.assert_array_equal(changed > 1e-3, [2 in sources for sources in TABLE])


def test_the_full_table_is_a_convolution_with_the_same_fans():
    layer = PartialConv2D([range(4)] * 6, 3, kernel_initializer=keras.initializers.HeNormal(seed=1))
    whole = keras.layers.Conv2D(6, 3, kernel_initializer=keras.initializers.HeNormal(seed=1))
    np.testing.assert_allclose(layer(image()), whole(image()), atol=1e-5)
    assert layer.count_params() == whole.count_params()


def test_parameters_are_those_of_the_table():
    layer = PartialConv2D(TABLE, 5, use_bias=False)
    layer.build((None, 8, 8, 4))
    assert layer.count_params() == 8 * 25


@pytest.mark.parametrize("table", [[], [[]], [[0, 0]], [[-1]]])
def test_a_table_that_is_none_is_refused(table):
    with pytest.raises(ValueError, match="Invalid value for argument `connections`"):
        PartialConv2D(table, 3)


def test_a_map_that_the_input_does_not_have_is_refused():
    with pytest.raises(ValueError, match="input maps 0 to 2"):
        PartialConv2D([[0, 3]], 3).build((None, 8, 8, 3))


def test_unknown_padding_is_refused():
    with pytest.raises(ValueError, match="`padding`"):
        PartialConv2D([[0]], 3, padding="causal")
