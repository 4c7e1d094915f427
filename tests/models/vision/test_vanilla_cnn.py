"""VanillaCNN: a thousand layers are an isometry, and ten thousand one graph."""

import numpy as np
import pytest
import tensorflow as tf

from keras_arch import initializers
from keras_arch.models import VanillaCNN


def deep(size=4, **arguments):
    """The deep part of a network of width 8, alone."""
    alone = {"width": 8, "strides": (), "include_top": False}
    return VanillaCNN(input_shape=(size, size, 8), **alone, **arguments)


def jacobian(model, x):
    """At one image, as a matrix: in a batch of its copies, each differs in another output."""
    wide = x.size
    copies = tf.constant(np.repeat(x[None], wide, axis=0))
    with tf.GradientTape() as tape:
        tape.watch(copies)
        y = tf.reduce_sum(tf.reshape(model(copies), (wide, wide)) * np.eye(wide, dtype="float32"))
    return tf.reshape(tape.gradient(y, copies), (wide, wide)).numpy()


LINEAR = {"activation": "linear", "bias_variance": 0.0}


def linear_map(model):
    """Of a model that is linear: all basis vectors at once."""
    wide = int(np.prod(model.input_shape[1:]))
    basis = np.eye(wide, dtype="float32").reshape(wide, *model.input_shape[1:])
    return np.asarray(tf.function(model)(basis)).reshape(wide, wide)


def test_a_thousand_linear_layers_are_an_isometry():
    values = np.linalg.svd(linear_map(deep(depth=1000, **LINEAR)), compute_uv=False)
    np.testing.assert_allclose(values, 1, atol=1e-4)


def test_of_gaussian_kernels_of_the_same_variance_nothing_is_left():
    model = deep(depth=1000, initializer="gaussian", **LINEAR)
    assert np.linalg.svd(linear_map(model), compute_uv=False).max() < 1e-6


def test_a_thousand_tanh_layers_are_nearly_one():
    model = deep(depth=1000, bias_variance=0.0)
    x = 0.01 * np.random.default_rng(0).normal(size=(4, 4, 8)).astype("float32")
    values = np.linalg.svd(jacobian(tf.function(model), x), compute_uv=False)
    # Of x of variance q the slope of tanh is 1 - x^2, in the square 1 - 2q a layer.
    assert np.mean(values**2) == pytest.approx(np.exp(-2 * 1000 * 0.01**2), abs=0.05)
    assert 0.9 < values.max() < 1
    assert 0.85 < np.median(values) < 0.95


def test_ten_thousand_layers_are_built_run_and_differentiated():
    model = VanillaCNN(width=4, strides=(1,), input_shape=(4, 4, 1))
    assert model.get_layer("stage1").depth == 10_000
    assert model.count_params() == 40 + 10_000 * (9 * 4 * 4 + 4) + 50
    x = np.random.default_rng(0).uniform(size=(2, 4, 4, 1)).astype("float32")

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            loss = -tf.math.log(model(x)[0, 3])
        return loss, tape.gradient(loss, [v.value for v in model.trainable_variables])

    loss, gradients = step()
    assert 1.5 < loss < 3.5
    first, stack, head = (np.linalg.norm(gradients[i]) for i in (0, 2, 4))
    assert np.isfinite([first, stack, head]).all()
    assert first > 0.01 * head  # the gradient arrives
    each = np.linalg.norm(np.reshape(gradients[2], (10_000, -1)), axis=1)
    assert each.min() > 1e-3 * each.max()


@pytest.mark.parametrize(
    ("initializer", "arrives"), [("delta_orthogonal", True), ("gaussian", False)]
)
def test_the_gradient_of_the_first_layer(initializer, arrives):
    model = VanillaCNN(500, 8, (1,), initializer=initializer, input_shape=(4, 4, 1))
    x = np.random.default_rng(0).uniform(-1, 1, (4, 4, 4, 1)).astype("float32")
    with tf.GradientTape() as tape:
        loss = -tf.reduce_mean(tf.math.log(tf.function(model)(x)[:, 3]))
    stacked = model.get_layer("stage1").stacked_kernel.value
    norms = np.linalg.norm(np.reshape(tape.gradient(loss, stacked), (500, -1)), axis=1)
    assert (norms[0] > 0.1 * norms[-1]) == arrives
    assert (norms[0] < 0.02 * norms[-1]) != arrives


def test_both_paddings_agree_where_kernels_are_as_drawn():
    x = np.random.default_rng(0).normal(size=(2, 6, 6, 8)).astype("float32")
    one, other = (deep(6, depth=5, padding=padding) for padding in ("circular", "same"))
    other.set_weights(one.get_weights())
    np.testing.assert_allclose(one(x), other(x), atol=1e-6)
    for model in (one, other):
        model.layers[-1].stacked_kernel.assign_add(0.1 * np.ones((5, 3, 3, 8, 8)))
    assert np.abs(one(x) - other(x)).max() > 1e-2


def test_kernels_are_on_the_critical_line():
    model = deep(depth=2)
    kernels = np.asarray(model.layers[-1].stacked_kernel)
    gram = kernels[0, 1, 1].T @ kernels[0, 1, 1]
    np.testing.assert_allclose(gram, 1.0499 * np.eye(8), atol=1e-4)
    assert initializers.critical_variance("tanh", 2e-5) == pytest.approx(gram[0, 0], rel=1e-5)


def test_what_cannot_be_built_is_refused():
    with pytest.raises(ValueError, match="`initializer`"):
        VanillaCNN(2, initializer="other")
    with pytest.raises(ValueError, match="`bias_variance`"):
        VanillaCNN(2, activation="relu")
    with pytest.raises(ValueError, match="`depth`"):
        VanillaCNN(0)
