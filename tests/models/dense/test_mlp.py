"""MLP: scikit-learn's own networks, weights copied."""

import warnings

import keras
import numpy as np
import pytest
from sklearn.datasets import load_digits, make_regression
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor

from keras_arch.models import MLP, MLPSymmetry


def fitted(network, x, y):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return network.fit(x, y)


def copy(network, model):
    pairs = zip(network.coefs_, network.intercepts_, strict=True)
    model.set_weights([weight for pair in pairs for weight in pair])
    return model


ACTIVATIONS = {"logistic": "sigmoid", "tanh": "tanh", "relu": "relu"}


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_classes_of_scikit_learn(activation):
    x, y = load_digits(return_X_y=True)
    x = x / 16
    network = MLPClassifier((20, 15), activation=activation, max_iter=20, random_state=0)
    fitted(network, x, y)
    model = MLP(64, (20, 15), ACTIVATIONS[activation], classes=10)
    found = copy(network, model).predict(x, verbose=0)
    np.testing.assert_allclose(found, network.predict_proba(x), atol=1e-6)
    assert network.score(x, y) > 0.5


def test_yes_or_no():
    x, y = load_digits(return_X_y=True)
    network = fitted(MLPClassifier((8,), max_iter=5, random_state=0), x / 16, y % 2)
    model = MLP(64, (8,), "relu", classes=1, classifier_activation="sigmoid")
    found = copy(network, model).predict(x / 16, verbose=0)
    np.testing.assert_allclose(found[:, 0], network.predict_proba(x / 16)[:, 1], atol=1e-6)


def test_the_numbers_of_scikit_learn():
    x, y = make_regression(100, 5, n_targets=2, random_state=0)
    network = fitted(MLPRegressor(hidden_layer_sizes=(12, 7), max_iter=50, random_state=0), x, y)
    model = MLP(5, (12, 7), "relu", classes=2, classifier_activation=None)
    expected = network.predict(x)
    found = copy(network, model).predict(x, verbose=0)
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize(
    ("sizes", "count"),
    [
        ((784, (300,), 10), 784 * 300 + 300 + 300 * 10 + 10),
        ((784, (300, 100), 10), 784 * 300 + 300 + 300 * 100 + 100 + 100 * 10 + 10),
        ((4, (), 3), 15),
    ],
)
def test_parameters(sizes, count):
    features, units, classes = sizes
    assert MLP(features, units, classes=classes).count_params() == count


def test_dropout_is_after_each_hidden_layer():
    model = MLP(4, (8, 6), dropout=0.25, classes=2)
    names = [layer.name for layer in model.layers]
    assert names == ["features", "block1", "block1_dropout", "block2", "block2_dropout", "head"]
    rates = [layer.rate for layer in model.layers if isinstance(layer, keras.layers.Dropout)]
    assert rates == [0.25, 0.25]


def test_two_hidden_units_tell_mirror_symmetry():
    """The paper's solution: weights 1, 2, 4 to one side, their negatives to the other."""
    model = MLPSymmetry()
    assert model.count_params() == 6 * 2 + 2 + 2 + 1
    half = np.array([1.0, 2.0, 4.0])
    weights = 4 * np.concatenate([half, -half[::-1]])
    hidden = np.stack([weights, -weights], axis=1)
    model.set_weights([hidden, np.full(2, -2.0), np.full((2, 1), -20.0), np.array([7.0])])
    x = np.array(list(np.ndindex(*[2] * 6)), "float32")
    expected = (x == x[:, ::-1]).all(axis=1)
    assert expected.sum() == 8
    np.testing.assert_array_equal(model.predict(x, verbose=0)[:, 0] > 0.5, expected)
