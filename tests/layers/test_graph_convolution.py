"""Graph convolution: Kipf's dense formula in float64, and what follows from it."""

import keras
import networkx as nx
import numpy as np
import pytest

from keras_arch.layers import GraphConvolution


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def filled(layer, width):
    layer.build(((None, None, width), (None, None, 2)))
    for index, weight in enumerate(layer.trainable_variables):
        weight.assign(numbers(*weight.shape, seed=7 + index))
    return layer


def dense(layer, x, edges):
    """``D^-1/2 (A + I) D^-1/2 X W + b`` for one graph, with ``A[target, source]``."""
    adjacency = np.eye(len(x))
    for source, target in edges:
        if min(source, target) >= 0:
            adjacency[target, source] += 1
    scale = np.diag(adjacency.sum(1) ** -0.5)
    return scale @ adjacency @ scale @ x.astype("float64") @ layer.kernel.numpy() + (
        layer.bias.numpy() if layer.use_bias else 0
    )


def both_ways(graph):
    return np.array([pair for u, v in graph.edges for pair in ((u, v), (v, u))], "int32")


def test_it_is_the_formula_on_each_graph_of_a_padded_batch():
    layer = filled(GraphConvolution(3), 4)
    x = numbers(2, 5, 4)
    edges = np.full((2, 6, 2), -1, "int32")
    edges[0, :4] = [(0, 1), (1, 0), (2, 0), (4, 0)]  # one way and both ways
    edges[1, 1:3] = [(3, 4), (3, 2)]  # padding before and after
    found = layer((x, edges))
    for graph in range(2):
        np.testing.assert_allclose(found[graph], dense(layer, x[graph], edges[graph]), atol=1e-5)


@pytest.mark.parametrize("use_bias", [True, False])
def test_the_karate_club_against_the_matrix_of_networkx(use_bias):
    graph = nx.karate_club_graph()
    layer = filled(GraphConvolution(16, use_bias=use_bias), 34)
    looped = nx.Graph(graph.edges)
    looped.add_edges_from((node, node) for node in graph)
    laplacian = nx.normalized_laplacian_matrix(looped, nodelist=range(34), weight=None)
    x = numbers(34, 34)
    expected = (np.eye(34) - laplacian.toarray()) @ x @ layer.kernel.numpy()
    expected += layer.bias.numpy() if use_bias else 0
    np.testing.assert_allclose(layer((x[None], both_ways(graph)[None]))[0], expected, atol=1e-5)


def test_a_row_that_names_no_node_is_no_edge():
    layer = filled(GraphConvolution(3), 4)
    x = numbers(2, 5, 4)
    none = np.full((2, 3, 2), -1, "int32")
    wrong = np.array([[(-1, 0), (1, -1), (5, 0)], [(0, 5), (7, 7), (-1, -1)]], "int32")
    np.testing.assert_array_equal(layer((x, wrong)), layer((x, none)))


def test_without_edges_it_is_a_dense_layer():
    layer = filled(GraphConvolution(3, "tanh"), 4)
    x = numbers(2, 5, 4)
    expected = np.tanh(x @ layer.kernel.numpy() + layer.bias.numpy())
    for edges in (np.full((2, 3, 2), -1, "int32"), np.zeros((2, 0, 2), "int32")):
        np.testing.assert_allclose(layer((x, edges)), expected, atol=1e-6)


def test_on_a_complete_graph_every_node_gets_the_mean():
    layer = filled(GraphConvolution(3), 4)
    x = numbers(1, 6, 4)
    found = np.array(layer((x, both_ways(nx.complete_graph(6))[None])))
    mean = x.mean(1) @ layer.kernel.numpy() + layer.bias.numpy()
    np.testing.assert_allclose(found, np.repeat(mean[:, None], 6, axis=1), atol=1e-5)


def test_it_is_equivariant_to_permutations():
    layer = filled(GraphConvolution(3, "tanh"), 4)
    x, edges = numbers(1, 7, 4), both_ways(nx.gnp_random_graph(7, 0.4, seed=1))
    order = np.random.default_rng(0).permutation(7)
    moved = np.argsort(order)[edges].astype("int32")  # node order[i] is now node i
    found = layer((x[:, order], moved[None]))
    expected = np.array(layer((x, edges[None])))[:, order]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert not np.allclose(layer((x[:, order], edges[None])), expected, atol=1e-2)


def test_edges_are_integer_pairs():
    x = numbers(1, 5, 4)
    with pytest.raises(ValueError, match=r"`edges`.*integers.*float32"):
        GraphConvolution(3)((x, np.zeros((1, 3, 2), "float32")))
    with pytest.raises(ValueError, match=r"`edges`.*pairs"):
        GraphConvolution(3)((x, np.zeros((1, 3, 3), "int32")))
    with pytest.raises(ValueError, match="`units`"):
        GraphConvolution(0)


@pytest.mark.parametrize("dtype", ["int64", "uint8"])
def test_any_integers_name_nodes(dtype):
    layer = filled(GraphConvolution(3), 4)
    x, edges = numbers(1, 5, 4), np.array([[(0, 1), (4, 2)]])
    expected = layer((x, edges.astype("int32")))
    np.testing.assert_array_equal(layer((x, edges.astype(dtype))), expected)


def test_low_precision_counts_the_degree_exactly():
    """A star of 600 leaves: bfloat16 cannot count beyond 256."""
    leaves = 600
    edges = np.stack([np.arange(1, leaves + 1), np.zeros(leaves)], axis=1)[None].astype("int32")
    x = np.zeros((1, leaves + 1, 1), "float32")
    x[0, 0] = 1.0
    layer = GraphConvolution(1, use_bias=False, kernel_initializer="ones", dtype="mixed_bfloat16")
    centre = float(layer((x, edges))[0, 0, 0])
    assert centre == pytest.approx(1 / (leaves + 1), rel=0.02)


def test_it_compiles_with_unknown_batch_and_size():
    features = keras.Input((None, 4), name="node_features")
    edges = keras.Input((None, 2), dtype="int32", name="edges")
    model = keras.Model((features, edges), GraphConvolution(3)((features, edges)))
    for jit in (False, True):
        model.compile("sgd", "mse", jit_compile=jit)
        for batch, nodes in ((2, 5), (3, 4)):
            x = (numbers(batch, nodes, 4), np.zeros((batch, 6, 2), "int32"))
            assert np.isfinite(model.train_on_batch(x, np.ones((batch, nodes, 3))))
