"""LSUV: unit variance before every activation, whatever the network."""

import keras
import numpy as np
import pytest
from keras import layers

import keras_arch
from keras_arch.initializers import lsuv

BATCH = np.random.default_rng(0).normal(size=(128, 12, 12, 3)).astype("float32") * 3 + 1


def before_activations(model, batch):
    """Pre-activation variances by kernel, seen by copies of the layers without activation."""
    found = {}
    for layer in model.layers:
        if not isinstance(layer, keras.Model) and not hasattr(layer, "kernel"):
            continue
        (source,) = layer._inbound_nodes[-1].input_tensors  # of the call in this graph
        into = keras.Model(model.input, source)(batch)
        if isinstance(layer, keras.Model):
            found.update(before_activations(layer, into))
        else:
            plain = type(layer).from_config({**layer.get_config(), "activation": None})
            plain.build(into.shape)
            plain.set_weights(layer.get_weights())
            found[layer.kernel.path] = float(np.var(plain(into)))
    return found


def deep():
    inputs = keras.Input((64,))
    x = inputs
    for index in range(20):
        x = layers.Dense(100, "relu", name=f"block{index}")(x)
    return keras.Model(inputs, layers.Dense(10, "softmax", name="head")(x))


def test_twenty_relu_layers():
    model = deep()
    batch = np.random.default_rng(1).normal(size=(256, 64)).astype("float32")
    said = lsuv(model, batch, seed=0)
    assert list(said) == [layer.kernel.path for layer in model.layers[1:]]
    found = before_activations(model, batch)
    np.testing.assert_allclose(list(found.values()), 1.0, atol=1e-3)
    np.testing.assert_allclose(list(said.values()), list(found.values()), atol=1e-3)
    kernel = np.array(model.get_layer("block7").kernel)
    gram = kernel.T @ kernel
    np.testing.assert_allclose(gram, gram[0, 0] * np.eye(100), atol=1e-5)  # orthogonal still
    assert model.layers[1].activation is keras.activations.relu
    assert model.layers[-1].activation is keras.activations.softmax


def convolutional():
    inputs = keras.Input((12, 12, 3), name="image")
    x = layers.Conv2D(8, 3, activation="tanh", bias_initializer="random_normal", name="conv")(
        inputs
    )
    x = layers.DepthwiseConv2D(3, activation="relu", name="depthwise")(x)
    inner = keras.Input(x.shape[1:], name="inner_image")
    y = layers.Conv2DTranspose(6, 3, activation=layers.LeakyReLU(), name="up")(inner)
    x = keras.Model(inner, y, name="inner")(x)
    past = x
    x = layers.Conv2D(6, 1, activation="relu", name="branch")(x)
    x = layers.BatchNormalization(name="norm")(x)
    x = layers.Add(name="add")([past, x])
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(inputs, layers.Dense(4, name="head")(x))


def test_a_graph_with_biases_models_within_and_shortcuts():
    model = convolutional()
    layer = model.get_layer("inner").get_layer("up")
    activation, norm = layer.activation, model.get_layer("norm").get_weights()
    lsuv(model, BATCH, seed=0)
    found = before_activations(model, BATCH)
    assert len(found) == 5
    np.testing.assert_allclose(list(found.values()), 1.0, atol=0.01)
    assert layer.activation is activation
    for before, after in zip(norm, model.get_layer("norm").get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    model.compile("sgd", "mse")  # and it still trains, saves and loads
    model.fit(BATCH[:8], np.zeros((8, 4)), verbose=0)
    again = keras.models.model_from_json(model.to_json())
    assert again.count_params() == model.count_params()


def test_one_of_our_residual_networks():
    model = keras_arch.models.ResNet(
        (1, 1), (4, 6), block="basic", stem="cifar", input_shape=(12, 12, 3), classes=4
    )
    np.testing.assert_allclose(list(lsuv(model, BATCH, seed=0).values()), 1.0, atol=0.01)


def test_a_shared_layer_is_scaled_once():
    inputs = keras.Input((16,))
    shared = layers.Dense(16, "relu", name="shared")
    model = keras.Model(inputs, shared(shared(inputs)))
    assert list(lsuv(model, np.random.default_rng(0).normal(size=(64, 16)))) == ["shared/kernel"]


def test_separable_convolutions_scale_their_pointwise_kernel():
    inputs = keras.Input((12, 12, 3))
    layer = layers.SeparableConv2D(5, 3, name="separable")
    model = keras.Model(inputs, layer(inputs))
    assert list(lsuv(model, BATCH)) == ["separable/pointwise_kernel"]
    assert np.var(model(BATCH)) == pytest.approx(1, abs=0.01)


def test_a_seed_decides():
    batch = np.random.default_rng(1).normal(size=(32, 64)).astype("float32")
    one, two, other = deep(), deep(), deep()
    for model, seed in ((one, 3), (two, 3), (other, 4)):
        lsuv(model, batch, seed=seed)
    np.testing.assert_array_equal(one.get_weights()[0], two.get_weights()[0])
    assert not np.array_equal(one.get_weights()[0], other.get_weights()[0])


def test_what_is_frozen_never_reached_or_of_another_kind_stays():
    inputs = keras.Input((6, 8))
    frozen = layers.Dense(8, name="frozen", trainable=False)
    attention = layers.MultiHeadAttention(2, 4, name="attention")
    x = frozen(inputs)
    x = attention(x, x)
    model = keras.Model(inputs, layers.Dense(3, name="head")(x))
    model.spare = layers.Dense(4, name="spare")
    model.spare.build((None, 8))
    model.later = layers.Dense(4, name="later")  # not even built
    before = {variable.path: np.array(variable) for variable in model.variables}
    batch = np.random.default_rng(0).normal(size=(64, 6, 8)).astype("float32")
    assert list(lsuv(model, batch, seed=0)) == ["head/kernel"]
    moved = {v.path for v in model.variables if not np.array_equal(before[v.path], v)}
    assert moved == {"head/kernel"}
    model.trainable = False
    with pytest.raises(ValueError, match=r"`model`.*to train"):
        lsuv(model, batch)


def test_what_cannot_be_done_is_said():
    inputs = keras.Input((4,))
    with pytest.raises(ValueError, match=r"`model`.*dense or convolutional"):
        lsuv(keras.Model(inputs, layers.ReLU()(inputs)), np.ones((2, 4)))
    layer = layers.Dense(3, "relu", name="dense")
    model = keras.Model(inputs, layer(inputs))
    before = np.array(layer.kernel)
    with pytest.raises(ValueError, match=r"`batch`.*dense/kernel.*Received: batch=0\.0"):
        lsuv(model, np.zeros((8, 4), "float32"))
    with pytest.raises(ValueError, match="incompatible"):
        lsuv(model, np.zeros((8, 5), "float32"))
    assert layer.activation is keras.activations.relu
    np.testing.assert_array_equal(layer.kernel, before)
