"""Highway MLP: the paper's arithmetic."""

import numpy as np
import pytest
from formula import fill_keras, image

import keras_arch
from keras_arch.models import HighwayMLP


@pytest.mark.parametrize("depth", [10, 20, 50, 100])
def test_parameters(depth):
    """One plain layer of 50 units, highway layers, a softmax over ten classes."""
    assert HighwayMLP(depth).count_params() == 785 * 50 + (depth - 1) * 5_100 + 51 * 10


def test_with_closed_gates_it_is_a_network_of_one_layer():
    deep = HighwayMLP(30, input_shape=(8, 8, 1))
    shallow = HighwayMLP(2, input_shape=(8, 8, 1), gate_bias=-200.0)
    fill_keras(deep)
    for index in range(1, 30):
        gate = deep.get_layer(f"block{index}").gate
        gate.kernel.assign(np.zeros(gate.kernel.shape))
        gate.bias.assign(np.full(50, -200.0))
    for name in ("stem", "head"):
        shallow.get_layer(name).set_weights(deep.get_layer(name).get_weights())
    maps = keras_arch.feature_extractor(deep, ["stem", "block29"])(image(8, 8, 1))
    assert np.any(maps["stem"])
    np.testing.assert_array_equal(maps["block29"], maps["stem"])
    np.testing.assert_allclose(deep(image(8, 8, 1)), shallow(image(8, 8, 1)), rtol=1e-5)


def test_gates_begin_at_the_bias():
    model = HighwayMLP(4, gate_bias=-3.0)
    biases = [np.asarray(model.get_layer(f"block{i}").gate.bias) for i in (1, 2, 3)]
    np.testing.assert_array_equal(biases, np.full((3, 50), -3.0))


def test_dropout_stands_before_the_head():
    model = HighwayMLP(3, dropout=0.2)
    assert [layer.name for layer in model.layers[-2:]] == ["dropout", "head"]
    assert model.get_layer("dropout").rate == 0.2


def test_what_cannot_be_built_is_refused():
    for arguments, match in (
        ({"depth": 1}, "`depth`"),
        ({"depth": 1000}, "`depth`.*at most 910"),
        ({"pooling": "avg", "include_top": False}, "`pooling`"),
        ({"input_shape": (None, None, 1)}, "a height and width"),
    ):
        with pytest.raises(ValueError, match=match):
            HighwayMLP(**arguments)
