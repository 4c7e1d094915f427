"""What the tests of image classifiers share."""

import pytest
from models.vision.compare import quick_kernels


@pytest.fixture
def quick(monkeypatch):
    quick_kernels(monkeypatch)
