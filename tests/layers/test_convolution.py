import keras
import numpy as np
import pytest

from keras_arch.layers import (
    bn_relu_conv,
    check_norm,
    check_padding,
    check_stages,
    check_stem,
    conv_bn,
    conv_bn_relu,
    conv_relu,
    convolution,
    convolutional_stem,
    smallest_side,
)


def names(model):
    return [layer.name for layer in model.layers[1:]]


@pytest.mark.parametrize(("size", "stride"), [(3, 1), (3, 2), (1, 2), (7, 2), (5, 3)])
@pytest.mark.parametrize("extent", [8, 9])
def test_zeros_are_on_all_sides_alike(size, stride, extent):
    inputs = keras.Input((extent, extent, 2))
    model = keras.Model(inputs, convolution(inputs, 3, size, stride))
    x = np.random.default_rng(0).normal(size=(1, extent, extent, 2)).astype("float32")
    half = size // 2
    padded = np.pad(x, [(0, 0), (half, half), (half, half), (0, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size), axis=(1, 2))
    kernel = np.asarray(model.get_layer("conv").kernel)
    expected = np.einsum("nyxcij,ijco->nyxo", windows[:, ::stride, ::stride], kernel)
    assert model.output_shape[1] == -(-extent // stride)
    np.testing.assert_allclose(model(x), expected, atol=1e-5)


def test_the_two_orders():
    inputs = keras.Input((8, 8, 2))
    before = keras.Model(inputs, bn_relu_conv(inputs, 3, 3, name="a"))
    after = keras.Model(inputs, conv_bn(inputs, 3, 3, name="a"))
    assert names(before) == ["a_bn", "a_relu", "a_conv"]
    assert names(after) == ["a_conv", "a_bn"]
    rectified = keras.Model(inputs, conv_bn_relu(inputs, 3, 3, name="a"))
    assert names(rectified) == ["a_conv", "a_bn", "a_relu"]
    chosen = keras.Model(inputs, conv_relu(inputs, 3, 3, norm="batch", name="a"))
    assert names(chosen) == ["a_conv", "a_bn", "a"]


def test_normalization_is_that_of_keras_applications():
    def settings(model):
        normal = [x for x in model.layers if isinstance(x, keras.layers.BatchNormalization)]
        return {(layer.momentum, layer.epsilon) for layer in normal}

    inputs = keras.Input((8, 8, 2))
    theirs = keras.applications.ResNet50(weights=None, include_top=False)
    (expected,) = settings(theirs)
    for output in (
        bn_relu_conv(inputs, 3, 3),
        conv_bn(inputs, 3, 3),
        convolutional_stem(inputs, 6, "cifar", True, use_bias=True),
    ):
        assert settings(keras.Model(inputs, output)) == {expected}


@pytest.mark.parametrize(
    ("stem", "norm", "expected"),
    [
        ("imagenet", True, ["conv_pad", "conv", "bn", "relu", "pool_pad"]),
        ("imagenet", False, ["conv_pad", "conv", "pool_pad"]),
        ("cifar", True, ["conv", "bn", "relu"]),
        ("cifar", False, ["conv"]),
    ],
)
def test_stem(stem, norm, expected):
    inputs = keras.Input((33, 40, 2))
    model = keras.Model(inputs, convolutional_stem(inputs, 6, stem, norm, use_bias=True))
    assert names(model) == [*(f"stem_{name}" for name in expected), "stem"]
    size = (9, 10) if stem == "imagenet" else (33, 40)
    assert model.output_shape == (None, *size, 6)
    assert model.get_layer("stem_conv").use_bias


def test_laws_of_a_kernel_reach_it():
    inputs = keras.Input((8, 8, 2))
    laws = {"kernel_initializer": "ones", "kernel_regularizer": keras.regularizers.L2(0.5)}
    model = keras.Model(inputs, conv_bn_relu(inputs, 3, 3, **laws))
    np.testing.assert_array_equal(model.get_layer("conv_bn_relu_conv").kernel, 1)
    assert float(sum(model.losses)) == 0.5 * 3 * 3 * 2 * 3


@pytest.mark.parametrize(
    ("check", "argument"), [(check_stem, "stem"), (check_norm, "norm"), (check_padding, "padding")]
)
def test_what_is_unknown_is_refused_in_one_place(check, argument):
    with pytest.raises(ValueError, match=f"`{argument}`.*Received: {argument}='other'"):
        check("other")


def test_sizes_are_as_many_as_the_stages():
    check_stages((1, 2), widths=(4, 5), kernels=[3, 3])
    with pytest.raises(ValueError, match=r"`kernels`.*2 sizes.*Received: kernels=\(3,\)"):
        check_stages((1, 2), widths=(4, 5), kernels=(3,))


def test_the_least_side_is_the_whole_stride():
    assert smallest_side("imagenet", 3) == smallest_side("imagenet", 2, entrance=8) == 32
    assert smallest_side("cifar", 3, entrance=8) == 8
    with pytest.raises(ValueError, match="`stem`"):
        smallest_side("other", 3)
