"""LeNet-1: the paper's counts of weights, connections and units."""

import numpy as np
import pytest
from formula import fill_keras, image
from models.vision.compare import shapes, trainable

from keras_arch.models import LeNet1
from keras_arch.models.vision.lenet1 import TABLE


def test_table_of_connections():
    assert [len(row) for row in TABLE].count(1) == 4
    assert [len(row) for row in TABLE].count(2) == 8
    read_by = [[target for target, row in enumerate(TABLE) if s in row] for s in range(4)]
    assert read_by == [[0, 1, 2, 4, 5], [1, 2, 3, 4, 5], [6, 7, 8, 10, 11], [7, 8, 9, 10, 11]]


def test_weights_connections_and_units():
    model = LeNet1()
    weights = [layer.count_params() for layer in model.layers if layer.count_params()]
    assert weights == [104, 8, 512, 24, 1_930]
    assert trainable(model) == model.count_params() == 2_578
    maps = shapes(model, "stem", "stage1", "stage2_conv", "stage2")
    assert maps == [(24, 24, 4), (12, 12, 4), (8, 8, 12), (4, 4, 12)]
    pixels = [height * width for height, width, _ in maps]
    connections = [pixels[0] * 104, pixels[1] * 4 * 5, pixels[2] * 512, pixels[3] * 12 * 5, 1_930]
    assert sum(connections) == 98_442
    assert 28 * 28 + sum(int(np.prod(shape)) for shape in maps) + 10 + 1 == 4_635


def test_a_digit_of_the_paper_stands_in_the_middle():
    model, whole = (fill_keras(LeNet1(input_shape=shape)) for shape in ((16, 16, 1), (28, 28, 1)))
    x = np.pad(image(16, 16, 1), [(0, 0), (6, 6), (6, 6), (0, 0)])
    np.testing.assert_allclose(model(image(16, 16, 1)), whole(x), rtol=1e-5)


def test_white_is_minus_one():
    model = LeNet1()
    kernel, bias = model.get_layer("stem").get_weights()
    expected = 1.7159 * np.tanh(2 / 3 * (bias - kernel.sum((0, 1, 2))))
    seen = model.get_layer("stem")(model.get_layer("scaled")(np.zeros((1, 28, 28, 1))))
    np.testing.assert_allclose(seen[0, 3, 4], expected, rtol=1e-4)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_channels(channels):
    model = LeNet1(input_shape=(32, 30, channels), classes=7)
    assert model.output_shape == (None, 7)
    assert model.count_params() == 100 * channels + 4 + 8 + 512 + 24 + 5 * 4 * 12 * 7 + 7
