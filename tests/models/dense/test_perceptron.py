import numpy as np
import pytest

from keras_arch.models import Perceptron


def test_a_weighted_sum_and_a_threshold():
    model = Perceptron(features=3, units=2)
    kernel, bias = np.array([[1.0, -2], [0.5, 1], [-1, 0]]), np.array([0.25, -1])
    model.set_weights([kernel, bias])
    x = np.random.default_rng(0).normal(size=(50, 3)).astype("float32")
    expected = (x @ kernel + bias > 0).astype("float32")
    assert 0 < expected.mean() < 1
    np.testing.assert_array_equal(model(x), expected)


@pytest.mark.parametrize("features", [1, 2, 784])
def test_parameters(features):
    assert Perceptron(features).count_params() == features + 1


def test_it_starts_at_zero_and_only_the_head_learns():
    model = Perceptron(features=4, association=6)
    assert [variable.path for variable in model.trainable_variables] == ["head/kernel", "head/bias"]
    assert not any(np.any(variable) for variable in model.trainable_variables)
    association = model.get_layer("block1")
    assert set(np.unique(association(np.random.normal(size=(50, 4))))) == {0.0, 1.0}


def test_association_units_are_not_small():
    model = Perceptron(features=100, association=200)
    assert np.std(model.get_layer("block1").kernel) == pytest.approx(1, abs=0.05)
    assert np.std(model.get_layer("block1").bias) == pytest.approx(1, abs=0.2)
