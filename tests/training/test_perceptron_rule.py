"""Rosenblatt's rule: scikit-learn's perceptron, Novikoff's bound, and what no plane separates."""

import keras
import numpy as np
import pytest
from sklearn.linear_model import Perceptron as SklearnPerceptron

from keras_arch.models import Perceptron
from keras_arch.training import PerceptronRule

XOR = np.tile([[0.0, 0], [0, 1], [1, 0], [1, 1]], (25, 1)), np.tile([0, 1, 1, 0], 25)


def separable(seed=0, examples=60, features=5, margin=0.3):
    """Labels of a plane, without what lies close to it."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(10 * examples, features)).astype("float32")
    plane = rng.normal(size=features + 1)
    plane /= np.linalg.norm(plane)
    side = x @ plane[:-1] + plane[-1]
    x, side = x[abs(side) > margin][:examples], side[abs(side) > margin][:examples]
    return x, (side > 0).astype(int), plane


def train(x, y, epochs, **arguments):
    batch_size = arguments.pop("batch_size", 32)
    model = PerceptronRule(Perceptron(x.shape[1], **arguments))
    model.compile()
    history = model.fit(x, y, epochs=epochs, batch_size=batch_size, shuffle=False, verbose=0)
    return model, [int(count) for count in history.history["mistakes"]]


def by_hand(x, y, epochs):
    """The rule in numpy: weights, and mistakes of each epoch."""
    x = np.c_[x, np.ones(len(x))].astype("float64")
    w, counts = np.zeros(x.shape[1]), []
    for _ in range(epochs):
        mistakes = 0
        for row, label in zip(x, 2 * y - 1, strict=True):
            if label * (row @ w) <= 0:
                w, mistakes = w + label * row, mistakes + 1
        counts.append(mistakes)
    return w, counts


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("batch_size", [1, 7, 60])
def test_weights_and_mistakes(seed, batch_size):
    x, y, _ = separable(seed)
    model, counts = train(x, y, epochs=4, batch_size=batch_size)
    w, expected = by_hand(x, y, epochs=4)
    assert counts == expected
    found = np.r_[np.asarray(model.head.kernel)[:, 0], model.head.bias]
    np.testing.assert_allclose(found, w, atol=1e-4)


@pytest.mark.parametrize("seed", range(3))
def test_scikit_learn_s_perceptron(seed):
    x, y, _ = separable(seed)
    reference = SklearnPerceptron(
        penalty=None, eta0=1.0, shuffle=False, max_iter=6, tol=None, random_state=0
    ).fit(x, y)
    model, _ = train(x, y, epochs=6)
    np.testing.assert_allclose(model.head.kernel, reference.coef_.T, atol=1e-4)
    np.testing.assert_allclose(model.head.bias, reference.intercept_, atol=1e-4)
    found = model.predict(x, verbose=0)[:, 0]
    np.testing.assert_array_equal(found, reference.predict(x))


@pytest.mark.parametrize("seed", range(5))
def test_mistakes_are_bounded_where_a_plane_separates(seed):
    x, y, plane = separable(seed)
    _, counts = train(x, y, epochs=40)
    whole = np.c_[x, np.ones(len(x))]
    radius, margin = np.linalg.norm(whole, axis=1).max(), abs(whole @ plane).min()
    assert counts[-1] == 0
    assert 0 < sum(counts) <= (radius / margin) ** 2


def test_what_is_right_changes_nothing():
    x, y, _ = separable()
    model, _ = train(x, y, epochs=40)
    before = model.get_weights()
    model.fit(x, y, epochs=3, verbose=0)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_active_weights_rise_for_a_missed_one_and_fall_for_a_missed_zero():
    model = PerceptronRule(Perceptron(features=3))
    model.compile()
    for label, bias, sign in ((1, -5.0, 1), (0, 5.0, -1)):
        model.perceptron.set_weights([np.zeros((3, 1)), np.array([bias])])
        model.fit(np.array([[1.0, 0.0, 2.0]]), np.array([label]), verbose=0)
        np.testing.assert_array_equal(model.head.kernel, sign * np.array([[1.0], [0.0], [2.0]]))
        np.testing.assert_array_equal(model.head.bias, [bias + sign])


def test_xor_never_ends():
    model, counts = train(*XOR, epochs=8)
    assert min(counts) > 0
    assert (model.predict(XOR[0], verbose=0)[:, 0] == XOR[1]).mean() < 1


def test_association_units_separate_xor():
    model, counts = train(*XOR, epochs=8, association=50)
    assert counts[-1] == 0
    np.testing.assert_array_equal(model.predict(XOR[0], verbose=0)[:, 0], XOR[1])


def test_units_learn_apart():
    x, y, _ = separable(0)
    other = 1 - y
    other[:5] = y[:5]
    together, _ = train(x, np.stack([y, other], axis=1), epochs=3, units=2)
    for unit, labels in enumerate((y, other)):
        alone, _ = train(x, labels, epochs=3)
        np.testing.assert_allclose(
            together.head.kernel[:, unit], alone.head.kernel[:, 0], atol=1e-4
        )


def test_evaluation_counts_without_learning():
    x, y, _ = separable()
    model, _ = train(x, y, epochs=1)
    before = model.get_weights()
    wrong = int((model.predict(x, verbose=0)[:, 0] != y).sum())
    assert model.evaluate(x, y, batch_size=7, verbose=0, return_dict=True)["mistakes"] == wrong
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_it_is_saved_whole(tmp_path):
    x, y, _ = separable()
    model, _ = train(x, y, epochs=3)
    model.save(tmp_path / "rule.keras")
    again = keras.models.load_model(tmp_path / "rule.keras")
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
    again.compile()
    again.fit(x, y, verbose=0)


def test_a_model_has_a_head():
    inputs = keras.Input((3,))
    with pytest.raises(ValueError, match="`head` is `Dense`"):
        PerceptronRule(keras.Model(inputs, keras.layers.Dense(1, name="out")(inputs)))
