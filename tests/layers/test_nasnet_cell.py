"""Cells from a genotype: sizes, wiring, and what is refused."""

import keras
import numpy as np
import pytest

from keras_arch.layers import check_genotype, nasnet_normal_cell, nasnet_reduction_cell
from keras_arch.layers.nasnet_cell import NORMAL_A


def model_of(cell, halve=True, side=9, **arguments):
    x = keras.Input((side, side, 6), name="x_input")
    double = 2 * side - 1 if halve else side
    previous = keras.Input((double, double, 5), name="previous_input")
    return keras.Model([x, previous], cell(x, previous, 4, halve, **arguments, name="c"))


def features(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


@pytest.mark.parametrize("halve", [False, True])
def test_a_normal_cell_keeps_the_size_and_a_reduction_cell_halves_it(halve):
    assert model_of(nasnet_normal_cell, halve).output_shape == (None, 9, 9, 24)
    assert model_of(nasnet_reduction_cell, halve).output_shape == (None, 5, 5, 16)
    assert model_of(nasnet_reduction_cell, side=8).output_shape == (None, 4, 4, 16)


def test_a_cell_without_a_previous_one_takes_its_input_for_it():
    x = keras.Input((8, 8, 6))
    normal = keras.Model(x, nasnet_normal_cell(x, None, 4, name="c"))
    assert normal.get_layer("c_previous_conv").input is normal.get_layer("c_previous_relu").output
    reduction = keras.Model(x, nasnet_reduction_cell(x, None, 4, name="c"))
    assert not any("previous_conv" in layer.name for layer in reduction.layers)
    assert reduction.get_layer("c_block1_right_conv1").depthwise_kernel.shape == (7, 7, 6, 1)


def test_halving_sees_even_and_odd_pixels():
    """With kernels that pick a channel, the two halves are x[::2, ::2] and x[1::2, 1::2]."""
    genotype = (((("identity", "previous"), ("identity", "previous")),), (1,))
    model = model_of(nasnet_normal_cell, genotype=genotype)
    first = np.eye(5)[None, None, :, :2]
    for index in (1, 2):
        model.get_layer(f"c_previous_conv{index}").kernel.assign(first)
    x, previous = features(2, 9, 9, 6), features(2, 17, 17, 5)
    positive = np.pad(np.maximum(previous, 0), ((0, 0), (0, 1), (0, 1), (0, 0)))
    expected = [positive[:, :17:2, :17:2, :2], positive[:, 1::2, 1::2, :2]]
    found = np.asarray(model([x, previous])) / 2 * np.sqrt(1 + 1e-3)
    np.testing.assert_allclose(found, np.concatenate(expected, -1), rtol=1e-5, atol=1e-6)


def test_pooling_with_a_stride_counts_zeros_and_without_does_not():
    genotype = (((("average_3x3", "previous"), ("average_3x3", "previous")),), (1,))
    ones = [features(1, 8, 8, 6), np.ones((1, 8, 8, 4), "float32")]
    for cell, corner in ((nasnet_normal_cell, 1.0), (nasnet_reduction_cell, 4 / 9)):
        inputs = [keras.Input((8, 8, channels)) for channels in (6, 4)]
        model = keras.Model(inputs, cell(*inputs, 4, genotype=genotype, name="c"))
        found = np.asarray(model(ones))[0, ..., 0] / 2
        assert found[-1, -1] == pytest.approx(corner)
        assert found[0, 0] == pytest.approx(1.0)  # of an even side, zeros stand behind


def test_equal_poolings_of_a_state_are_computed_once():
    model = model_of(nasnet_normal_cell)
    pools = [layer for layer in model.layers if isinstance(layer, keras.layers.AveragePooling2D)]
    assert sorted(pool.name for pool in pools if pool.pool_size == (3, 3)) == [
        "c_previous_average_3x3",
        "c_x_average_3x3",
    ]


@pytest.mark.parametrize(
    "genotype",
    [
        None,
        (),
        ((), ("x",)),
        (NORMAL_A[0], ()),
        (NORMAL_A[0], ("previous", 6)),
        (((("separable_9x9", "x"), ("identity", "x")),), (1,)),
        (((("identity", 1), ("identity", "x")),), (1,)),
        (((("identity", "x"),),), (1,)),
    ],
)
def test_a_wrong_genotype_is_refused(genotype):
    with pytest.raises(ValueError, match="Invalid value for argument `normal`"):
        check_genotype("normal", genotype)


def test_a_reduction_cell_reduces_everything():
    for genotype in (NORMAL_A, (((("max_3x3", "x"), ("max_3x3", "x")),), ("x", 1))):
        with pytest.raises(ValueError, match=r"`genotype`.*no input of a reduction cell as it is"):
            model_of(nasnet_reduction_cell, genotype=genotype)
