"""Rules for whole models: zero residual branches, gate biases."""

import keras
import numpy as np
import pytest
from keras import layers

import keras_arch
from keras_arch.initializers import gate_biases, zero_residual_branches

SMALL = {"input_shape": (16, 16, 3), "stem": "cifar", "classes": 4}
NETWORKS = {
    "basic": lambda: keras_arch.models.ResNet((2, 2), (4, 6), block="basic", **SMALL),
    "bottleneck": lambda: keras_arch.models.ResNet((2, 1), (3, 4), **SMALL),
    "padding": lambda: keras_arch.models.ResNet(
        (1, 2), (4, 6), block="basic", shortcut="padding", **SMALL
    ),
    "v2": lambda: keras_arch.models.ResNetV2((2, 2), (3, 4), **SMALL),
}


@pytest.mark.parametrize("make", NETWORKS.values(), ids=NETWORKS)
def test_every_block_is_its_shortcut(make):
    model = make()
    additions = [layer for layer in model.layers if isinstance(layer, layers.Add)]
    zeroed = zero_residual_branches(model)
    assert len(zeroed) == len(additions)
    ends = [keras.Model(model.input, [*layer.input, layer.output]) for layer in additions]
    image = np.random.default_rng(0).normal(size=(2, 16, 16, 3)).astype("float32")
    for training in (False, True):
        for end in ends:
            past, branch, total = (np.array(x) for x in end(image, training=training))
            assert past.any()
            assert not branch.any()
            np.testing.assert_array_equal(total, past)


def test_gradients_open_the_branches_again():
    model = NETWORKS["basic"]()
    zeroed = zero_residual_branches(model)
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    rng = np.random.default_rng(0)
    model.fit(rng.normal(size=(8, 16, 16, 3)), rng.integers(0, 4, 8), epochs=2, verbose=0)
    assert all(np.any(model.get_layer(name).gamma) for name in zeroed)


def test_a_kernel_at_the_end_gates_and_models_within():
    inputs = keras.Input((8,))

    def block(x, name):
        y = layers.Dense(8, "relu", name=f"{name}_in")(x)
        y = layers.Dense(8, bias_initializer="ones", name=f"{name}_out")(y)
        gate = layers.Dense(8, "sigmoid", name=f"{name}_gate")(y)
        y = layers.Multiply(name=f"{name}_scale")([y, gate])
        return x + layers.Dropout(0.1, name=f"{name}_drop")(y)  # an addition without a layer

    inner_input = keras.Input((8,))
    inner = keras.Model(inner_input, block(inner_input, "b"), name="inner")
    model = keras.Model(inputs, inner(block(inputs, "a")))
    assert zero_residual_branches(model) == ["a_out", "b_out"]
    x = np.random.default_rng(0).normal(size=(3, 8)).astype("float32")
    np.testing.assert_array_equal(model(x), x)


def test_sums_of_equals_are_no_residual_branches():
    inputs = keras.Input((8,))
    both = layers.Add()([layers.Dense(8)(inputs), layers.Dense(8)(inputs)])
    with pytest.raises(ValueError, match=r"`model`.*residual additions"):
        zero_residual_branches(keras.Model(inputs, both))


def test_a_branch_that_keeps_no_zeros_is_refused():
    inputs = keras.Input((8,))
    branch = layers.Activation("sigmoid", name="squashed")(layers.Dense(8)(inputs))
    with pytest.raises(ValueError, match=r"keep zeros.*squashed"):
        zero_residual_branches(keras.Model(inputs, layers.Add()([inputs, branch])))


@pytest.mark.parametrize("activation", ["sigmoid", "softplus", layers.Activation("sigmoid")])
def test_a_last_kernel_whose_activation_keeps_no_zeros_is_refused(activation):
    inputs = keras.Input((8,))
    branch = layers.Dense(8, activation, name="squashed")(inputs)
    with pytest.raises(ValueError, match=r"keep zeros.*squashed"):
        zero_residual_branches(keras.Model(inputs, layers.Add()([inputs, branch])))


def test_what_is_refused_is_left_as_it_was():
    inputs = keras.Input((8,))
    x = layers.Add()([inputs, layers.Dense(8, name="first")(inputs)])
    model = keras.Model(inputs, layers.Add()([x, layers.Dense(8, "sigmoid", name="second")(x)]))
    before = model.get_weights()
    with pytest.raises(ValueError, match=r"keep zeros.*second"):
        zero_residual_branches(model)
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_attention_ends_in_its_output():
    inputs = keras.Input((4, 8))
    attention = layers.MultiHeadAttention(2, 4, bias_initializer="ones", name="attention")
    model = keras.Model(inputs, inputs + attention(inputs, inputs))
    assert zero_residual_branches(model) == ["attention"]
    x = np.random.default_rng(0).normal(size=(3, 4, 8)).astype("float32")
    np.testing.assert_array_equal(model(x), x)


def test_a_branch_without_an_end_is_refused():
    inputs = keras.Input((8,))
    halves = [layers.Dense(4)(inputs), layers.Dense(4)(inputs)]
    branch = layers.Concatenate(name="joined")(halves)
    with pytest.raises(ValueError, match=r"`gamma` or `kernel`.*joined"):
        zero_residual_branches(keras.Model(inputs, layers.Add()([inputs, branch])))


class Highway(layers.Layer):
    """``T H(x) + (1 - T) x`` with the attributes that the rule looks for."""

    gate_bias = 0.0

    def build(self, input_shape):
        self.transform = layers.Dense(input_shape[-1], "tanh", name="transform")
        self.gate = layers.Dense(input_shape[-1], "sigmoid", name="gate")
        self.transform.build(input_shape)
        self.gate.build(input_shape)

    def call(self, x):
        return self.gate(x) * self.transform(x) + (1 - self.gate(x)) * x


@pytest.mark.parametrize(("value", "gate"), [(-1, 0.269), (-2, 0.119), (-3, 0.047), (-4, 0.018)])
def test_gate_biases(value, gate):
    inputs = keras.Input((8,))
    model = keras.Model(inputs, Highway(name="two")(Highway(name="one")(inputs)))
    assert gate_biases(model, value) == ["one/gate/bias", "two/gate/bias"]
    bias = model.get_layer("one").gate.bias
    np.testing.assert_allclose(keras.ops.sigmoid(bias), gate, atol=6e-4)
    assert not np.any(model.get_layer("one").transform.bias)
    x = np.random.default_rng(0).normal(size=(3, 8)).astype("float32")
    gate_biases(model, -30.0)
    np.testing.assert_allclose(model(x), x, atol=1e-6)


def test_a_model_without_gates_is_refused():
    """Nor is a layer's gate that is an activation one of a highway layer."""
    inputs = keras.Input((8, 8, 4))
    x = keras_arch.layers.SqueezeExcitation(2)(inputs)
    with pytest.raises(ValueError, match="highway layers"):
        gate_biases(keras.Model(inputs, x))
