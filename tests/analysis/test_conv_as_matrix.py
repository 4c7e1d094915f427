"""The matrix of a convolution: equal to Keras's answer, and of the form that it is named for."""

import keras
import numpy as np
import pytest
from scipy.linalg import toeplitz

from keras_arch.analysis import conv_as_matrix

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("strides", [1, 2, 3])
@pytest.mark.parametrize(
    ("window", "extents"), [((3,), (8,)), ((4,), (9,)), ((3, 2), (7, 6)), ((2, 1, 3), (4, 3, 5))]
)
def test_it_multiplies_as_the_convolution_convolves(window, extents, strides, padding):
    kernel = RNG.normal(size=(*window, 2, 3))
    x = RNG.normal(size=(4, *extents, 2))
    # TensorFlow 2.21 is wrong in float64 where strides exceed a 3-D kernel with padding="same".
    expected = keras.ops.conv(x.astype("float32"), kernel.astype("float32"), strides, padding)
    matrix = conv_as_matrix(kernel, (*extents, 2), strides, padding)
    found = (x.reshape(4, -1) @ matrix.T).reshape(expected.shape)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_along_a_sequence_it_is_toeplitz():
    kernel = RNG.normal(size=(3, 2, 2))
    matrix = conv_as_matrix(kernel, (7, 2))
    for i, o in np.ndindex(2, 2):
        row = np.r_[kernel[:, i, o], np.zeros(4)]
        column = np.r_[kernel[0, i, o], np.zeros(4)]
        np.testing.assert_array_equal(matrix[o::2, i::2], toeplitz(column, row))


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_over_an_image_it_is_doubly_block_toeplitz(padding):
    matrix = conv_as_matrix(RNG.normal(size=(3, 3, 1, 1)), (6, 5, 1), padding=padding)
    height, width = (6, 5) if padding == "same" else (4, 3)
    blocks = matrix.reshape(height, width, 6, 5).transpose(0, 2, 1, 3)
    for i, j in np.ndindex(height - 1, 5):  # blocks are equal along diagonals
        np.testing.assert_array_equal(blocks[i, j], blocks[i + 1, j + 1])
    for block in blocks.reshape(-1, width, 5):  # and constant along their own
        np.testing.assert_array_equal(block[:-1, :-1], block[1:, 1:])


def test_its_transpose_is_the_transposed_convolution():
    kernel = RNG.normal(size=(3, 3, 2, 3))
    y = RNG.normal(size=(1, 4, 5, 3))
    matrix = conv_as_matrix(kernel, (6, 7, 2))
    found = (matrix.T @ y.ravel()).reshape(1, 6, 7, 2)
    np.testing.assert_allclose(found, keras.ops.conv_transpose(y, kernel), atol=1e-12)


def test_what_does_not_fit_is_refused():
    kernel = np.ones((3, 2, 1))
    for shape in ((8,), (8, 1), (8, 8, 2), (2, 2)):
        with pytest.raises(ValueError, match="`input_shape`"):
            conv_as_matrix(kernel, shape)
    with pytest.raises(ValueError, match="`padding`"):
        conv_as_matrix(kernel, (8, 2), padding="full")
