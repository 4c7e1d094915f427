"""Gradient paths: closed forms of their number and of what they carry, and a tape's gradient."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from formula import fill_keras, image
from keras import layers, ops

from keras_arch import initializers, models
from keras_arch.analysis import gradient_paths, path_lengths, residual_blocks

SMALL = {"stem": "cifar", "input_shape": (8, 8, 3), "classes": 4, "classifier_activation": None}


def normal(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def residual(blocks=6, weight=0.5, width=3):
    """Blocks ``x + weight x``."""
    inputs = x = keras.Input((width,), name="features")
    law = keras.initializers.Identity(weight)
    for block in range(1, blocks + 1):
        y = layers.Dense(width, use_bias=False, kernel_initializer=law, name=f"branch{block}")(x)
        x = layers.Add(name=f"block{block}")([x, y])
    return keras.Model(inputs, x)


def dense_block(growths=4):
    """Each layer reads all before it."""
    inputs = x = keras.Input((3,), name="features")
    for index in range(1, growths + 1):
        x = layers.Concatenate(name=f"join{index}")([x, layers.Dense(2, name=f"dense{index}")(x)])
    return keras.Model(inputs, x)


def taped(model, batch, start, seed=0):
    """Norm of the whole gradient, by the output of a layer or the input."""
    at = model.input if start is None else model.get_layer(start).output
    probe = keras.Model(model.input, [at, model.output])
    with tf.GradientTape() as tape:
        batch = tf.constant(batch)
        tape.watch(batch)
        inner, outer = probe(batch, training=False)
        weights = np.random.default_rng(seed).standard_normal(outer.shape, dtype="float32")
        value = tf.reduce_sum(outer * weights) / len(batch) ** 0.5
    return float(tf.norm(tape.gradient(value, batch if start is None else inner)))


class TestCounts:
    """How many paths there are."""

    def test_of_a_residual_net_they_are_binomial(self):
        found = gradient_paths(residual(10))
        shares = np.array(list(found.paths.values())) / sum(found.paths.values())
        assert list(found.paths) == list(range(11))
        np.testing.assert_allclose(shares, path_lengths(10), rtol=1e-12)

    def test_of_resnet110_as_published(self):
        """54 blocks of two convolutions: 2^54 paths, of which few are long."""
        model = models.ResNet110CIFAR(shortcut="padding")
        found = gradient_paths(model, "stem_relu", "stage3")
        assert found.paths == {2 * k: math.comb(54, k) for k in range(55)}
        whole = gradient_paths(model)
        assert whole.paths == {2 * k + 2: math.comb(54, k) for k in range(55)}  # stem and head

    def test_of_a_dense_block_any_layers_in_their_order(self):
        found = gradient_paths(dense_block(5))
        assert found.paths == {k: math.comb(5, k) for k in range(6)}
        one = gradient_paths(dense_block(5), "dense2", "dense5")
        assert one.paths == {1: 1, 2: 2, 3: 1}  # any of the two between, and the last
        model = models.DenseNet((4,), growth=3, **SMALL, bottleneck=False)
        stage = gradient_paths(model, "stem", "stage1")
        assert sum(stage.paths.values()) == 2**4

    def test_of_a_plain_net_there_is_one(self):
        inputs = x = keras.Input((3,))
        for _ in range(7):
            x = layers.Dense(3, "relu")(x)
        found = gradient_paths(keras.Model(inputs, x))
        assert (found.paths, found.identity, dict(found.added)) == ({7: 1}, 0, {})

    def test_what_is_read_twice_and_what_is_a_model(self):
        inputs = keras.Input((3,))
        block = keras.Sequential([layers.Dense(3), layers.Dense(3)])
        block.build((None, 3))
        twice = block(block(inputs))
        model = keras.Model(inputs, layers.Multiply()([twice, twice, inputs]))
        assert gradient_paths(model).paths == {0: 1, 4: 2}

    def test_a_layer_of_layers_is_one(self):
        inputs = keras.Input((5, 4))
        x = layers.MultiHeadAttention(2, 2, name="attention")(inputs, inputs)
        model = keras.Model(inputs, layers.LayerNormalization()(x + inputs))
        assert gradient_paths(model).paths == {0: 1, 1: 2}  # as queries, and as values


class TestIdentity:
    """The path on which nothing is changed, only added to."""

    @pytest.mark.parametrize("kind", ["basic", "bottleneck"])
    def test_of_preactivation_blocks(self, kind):
        """``x_L = x_0 + sum of F_l``, which He et al. call the identity mapping."""
        model = fill_keras(models.ResNetV2((5,), (4,), block=kind, wiring="paper", **SMALL))
        start = residual_blocks(model)[0]
        found = gradient_paths(model, start, "stage1", batch=image(8, 8))
        last = 2 if kind == "basic" else 3
        assert found.added == {f"stage1_block{block}_{last}_conv": 1 for block in range(2, 6)}
        assert found.identity == 1
        assert found.identity_error < 1e-6
        taps = keras.Model(
            model.input, [model.get_layer(x).output for x in (start, "stage1", *found.added)]
        )
        first, end, *branches = (np.array(x) for x in taps(image(8, 8)))
        np.testing.assert_allclose(end - first, sum(branches), rtol=1e-4, atol=1e-4)

    def test_a_relu_after_the_addition_is_in_its_way(self):
        model = fill_keras(models.ResNet((3,), (4,), block="basic", **SMALL))
        found = gradient_paths(model, "stage1_block1_relu", "stage1", batch=image(8, 8))
        assert (found.identity, found.identity_error) == (0, None)
        block = gradient_paths(model, "stage1_block1_relu", "stage1_block2_add")
        assert block.identity == 1

    def test_of_residual_networks_of_residual_networks(self):
        """Each level has an identity path of its own."""
        model = fill_keras(models.RoR("preresnet", depth=20, **SMALL))
        found = gradient_paths(model, "stem_conv", "stage1_block3_add", batch=image(8, 8))
        assert found.identity == 2
        assert found.identity_error < 1e-6
        assert len(found.added) == 3

    def test_operators_dropout_and_scales(self):
        inputs = keras.Input((4,))
        y = layers.Dense(4, name="branch")(inputs)
        x = layers.Dropout(0.5, seed=0)(inputs) + 0.1 * y
        model = keras.Model(inputs, layers.Activation("linear")(layers.Add()([x, y, y])))
        found = gradient_paths(model, batch=normal(3, 4))
        assert found.identity == 1
        assert found.added["branch"] == 2
        assert sum(found.added.values()) == 3
        assert found.identity_error < 1e-6

    def test_what_has_weights_is_no_identity(self):
        inputs = keras.Input((4,))
        same = layers.Dense(4, use_bias=False, kernel_initializer="identity")(inputs)
        assert gradient_paths(keras.Model(inputs, same)).identity == 0


class TestGradients:
    """What the paths of each length carry."""

    def test_of_linear_blocks_it_is_the_binomial_of_their_weight(self):
        blocks, weight = 6, 0.3
        found = gradient_paths(residual(blocks, weight), batch=normal(5, 3))
        whole = found.gradients[0]
        expected = [whole * math.comb(blocks, k) * weight**k for k in range(blocks + 1)]
        np.testing.assert_allclose(list(found.gradients.values()), expected, rtol=1e-5)
        assert found.gradient == pytest.approx(whole * (1 + weight) ** blocks, rel=1e-5)

    def test_zero_branches_leave_the_identity_path(self):
        model = residual(8, 0.7)
        initializers.zero_residual_branches(model)
        found = gradient_paths(model, batch=normal(5, 3))
        assert found.gradients[0] == found.gradient > 0
        assert set(list(found.gradients.values())[1:]) == {0.0}

    def test_of_a_dense_block_each_kernel_by_hand(self):
        model = dense_block(2)
        one, two = (model.get_layer(f"dense{k}") for k in (1, 2))
        batch, kernels = normal(4, 3), [np.array(x.kernel) for x in (one, two)]
        found = gradient_paths(model, batch=batch)
        back = np.random.default_rng(0).standard_normal((4, 7), dtype="float32") / 2
        x, first, second = back[:, :3], back[:, 3:5], back[:, 5:]
        by_two = second @ kernels[1].T
        expected = [x, first @ kernels[0].T + by_two[:, :3], by_two[:, 3:] @ kernels[0].T]
        norms = [np.linalg.norm(part) for part in expected]
        np.testing.assert_allclose(list(found.gradients.values()), norms, rtol=1e-5)

    @pytest.mark.parametrize("start", [None, "stage1"])
    def test_their_sum_is_a_tapes(self, start):
        sizes = {"block": "basic", "wiring": "paper", "attention": "squeeze_excitation"}
        model = fill_keras(models.ResNetV2((2, 2), (16, 16), **sizes, **SMALL))
        found = gradient_paths(model, start, batch=image(8, 8))
        assert found.gradient == pytest.approx(taped(model, image(8, 8), start), rel=1e-4)
        assert set(found.gradients) == set(found.paths)
        assert sum(found.gradients.values()) >= found.gradient

    def test_of_layers_of_several_outputs_and_inputs(self):
        inputs = keras.Input((6,), name="a")
        other = keras.Input((2,), dtype="int32", name="b")
        left, right = ops.split(layers.Dense(6)(inputs), 2, axis=1)
        seen = layers.Flatten()(layers.Embedding(5, 3)(other))
        x = layers.Concatenate()([layers.Dense(3, "tanh")(left) * right, seen])
        model = keras.Model([inputs, other], layers.Dense(2)(x))
        batch = {"a": normal(4, 6), "b": np.ones((4, 2), "int32")}
        found = gradient_paths(model, "a", batch=batch)
        assert found.paths == {2: 1, 3: 1}
        with tf.GradientTape() as tape:
            x = tf.constant(batch["a"])
            tape.watch(x)
            weights = np.random.default_rng(0).standard_normal((4, 2), dtype="float32")
            value = tf.reduce_sum(model([x, tf.constant(batch["b"])]) * weights) / 2
        assert found.gradient == pytest.approx(float(tf.norm(tape.gradient(value, x))), rel=1e-5)
        with pytest.raises(ValueError, match=r"`start`.*floating"):
            gradient_paths(model, "b", batch=batch)

    def test_none_comes_through_integers(self):
        inputs = keras.Input((4,))
        x = layers.Embedding(4, 3)(ops.argmax(layers.Dense(4)(inputs), axis=-1))
        found = gradient_paths(keras.Model(inputs, x), batch=normal(5, 4))
        assert (found.paths, found.gradients, found.gradient) == ({2: 1}, {}, 0.0)

    def test_most_paths_are_long_and_most_gradient_comes_by_short_ones(self):
        """Of branches that are drawn at random, the squares of what paths carry add up."""
        inputs = x = keras.Input((32,))
        for seed in range(12):
            law = keras.initializers.RandomNormal(stddev=0.3 * 32**-0.5, seed=seed)
            x = layers.Add()([x, layers.Dense(32, kernel_initializer=law)(x)])
        found = gradient_paths(keras.Model(inputs, x), batch=normal(16, 32))
        norms = np.array([found.gradients[k] for k in range(13)])
        expected = [(math.comb(12, k) * 0.09**k) ** 0.5 for k in range(13)]
        np.testing.assert_allclose(norms[:6] / norms[0], expected[:6], rtol=0.25)
        assert np.argmax(list(found.paths.values())) == 6
        assert np.argmax(norms) <= 2


def test_jax_gives_the_same_numbers(on_jax):
    model = fill_keras(models.ResNetV2((2,), (4,), block="basic", wiring="paper", **SMALL))

    def numbers(model, batch):
        found = gradient_paths(model, batch=batch)
        return [*found.gradients.values(), found.gradient]

    theirs = on_jax(numbers, model, image(8, 8), "from keras_arch.analysis import gradient_paths")
    np.testing.assert_allclose(theirs, numbers(model, image(8, 8)), rtol=1e-4)


def test_the_model_stays_as_it_is(untouched):
    inputs = keras.Input((4,))
    x = layers.Dense(4, activity_regularizer="l2", name="shy")(inputs)
    x = layers.Add()([layers.BatchNormalization()(x), layers.Dropout(0.5, seed=1)(x)])
    model = keras.Model(inputs, x)
    before = untouched(model)
    gradient_paths(model, batch=normal(3, 4))
    assert untouched(model) == before


def test_what_has_no_paths_is_refused():
    model = residual(2)
    for argument in ("start", "end"):
        with pytest.raises(ValueError, match=rf"`{argument}`.*'block2'"):
            gradient_paths(model, **{argument: "block9"})
    with pytest.raises(ValueError, match=r"`end`.*from 'block2'"):
        gradient_paths(model, "block2", "block1")
    with pytest.raises(ValueError, match="functional model"):
        gradient_paths(keras.Sequential([layers.Dense(3)]))
    inputs = keras.Input((3,))
    two = keras.Model(inputs, [inputs + 1, inputs + 2])
    with pytest.raises(ValueError, match=r"`end`.*one tensor"):
        gradient_paths(two)
    with pytest.raises(ValueError, match=r"`batch`.*1 arrays"):
        gradient_paths(model, batch=[normal(2, 3)] * 2)
