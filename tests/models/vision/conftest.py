"""What the tests of image classifiers share."""

import keras
import pytest


@pytest.fixture
def quick(monkeypatch):
    """Kernels start as zeros: random numbers take most of the time of a large build."""

    def zeros(self, shape, dtype=None, **kwargs):
        return keras.ops.zeros(shape, dtype)

    monkeypatch.setattr(keras.initializers.VarianceScaling, "__call__", zeros)
