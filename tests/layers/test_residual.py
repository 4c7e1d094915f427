import keras
import numpy as np
import pytest

from keras_arch.layers import bottleneck_block, dense_block, residual_block, transition_block

BLOCKS = [(residual_block, 1, "2"), (bottleneck_block, 4, "3")]


def features(channels=8, size=9):
    shape = (2, size, size, channels)
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def model_of(block, channels=8, size=9, **arguments):
    inputs = keras.Input((size, size, channels))
    return keras.Model(inputs, block(inputs, **arguments, name="b"))


@pytest.mark.parametrize(("block", "expansion", "last"), BLOCKS)
def test_with_its_last_kernel_zero_a_block_is_the_rectified_identity(block, expansion, last):
    model = model_of(block, filters=8 // expansion)
    kernel = model.get_layer(f"b_{last}_conv").kernel
    assert not np.allclose(model(features()), np.maximum(features(), 0))
    kernel.assign(np.zeros(kernel.shape))
    np.testing.assert_array_equal(model(features()), np.maximum(features(), 0))


@pytest.mark.parametrize(("block", "expansion", "last"), BLOCKS)
def test_projection_is_a_strided_1x1(block, expansion, last):
    model = model_of(block, filters=5, stride=2)
    kernel = model.get_layer(f"b_{last}_conv").kernel
    kernel.assign(np.zeros(kernel.shape))
    shortcut = np.asarray(model.get_layer("b_shortcut_conv").kernel)[0, 0]
    expected = features()[:, ::2, ::2] @ shortcut / np.sqrt(1 + 1.001e-5)
    assert model.output_shape == (None, 5, 5, 5 * expansion)
    np.testing.assert_allclose(model(features()), np.maximum(expected, 0), atol=1e-5)


@pytest.mark.parametrize(("block", "expansion", "last"), BLOCKS)
def test_padding_adds_no_parameters(block, expansion, last):
    model = model_of(block, filters=10 // expansion, stride=2, shortcut="padding")
    assert not [w.path for w in model.weights if "shortcut" in w.path]
    kernel = model.get_layer(f"b_{last}_conv").kernel
    kernel.assign(np.zeros(kernel.shape))
    expected = np.zeros((2, 5, 5, 10 // expansion * expansion))
    expected[..., :8] = np.maximum(features()[:, ::2, ::2], 0)
    np.testing.assert_array_equal(model(features()), expected)


def test_where_a_bottleneck_strides():
    for stride_in, expected in (("1x1", (2, 1)), ("3x3", (1, 2))):
        model = model_of(bottleneck_block, filters=2, stride=2, stride_in=stride_in)
        strides = tuple(model.get_layer(f"b_{i}_conv").strides[0] for i in (1, 2))
        assert strides == expected
    with pytest.raises(ValueError, match="`stride_in`"):
        model_of(bottleneck_block, filters=2, stride_in="5x5")


def test_a_dense_layer_reads_all_before_it_and_appends():
    model = model_of(dense_block, depth=3, growth=2, bottleneck=0)
    assert [model.get_layer(f"b_layer{i}_grow_conv").kernel.shape[2] for i in (1, 2, 3)] == [
        8,
        10,
        12,
    ]
    output = np.asarray(model(features()))
    np.testing.assert_array_equal(output[..., :8], features())
    assert output.shape[-1] == 8 + 3 * 2


def test_a_bottleneck_has_a_width_in_multiples_of_the_growth():
    model = model_of(dense_block, depth=1, growth=3, bottleneck=5)
    assert model.get_layer("b_layer1_squeeze_conv").filters == 15


@pytest.mark.parametrize(("compression", "channels"), [(1.0, 8), (0.5, 4), (0.3, 2)])
def test_a_transition_compresses_and_halves(compression, channels):
    model = model_of(transition_block, compression=compression)
    assert model.output_shape == (None, 4, 4, channels)
