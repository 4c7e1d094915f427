"""Folding against the formula in numpy, layer by layer, and what must not be folded."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_arch.export.copying import plain
from keras_arch.export.folding import fold

RNG = np.random.default_rng(0)
SHAPES = {"1D": (9, 4), "2D": (9, 9, 4), "3D": (5, 5, 5, 4), "": (4,)}
LAYERS = {
    "Dense": {"units": 5},
    "Conv1D": {"filters": 6, "kernel_size": 3, "padding": "causal"},
    "Conv2D": {"filters": 6, "kernel_size": 3, "padding": "same", "strides": 2},
    "Conv2D-grouped": {"filters": 6, "kernel_size": 3, "groups": 2},
    "Conv3D": {"filters": 3, "kernel_size": 2},
    "Conv1DTranspose": {"filters": 3, "kernel_size": 3, "strides": 2},
    "Conv2DTranspose": {"filters": 3, "kernel_size": 3, "padding": "same"},
    "Conv3DTranspose": {"filters": 3, "kernel_size": 2},
    "DepthwiseConv1D": {"kernel_size": 3, "depth_multiplier": 3},
    "DepthwiseConv2D": {"kernel_size": 3, "depth_multiplier": 3, "padding": "same"},
    "SeparableConv1D": {"filters": 5, "kernel_size": 3, "depth_multiplier": 2},
    "SeparableConv2D": {"filters": 5, "kernel_size": 3, "depth_multiplier": 2},
}


def randomized(model):
    """The model with weights that hide nothing: variances from a tenth to ten."""
    for layer in model._flatten_layers():
        for weight in layer._trainable_variables + layer._non_trainable_variables:
            values = RNG.normal(size=weight.shape)
            if "variance" in weight.name:
                values = 10 ** RNG.uniform(-1, 1, weight.shape)
            weight.assign(values)
    return model


def inputs_of(model, batch=3):
    return RNG.normal(size=(batch, *model.inputs[0].shape[1:])).astype("float32")


def kinds(model):
    return [type(layer).__name__ for layer in model.layers[1:]]


def assert_folded(model, expected_kinds):
    """Equal to 1e-5, of these layers, and the original untouched."""
    model = plain(randomized(model))
    x = inputs_of(model)
    before = [np.array(weight) for weight in model.get_weights()]
    expected = np.array(model(x))
    edges = {id(layer): len(layer._inbound_nodes) for layer in model.layers}
    folded = fold(model)
    np.testing.assert_allclose(folded(x), expected, atol=1e-5 * np.abs(expected).max(), rtol=0)
    assert kinds(folded) == expected_kinds
    assert {id(layer): len(layer._inbound_nodes) for layer in model.layers} == edges
    for was, weight in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(was, weight)
    return folded


@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize("name", LAYERS)
def test_into_the_layer_before(name, use_bias):
    kind = name.split("-")[0]
    shape = next(
        shape for end, shape in SHAPES.items() if kind.removesuffix("Transpose").endswith(end)
    )
    image = keras.Input(shape)
    x = getattr(layers, kind)(**LAYERS[name], use_bias=use_bias, name="host")(image)
    x = layers.ReLU()(layers.BatchNormalization(epsilon=0.01)(x))
    model = keras.Model(image, x)
    folded = assert_folded(model, [kind, "ReLU"])
    assert folded.get_layer("host").use_bias


def test_the_weights_are_the_formulas():
    """One output pixel of a convolution, its norm, and what the folded kernel holds: in numpy."""
    image = keras.Input((3, 3, 2))
    x = layers.Conv2D(4, 3, name="host")(image)
    model = randomized(keras.Model(image, layers.BatchNormalization(name="norm")(x)))
    kernel, bias = model.get_layer("host").get_weights()
    gamma, beta, mean, variance = model.get_layer("norm").get_weights()
    scale = gamma.astype("float64") / np.sqrt(variance.astype("float64") + 1e-3)
    found = fold(plain(model)).get_layer("host").get_weights()
    np.testing.assert_allclose(found[0], kernel * scale, rtol=1e-6)
    np.testing.assert_allclose(found[1], (bias - mean) * scale + beta, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("settings", [{"center": False}, {"scale": False}, {"axis": 3}])
def test_norms_of_every_kind(settings):
    image = keras.Input((5, 5, 3))
    x = layers.BatchNormalization(**settings)(layers.Conv2D(4, 3)(image))
    assert_folded(keras.Model(image, x), ["Conv2D"])


def test_two_norms_and_what_does_nothing_between():
    image = keras.Input((5, 5, 3))
    x = layers.Conv2D(4, 3)(image)
    x = layers.Identity()(layers.BatchNormalization()(layers.Dropout(0.5)(x)))
    x = layers.BatchNormalization()(layers.Activation("linear")(x))
    model = keras.Model(image, x)
    assert_folded(model, ["Conv2D", "Dropout", "Identity", "Activation"])


def test_before_a_convolution_it_is_a_line():
    image = keras.Input((6, 6, 3))
    x = layers.ReLU()(layers.BatchNormalization(name="norm")(image))
    x = layers.Conv2D(4, 3, padding="same")(x)
    folded = assert_folded(keras.Model(image, x), ["Rescaling", "ReLU", "Conv2D"])
    assert folded.get_layer("norm").weights == []


def branches(image):
    x = layers.Conv2D(4, 3)(image)
    return layers.Add()([layers.BatchNormalization()(x), x])


def activated(image):
    return layers.BatchNormalization()(layers.Conv2D(4, 3, activation="tanh")(image))


def padded(image):
    x = layers.ZeroPadding2D(1)(layers.Conv2D(4, 3)(image))
    return layers.BatchNormalization()(x)


def shared(image):
    host = layers.Conv2D(3, 3, padding="same")
    return layers.Add()([layers.BatchNormalization()(host(image)), host(layers.ReLU()(image))])


def shared_norm(image):
    norm = layers.BatchNormalization()
    return layers.Add()([norm(layers.Conv2D(4, 3)(image)), norm(layers.Conv2D(4, 3)(image))])


def also_answered(image):
    x = layers.Conv2D(4, 3)(image)
    return [layers.BatchNormalization()(x), x]


@pytest.mark.parametrize("build", [branches, activated, padded, shared, shared_norm])
def test_where_others_would_notice(build):
    image = keras.Input((6, 6, 3))
    model = keras.Model(image, build(image))
    assert_folded(model, [name.replace("BatchNormalization", "Rescaling") for name in kinds(model)])


def test_an_output_that_is_normed_elsewhere_stays():
    image = keras.Input((6, 6, 3))
    model = plain(randomized(keras.Model(image, also_answered(image))))
    x = inputs_of(model)
    for found, expected in zip(fold(model)(x), model(x), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max(), rtol=0)


def test_norms_that_are_no_line_stay():
    image = keras.Input((6, 6, 3))
    x = layers.Conv2D(4, 3)(image)
    other_axis = layers.BatchNormalization(axis=1)(x)
    of_the_batch = layers.BatchNormalization()(layers.Conv2D(4, 1)(x), training=True)
    model = keras.Model(image, layers.Add()([other_axis, of_the_batch]))
    model = plain(randomized(model))
    assert kinds(fold(model)).count("BatchNormalization") == 2


def test_models_inside_of_models():
    inner = keras.Sequential(
        [keras.Input((6, 6, 3)), layers.Conv2D(4, 3), layers.BatchNormalization()], name="inner"
    )
    a, b = keras.Input((6, 6, 3), name="a"), keras.Input((6, 6, 3), name="b")
    model = plain(randomized(keras.Model([a, b], layers.Subtract()([inner(a), inner(b)]))))
    x = [RNG.normal(size=(2, 6, 6, 3)).astype("float32") for _ in "ab"]
    folded = fold(model)
    expected = np.array(model(x))
    np.testing.assert_allclose(folded(x), expected, atol=1e-5 * np.abs(expected).max(), rtol=0)
    assert [type(each).__name__ for each in folded.get_layer("inner").layers[1:]] == ["Conv2D"]


def test_operations_and_structures_are_kept():
    a, b = keras.Input((6, 6, 3), name="a"), keras.Input((1,), name="b")
    x = layers.BatchNormalization()(layers.Conv2D(4, 3)(a)) * keras.ops.reshape(b, (-1, 1, 1, 1))
    model = plain(
        randomized(keras.Model({"a": a, "b": b}, {"y": x, "z": keras.ops.mean(x, (1, 2))}))
    )
    folded = fold(model)
    x = {"a": inputs_of(model), "b": RNG.normal(size=(3, 1)).astype("float32")}
    expected, found = model(x), folded(x)
    assert found.keys() == {"y", "z"}
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, atol=1e-4, rtol=1e-4)
    assert not any(isinstance(each, layers.BatchNormalization) for each in folded.layers)
