"""Multiply-adds: those of the catalogue's tables, of formulas, and of TensorFlow's profiler."""

import keras
import pytest
import tensorflow as tf
from keras import layers

import keras_arch
from keras_arch.analysis import count_macs
from keras_arch.layers import (
    LocallyConnected2D,
    PartialConv2D,
    SqueezeExcitation,
    StackedConv2D,
)


@pytest.mark.parametrize(("preset", "millions"), [("MobileNet", 568.7), ("MobileNetV2", 300.8)])
def test_of_keras_applications(preset, millions, quick):
    """With depthwise and separable convolutions."""
    model = getattr(keras.applications, preset)(weights=None)
    assert round(count_macs(model).total / 1e6, 1) == millions


def test_connections_of_lenet5():
    """The paper's connections without those of the biases: C3 has 60 kernels of 25 weights."""
    layers = count_macs(keras_arch.models.LeNet5()).layers
    assert layers["stem"] == 122_304 - 28 * 28 * 6
    assert layers["stage2_conv"] == 151_600 - 10 * 10 * 16
    assert layers["stage3"] == 48_120 - 120
    assert layers["f6"] == 10_164 - 84


def one(layer, shape=(10, 9, 4)):
    inputs = keras.Input(shape)
    return keras.Model(inputs, layer(inputs))


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (layers.Conv2D(6, (3, 2)), 8 * 8 * 3 * 2 * 4 * 6),
        (layers.Conv2D(6, 3, strides=2, padding="same"), 5 * 5 * 9 * 4 * 6),
        (layers.Conv2D(6, 3, groups=2), 8 * 7 * 9 * 2 * 6),
        (layers.Conv2D(6, 3, dilation_rate=2), 6 * 5 * 9 * 4 * 6),
        (layers.DepthwiseConv2D(3, depth_multiplier=2), 8 * 7 * 9 * 4 * 2),
        (layers.SeparableConv2D(6, 3), 8 * 7 * (9 * 4 + 4 * 6)),
        (layers.Conv2DTranspose(6, 3, strides=2), 10 * 9 * 9 * 4 * 6),
        (layers.Dense(6), 10 * 9 * 4 * 6),
        (layers.TimeDistributed(layers.Conv1D(6, 3)), 10 * 7 * 3 * 4 * 6),
        (PartialConv2D([[0], [0, 3]], 3, padding="same"), 10 * 9 * 9 * 3),
        (LocallyConnected2D(5, 3), 8 * 7 * 9 * 4 * 5),
        (SqueezeExcitation(2), 2 * 4 * 2),
        (layers.BatchNormalization(), 0),
        (layers.MaxPooling2D(2), 0),
    ],
    ids=lambda value: type(value).__name__,
)
def test_formulas(layer, expected):
    assert count_macs(one(layer)).total == expected


def test_every_call_counts_under_its_path():
    inputs = keras.Input((5, 5, 2))
    tower = keras.Sequential([layers.Conv2D(3, 3, name="conv")], name="tower")
    gate = SqueezeExcitation(1, name="gate")
    x = layers.Add()([tower(inputs), gate(tower(inputs))])
    macs = count_macs(keras.Model(inputs, x))
    assert macs.layers == {
        "tower/conv": 2 * 9 * 9 * 2 * 3,
        "gate/squeeze": 3 * 3,
        "gate/excite": 3 * 3,
    }


def test_equals_the_profiler(quick):
    """TensorFlow counts two operations for each multiply-add, of the compiled graph."""
    model = keras.applications.MobileNetV3Small((224, 224, 3), weights=None)
    graph = tf.function(model).get_concrete_function(tf.TensorSpec((1, 224, 224, 3))).graph
    options = tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
    kinds = ["Conv2D", "DepthwiseConv2dNative", "MatMul"]
    options = {**options, "account_type_regexes": kinds, "output": "none"}
    profile = tf.compat.v1.profiler.profile(graph, cmd="op", options=options)
    flops = {child.name: child.total_float_ops for child in profile.children}
    assert sum(flops.values()) > 0
    assert count_macs(model).total == profile.total_float_ops / 2


class TestInput:
    def test_any_size(self, quick):
        model = keras_arch.models.VGG16(include_top=False)
        small, large = (count_macs(model, (side, side, 3)).total for side in (32, 64))
        assert large == 4 * small
        with pytest.raises(ValueError, match=r"`input_shape`.*sizes.*None"):
            count_macs(model)

    def test_several(self):
        one, other = keras.Input((4,)), keras.Input((5,))
        x = layers.Concatenate()([layers.Dense(2)(one), layers.Dense(3)(other)])
        model = keras.Model([one, other], x)
        assert count_macs(model).total == 4 * 2 + 5 * 3
        with pytest.raises(ValueError, match="with 2 inputs"):
            count_macs(model, (4,))

    def test_a_model_without_a_graph(self):
        class Model(keras.Model):
            def __init__(self):
                super().__init__()
                self.dense = layers.Dense(3, name="dense")

            def call(self, x):
                return self.dense(x)

        model = Model()
        with pytest.raises(ValueError, match="`input_shape`"):
            count_macs(model)
        model(tf.ones((1, 4)))
        assert count_macs(model, (4,)).layers == {"dense": 12}


@pytest.mark.parametrize(
    "layer", [layers.LSTM(3), layers.MultiHeadAttention(2, 3)], ids=["recurrent", "einsum"]
)
def test_what_is_not_counted_is_refused(layer):
    inputs = keras.Input((5, 4))
    arguments = (inputs, inputs) if isinstance(layer, layers.MultiHeadAttention) else (inputs,)
    with pytest.raises(ValueError, match="a model of convolutions and dense layers"):
        count_macs(keras.Model(inputs, layer(*arguments)))


def test_the_model_stays_as_it_is(untouched):
    shy = layers.Dense(4, activity_regularizer="l2", name="shy")
    model = one(keras.Sequential([layers.BatchNormalization(), layers.Dropout(0.5, seed=1), shy]))
    before = untouched(model)
    count_macs(model)
    assert untouched(model) == before
    with pytest.raises(ValueError):  # noqa: PT011 - of any kind
        count_macs(model, (3, 3, 5))
    assert untouched(model) == before


def test_a_stack_counts_all_its_layers():
    image = keras.Input((8, 6, 3), name="image")
    stack = StackedConv2D(5, 3, name="stack")
    model = keras.Model(image, stack(image))
    assert count_macs(model).total == 5 * (8 * 6) * (3 * 3 * 3 * 3)


def test_where_places_share_no_weights_each_has_one():
    image = keras.Input((3, 3, 2), name="image")
    local = LocallyConnected2D(4, 3, padding="same", name="local")
    shared = keras.layers.Conv2D(4, 3, padding="same", name="shared")
    for layer in (local, shared):
        assert count_macs(keras.Model(image, layer(image))).total == (3 * 3) * (3 * 3 * 2 * 4)


def test_a_kernel_beside_an_image_reads_its_own_input():
    model = keras_arch.models.STN(input_shape=(16, 16, 1), units=7, classes=3)
    assert count_macs(model).layers["transformer"] == 7 * 6
