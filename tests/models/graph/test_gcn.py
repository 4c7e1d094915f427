"""GCN: the paper's networks, and the dense formula in float64."""

import keras
import numpy as np
import pytest

import keras_arch
from keras_arch.models import GCN


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


RING = np.array([[(i, (i + step) % 6) for i in range(6) for step in (1, 5)]], "int32")


@pytest.mark.parametrize(
    ("preset", "parameters"),
    [
        ("GCNCora", 1433 * 16 + 16 + 16 * 7 + 7),  # 23,040 of them are kernels
        ("GCNCiteseer", 3703 * 16 + 16 + 16 * 6 + 6),
        ("GCNPubmed", 500 * 16 + 16 + 16 * 3 + 3),
    ],
)
def test_parameters(preset, parameters):
    assert keras_arch.create(preset).count_params() == parameters


def test_it_is_two_rounds_of_the_dense_formula():
    model = GCN(nodes=6, features=4, widths=(5,), classes=3)
    for index, weight in enumerate(model.trainable_variables):
        weight.assign(numbers(*weight.shape, seed=index))
    x = numbers(1, 6, 4, seed=9)
    adjacency = np.eye(6)
    adjacency[tuple(RING[0].T)] = 1  # every node has two neighbours: D = 3 I
    first, second = (model.get_layer(name) for name in ("block1", "head"))
    hidden = np.maximum(adjacency / 3 @ x[0] @ first.kernel.numpy() + first.bias.numpy(), 0)
    logits = adjacency / 3 @ hidden @ second.kernel.numpy() + second.bias.numpy()
    odds = np.exp(logits)
    expected = odds / odds.sum(-1, keepdims=True)
    np.testing.assert_allclose(model((x, RING))[0], expected, atol=1e-5)


def test_a_node_sees_as_many_edges_far_as_there_are_layers():
    path = np.array([[(i, i + 1) for i in range(5)]], "int32")
    model = GCN(nodes=6, features=4, widths=(5, 5), classes=3, classifier_activation=None)
    x = numbers(1, 6, 4)
    changed = x.copy()
    changed[0, 0] += 1.0
    same = np.all(np.array(model((x, path))) == np.array(model((changed, path))), axis=-1)[0]
    assert same.tolist() == [False] * 4 + [True] * 2  # node 0 reaches three edges far


def test_padding_edges_and_other_graphs_of_the_batch_change_nothing():
    model = GCN(features=4, classes=3)
    x = numbers(2, 6, 4)
    padded = np.concatenate([RING, np.full((1, 4, 2), -1, "int32")], axis=1)
    both = np.array(model((x, np.concatenate([padded, padded]))))
    np.testing.assert_allclose(both[:1], model((x[:1], RING)), atol=1e-6)


def test_weight_decay_is_of_the_first_kernel_alone():
    model = GCN(features=4, widths=(5, 5), classes=3, weight_decay=0.1)
    kernel = model.get_layer("block1").kernel.numpy()
    assert float(sum(model.losses)) == pytest.approx(0.1 * (kernel**2).sum() / 2, rel=1e-5)


def test_dropout_is_before_every_convolution_and_only_in_training():
    model = GCN(features=4, widths=(5,), classes=3, dropout=0.5)
    rates = [layer.rate for layer in model.layers if isinstance(layer, keras.layers.Dropout)]
    assert rates == [0.5, 0.5]
    x = (np.ones((1, 6, 4), "float32"), RING)
    np.testing.assert_array_equal(model(x), model(x))
    assert not np.array_equal(model(x, training=True), model(x, training=True))


def test_it_learns_from_the_labels_of_two_nodes():
    """Two rings joined by one edge, names as features: labels spread along the edges."""
    ring = [(i, (i + 1) % 5) for i in range(5)]
    pairs = [*ring, *((a + 5, b + 5) for a, b in ring), (2, 7)]
    edges = np.array([[*pairs, *((b, a) for a, b in pairs)]], "int32")
    x, labels = np.eye(10, dtype="float32")[None], np.array([[0] * 5 + [1] * 5])
    known = np.zeros((1, 10), "float32")
    known[0, [0, 5]] = 1.0
    keras.utils.set_random_seed(0)
    model = GCN(nodes=10, features=10, classes=2)
    model.compile(keras.optimizers.Adam(0.02), keras.losses.SparseCategoricalCrossentropy())
    model.fit((x, edges), labels, sample_weight=known, batch_size=1, epochs=60, verbose=0)
    assert (model.predict((x, edges), verbose=0).argmax(-1) == labels).all()
