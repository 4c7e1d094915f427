import keras
import numpy as np
import pytest

from keras_arch.layers import CoordConv2D, add_coords

random = np.random.default_rng(0)


def test_coordinates_run_from_minus_one_to_one():
    x = random.normal(size=(2, 5, 9, 3)).astype("float32")
    found = np.asarray(add_coords(x, with_r=True))
    row, column = np.linspace(-1, 1, 5)[:, None], np.linspace(-1, 1, 9)[None]
    np.testing.assert_array_equal(found[..., :3], x)
    for channel, expected in ((3, row), (4, column), (5, np.hypot(row, column))):
        expected = np.broadcast_to(expected, (2, 5, 9))
        np.testing.assert_allclose(found[..., channel], expected, atol=1e-6)


def test_a_single_row_is_in_the_middle():
    np.testing.assert_array_equal(add_coords(np.ones((1, 1, 3, 1)))[0, 0, :, 1], 0)


def test_half_precision_counts_beyond_256():
    found = keras.ops.cast(add_coords(keras.ops.zeros((1, 400, 1, 1), "bfloat16")), "float32")
    np.testing.assert_allclose(found[0, :, 0, 1], np.linspace(-1, 1, 400), atol=4e-3)


@pytest.mark.parametrize("with_r", [False, True])
def test_without_weights_on_coordinates_it_is_a_convolution(with_r):
    plain = keras.layers.Conv2D(4, 3, padding="same", bias_initializer="normal")
    layer = CoordConv2D(4, 3, with_r=with_r, padding="same")
    x = random.normal(size=(2, 6, 7, 3)).astype("float32")
    expected = plain(x)
    layer.build(x.shape)
    assert layer.count_params() == plain.count_params() + (2 + with_r) * 9 * 4
    assert np.abs(layer(x) - expected).max() > 0.1
    kernel = np.zeros(layer.kernel.shape)
    kernel[:, :, :3] = plain.kernel
    layer.kernel.assign(kernel)
    layer.bias.assign(plain.bias)
    np.testing.assert_allclose(layer(x), expected, atol=1e-5)


def test_it_sees_its_place_where_a_convolution_sees_none():
    x = np.zeros((1, 8, 8, 1), "float32")
    assert np.std(keras.layers.Conv2D(3, 1)(x)) == 0
    assert np.std(CoordConv2D(3, 1)(x)) > 0.1


def test_the_graph_of_any_size_holds_it():
    image = keras.Input((None, None, 1))
    model = keras.Model(image, CoordConv2D(3, 3, strides=2, padding="same")(image))
    assert model.output_shape == (None, None, None, 3)
    assert model(np.zeros((1, 7, 5, 1))).shape == (1, 4, 3, 3)
    with pytest.raises(ValueError, match="expected axis -1"):
        model.layers[-1](np.zeros((1, 7, 5, 2)))


@pytest.mark.parametrize(("argument", "value"), [("groups", 2), ("data_format", "channels_first")])
def test_what_cannot_be_is_refused(argument, value):
    with pytest.raises(ValueError, match=f"`{argument}`"):
        CoordConv2D(4, 3, **{argument: value})
