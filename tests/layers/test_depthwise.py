"""What stands around depthwise convolutions: padding, expansion, rounding, heads."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_arch.layers import (
    SqueezeExcitation,
    conv_bn_act,
    depthwise_bn_act,
    inverted_residual,
    keep_resolution,
    make_divisible,
    pad_strided,
    pointwise_head,
)


def features(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def model_of(block, shape=(8, 8, 6), **arguments):
    inputs = keras.Input(shape)
    return keras.Model(inputs, block(inputs, **arguments, name="b"))


@pytest.mark.parametrize("size", [3, 5, 7])
@pytest.mark.parametrize("sides", [(8, 8), (9, 7), (8, 7)])
def test_same_is_what_a_strided_convolution_of_tensorflow_does(size, sides):
    x = features(2, *sides, 3)
    same = layers.DepthwiseConv2D(size, 2, "same")
    expected = same(x)
    padded = model_of(pad_strided, (*sides, 3), size=size, padding="same")(x)
    valid = layers.DepthwiseConv2D(size, 2, "valid")
    valid.build(padded.shape)
    valid.set_weights(same.get_weights())
    np.testing.assert_allclose(valid(padded), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("padding", "shape", "before", "behind"),
    [
        ("both", (8, 9, 1), (1, 1), (1, 1)),
        ("behind", (8, 9, 1), (0, 0), (1, 1)),
        ("same", (8, 9, 1), (0, 1), (1, 1)),
        ("same", (None, None, 1), (0, 0), (1, 1)),
    ],
)
def test_where_zeros_stand(padding, shape, before, behind):
    model = model_of(pad_strided, shape, size=3, padding=padding)
    x = features(1, 8, 9, 1)
    np.testing.assert_array_equal(
        model(x), np.pad(x, ((0, 0), *zip(before, behind, strict=True), (0, 0)))
    )


def test_a_depthwise_convolution_filters_each_channel_by_itself():
    model = model_of(depthwise_bn_act, size=3, activation=None)
    x = features(2, 8, 8, 6)
    changed = x.copy()
    changed[..., 2] += 1
    moved = np.any(np.asarray(model(x)) != np.asarray(model(changed)), axis=(0, 1, 2))
    assert moved.tolist() == [False, False, True, False, False, False]


def test_activations_saturate_at_six():
    model = model_of(conv_bn_act, filters=4)
    out = np.asarray(model(1000 * features(2, 8, 8, 6)))
    assert out.min() == 0
    assert out.max() == 6


def test_with_its_last_kernel_zero_an_inverted_residual_is_the_identity():
    model = model_of(inverted_residual, filters=6, expanded=18)
    x = features(2, 8, 8, 6)
    assert not np.allclose(model(x), x)
    kernel = model.get_layer("b_project_conv").kernel
    kernel.assign(np.zeros(kernel.shape))
    np.testing.assert_array_equal(model(x), x)


@pytest.mark.parametrize(
    ("arguments", "shape"),
    [
        ({"filters": 6, "expanded": 12, "stride": 2}, (None, 4, 4, 6)),
        ({"filters": 9, "expanded": 12}, (None, 8, 8, 9)),
    ],
)
def test_nothing_is_added_where_the_shape_changes(arguments, shape):
    model = model_of(inverted_residual, **arguments)
    assert model.output_shape == shape
    assert not any(isinstance(layer, layers.Add) for layer in model.layers)


def test_parameters_of_an_inverted_residual():
    model = model_of(inverted_residual, filters=6, expanded=36, size=5)
    kernels = 6 * 36 + 25 * 36 + 36 * 6
    norms = 4 * (36 + 36 + 6)
    assert model.count_params() == kernels + norms
    unwidened = model_of(inverted_residual, filters=6, expanded=6)
    assert unwidened.count_params() == 9 * 6 + 6 * 6 + 4 * (6 + 6)


def test_attention_sees_the_wide_features():
    model = model_of(
        inverted_residual,
        filters=6,
        expanded=48,
        attention="squeeze_excitation",
        stochastic_depth=0.2,
    )
    gate = model.get_layer("b_se")
    assert isinstance(gate, SqueezeExcitation)
    assert gate.output.shape[-1] == 48
    names = [layer.name for layer in model.layers]
    assert names.index("b_depthwise_act") < names.index("b_se") < names.index("b_project_conv")
    assert model.get_layer("b_survival").rate == 0.2


@pytest.mark.parametrize(
    ("channels", "rounded"), [(1, 8), (11.9, 16), (12, 16), (19, 24), (20, 24), (23, 24), (44, 48)]
)
def test_channels_are_rounded_and_not_down_by_over_a_tenth(channels, rounded):
    assert make_divisible(channels) == rounded
    assert make_divisible(channels) >= 0.9 * channels


def test_small_images_keep_their_resolution():
    strides = (2, 1, 2, 2, 1, 2, 2)
    assert keep_resolution(strides, "imagenet") == strides
    assert keep_resolution(strides, "cifar") == (1, 1, 1, 2, 1, 2, 2)
    assert keep_resolution(strides, "cifar", reductions=3) == (1, 1, 1, 1, 1, 2, 2)
    with pytest.raises(ValueError, match="`stem`"):
        keep_resolution(strides, "mnist")


def test_a_pointwise_head_computes_what_dense_would():
    x = features(3, 1, 1, 5)
    inputs = keras.Input((1, 1, 5))
    head = keras.Model(inputs, pointwise_head(4, "softmax", name="head")(inputs))
    kernel, bias = head.get_weights()
    logits = x[:, 0, 0] @ kernel[0, 0] + bias
    expected = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    np.testing.assert_allclose(head(x), expected, rtol=1e-5)


def test_an_unknown_padding_is_refused():
    with pytest.raises(ValueError, match=r"`padding`.*Received: padding='valid'"):
        model_of(pad_strided, size=3, padding="valid")
