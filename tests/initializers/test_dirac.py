"""Dirac kernels give back their input."""

import keras
import numpy as np
import pytest

from keras_arch.initializers import Dirac


def image(channels, rank=2):
    shape = (2, *(6,) * rank, channels)
    return np.random.default_rng(0).normal(size=shape).astype("float32")


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("window", [1, 3, 4])
def test_a_convolution_is_the_identity(rank, window):
    convolution = getattr(keras.layers, f"Conv{rank}D")
    x = image(4, rank)
    layer = convolution(4, window, padding="same", kernel_initializer=Dirac())
    np.testing.assert_array_equal(layer(x), x)
    layer = convolution(6, window, padding="same", kernel_initializer=Dirac(gain=2.0))
    np.testing.assert_array_equal(layer(x)[..., :4], 2 * x)
    assert not np.any(layer(x)[..., 4:])
    layer = convolution(3, window, padding="same", kernel_initializer=Dirac())
    np.testing.assert_array_equal(layer(x), x[..., :3])


def test_each_group_is_the_identity():
    x = image(4)
    law = Dirac(groups=2)
    layer = keras.layers.Conv2D(4, 3, padding="same", groups=2, kernel_initializer=law)
    np.testing.assert_array_equal(layer(x), x)
    wide = keras.layers.Conv2D(6, 3, padding="same", groups=2, kernel_initializer=law)(x)
    np.testing.assert_array_equal(np.array(wide)[..., [0, 1, 3, 4]], x)
    assert not np.any(np.array(wide)[..., [2, 5]])


@pytest.mark.parametrize("multiplier", [1, 2])
def test_a_depthwise_convolution_is_the_identity(multiplier):
    x = image(3)
    layer = keras.layers.DepthwiseConv2D(
        3,
        depth_multiplier=multiplier,
        padding="same",
        depthwise_initializer=Dirac(groups="depthwise"),
    )
    np.testing.assert_array_equal(layer(x)[..., ::multiplier], x)
    assert np.count_nonzero(layer(x)) == np.count_nonzero(x)


def test_it_is_torchs_table():
    """``dirac_(empty(3, 4, 3, 3), groups=1)`` and of a narrower one, moved to Keras's axes."""
    kernel = np.array(Dirac()((3, 3, 4, 3)))
    expected = np.zeros((3, 4, 3, 3))  # torch's order: out, in, window
    for i in range(3):
        expected[i, i, 1, 1] = 1
    np.testing.assert_array_equal(kernel, expected.transpose(2, 3, 1, 0))


@pytest.mark.parametrize("shape", [(4, 4), (8,), (3, 3, 3, 3, 4, 4)], ids=str)
def test_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match=r"`shape`.*convolution"):
        Dirac()(shape)


def test_bad_groups_are_refused():
    with pytest.raises(ValueError, match=r"`shape`.*of 4 groups"):
        Dirac(groups=4)((3, 3, 2, 6))
    for groups in (0, "all"):
        with pytest.raises(ValueError, match="`groups`"):
            Dirac(groups=groups)
