"""What the tests of image classifiers share."""

import keras
import pytest
from models.vision.compare import quick_kernels


@pytest.fixture
def quick(monkeypatch):
    quick_kernels(monkeypatch)


@pytest.fixture
def channels_first():
    keras.config.set_image_data_format("channels_first")
    yield
    keras.config.set_image_data_format("channels_last")
