"""Highway CNN: its arithmetic, and what closed gates leave."""

import numpy as np
import pytest
from formula import fill_keras, image
from models.vision.compare import shapes, trainable

import keras_arch
from keras_arch.layers import HighwayConv2D
from keras_arch.models import HighwayCNN


def test_layers_and_parameters():
    model = HighwayCNN()
    highways = [layer for layer in model.layers if isinstance(layer, HighwayConv2D)]
    assert len(highways) + 3 + 1 == 19  # with the plain convolutions and the head
    expected = 65 * 10
    for before, width in ((3, 16), (16, 32), (32, 64)):
        expected += (9 * before + 1) * width + 5 * 2 * (9 * width + 1) * width
    assert trainable(model) == expected


def test_feature_maps():
    assert shapes(HighwayCNN(), "stem", "stage1", "stage2", "stage3") == [
        (32, 32, 16),
        (32, 32, 16),
        (16, 16, 32),
        (8, 8, 64),
    ]


def test_a_stem_for_large_images():
    model = HighwayCNN((2, 2), (4, 6), stem="imagenet", input_shape=(64, 64, 3))
    assert [side for side, _, _ in shapes(model, "stem", "stage1", "stage2")] == [32, 16, 8]
    assert model.get_layer("stem").kernel_size == (7, 7)
    assert model.get_layer("stage2_conv").kernel_size == (3, 3)
    with pytest.raises(ValueError, match="at least 8"):
        HighwayCNN((2, 2), (4, 6), stem="imagenet", input_shape=(7, 7, 3))
    with pytest.raises(ValueError, match=r"`stem`.*Received: stem='other'"):
        HighwayCNN(stem="other")


def test_with_closed_gates_a_stage_is_its_convolution():
    model = HighwayCNN((3, 2), (4, 6), input_shape=(8, 8, 3), include_top=False)
    fill_keras(model)
    for layer in model.layers:
        if isinstance(layer, HighwayConv2D):
            layer.gate.kernel.assign(np.zeros(layer.gate.kernel.shape))
            layer.gate.bias.assign(np.full(layer.gate.bias.shape, -200.0))
    taps = ["stem", "stage1", "stage2_conv", "stage2"]
    maps = keras_arch.feature_extractor(model, taps)(image(8, 8))
    np.testing.assert_array_equal(maps["stage1"], maps["stem"])
    np.testing.assert_array_equal(maps["stage2"], maps["stage2_conv"])


def test_dropout_stands_before_the_head():
    model = HighwayCNN((1,), (4,), dropout=0.2)
    assert [layer.name for layer in model.layers[-3:]] == ["pool", "dropout", "head"]


def test_what_cannot_be_built_is_refused():
    with pytest.raises(ValueError, match=r"`widths`.*2 sizes"):
        HighwayCNN((2, 2), (8,))
    with pytest.raises(ValueError, match="at least 4"):
        HighwayCNN(input_shape=(3, 3, 1))
    with pytest.raises(ValueError, match=r"`depths`.*at most 910"):
        HighwayCNN((1000,), (4,))
