"""PlainCNN: the parameters of ResNet, without its shortcuts."""

import keras
import numpy as np
import pytest
from models.vision.compare import shapes, trainable

import keras_arch
from keras_arch import models
from keras_arch.models import PlainCNN
from keras_arch.regularizers import Orthonormality


@pytest.mark.parametrize("depth", [20, 44, 56, 110])
def test_it_has_the_parameters_of_resnet(depth, quick, monkeypatch):
    monkeypatch.setattr(keras.initializers.Orthogonal, "__call__", lambda _, s, dtype: np.zeros(s))
    plain = keras_arch.create(f"PlainCNN{depth}CIFAR")
    residual = keras_arch.create(f"ResNet{depth}CIFAR")
    assert trainable(plain) == trainable(residual)
    assert plain.count_params() == residual.count_params()
    assert sum(isinstance(x, keras.layers.Conv2D) for x in plain.layers) == depth - 1
    assert not any(isinstance(layer, keras.layers.Add) for layer in plain.layers)


def test_feature_maps():
    model = PlainCNN((2, 2, 2))
    assert shapes(model, "stem", "stage1", "stage2", "stage3") == [
        (32, 32, 16),
        (32, 32, 16),
        (16, 16, 32),
        (8, 8, 64),
    ]


def test_a_stem_for_large_images():
    model = PlainCNN((2, 2, 2), stem="imagenet", input_shape=(64, 64, 3))
    assert [side for side, _, _ in shapes(model, "stem_conv", "stem", "stage3")] == [32, 16, 4]
    layer = model.get_layer("stem_conv")
    assert layer.kernel_size == (7, 7)
    kernel = np.reshape(layer.kernel, (-1, layer.filters))
    np.testing.assert_allclose(kernel.T @ kernel, np.eye(layer.filters), atol=1e-5)
    with pytest.raises(ValueError, match="at least 16"):
        PlainCNN(stem="imagenet", input_shape=(15, 15, 3))
    with pytest.raises(ValueError, match=r"`stem`.*Received: stem='other'"):
        PlainCNN(stem="other")


def test_kernels_begin_orthonormal_and_are_asked_to_stay_so():
    model = PlainCNN((2, 2, 2), orthonormality=0.01)
    convolutions = [x for x in model.layers if isinstance(x, keras.layers.Conv2D)]
    for layer in convolutions:
        kernel = np.reshape(layer.kernel, (-1, layer.filters))
        np.testing.assert_allclose(kernel.T @ kernel, np.eye(layer.filters), atol=1e-5)
        assert layer.kernel_regularizer.get_config() == {"rate": 0.01}
    assert len(model.losses) == len(convolutions) == 7
    assert PlainCNN((2, 2, 2), orthonormality=0.0).losses == []
    assert isinstance(convolutions[0].kernel_regularizer, Orthonormality)


def test_a_stage_convolves_normalizes_and_rectifies_by_turns():
    model = PlainCNN((2,), (4,))
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds[1:8] == [*("Conv2D", "BatchNormalization", "ReLU"), "Identity", *kinds[1:4]]


def test_what_cannot_be_built_is_refused():
    with pytest.raises(ValueError, match=r"`widths`.*3 sizes"):
        PlainCNN(widths=(4,))
    with pytest.raises(ValueError, match=r"`depths`.*at most 303"):
        models.PlainCNN((200, 200, 200))
