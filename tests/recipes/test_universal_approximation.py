"""What the recipe measures, once more in numpy."""

import numpy as np
import pytest

from keras_arch.recipes.dense import universal_approximation as recipe

X = np.linspace(-np.pi, np.pi, 2_000, dtype="float32")[:, None]


def by_numpy(width):
    """Error of the piecewise linear function with so many kinks that is nearest to the sine."""
    x = X.astype("float64")
    kinks = -np.pi + 2 * np.pi * np.arange(width) / width
    basis = np.c_[np.ones(len(x)), np.maximum(x - kinks, 0)]
    weights = np.linalg.lstsq(basis, np.sin(x), rcond=None)[0]
    return np.sqrt(np.mean((basis @ weights - np.sin(x)) ** 2))


def test_errors_fall_with_the_width():
    errors = []
    for width in (4, 16, 64):
        model = recipe.spread(width)
        recipe.solve(model, X, np.sin(X))
        errors.append(recipe.error(model, X, np.sin(X)))
        assert errors[-1] == pytest.approx(by_numpy(width), rel=0.02)
    assert errors[0] > 10 * errors[1] > 100 * errors[2]
