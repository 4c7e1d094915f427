"""The zip code network: the paper's counts, and its two layers in numpy."""

import numpy as np
import pytest
from formula import fill_keras, image, values
from models.vision.compare import shapes, trainable

from keras_arch.analysis import count_macs
from keras_arch.models import LeNetZip1989
from keras_arch.models.vision.lenet_zip1989 import TABLE


def test_each_map_reads_eight_and_is_read_by_eight():
    assert [len(set(row)) for row in TABLE] == [8] * 12
    assert [sum(source in row for row in TABLE) for source in range(12)] == [8] * 12


def test_weights_connections_and_units():
    model = LeNetZip1989()
    weights = [layer.count_params() for layer in model.layers if layer.count_params()]
    assert weights == [300, 768, 2_400, 192, 5_790, 310]
    assert trainable(model) == model.count_params() == 9_760
    assert shapes(model, "stem", "stage1", "h3") == [(8, 8, 12), (4, 4, 12), (30,)]
    units = [
        int(np.prod(shape)) for shape in shapes(model, "image", "stem", "stage1", "h3", "head")
    ]
    assert sum(units) == 1_256
    assert count_macs(model).total + sum(units[1:]) == 64_660  # a bias of each unit


def squash(x):
    return 1.7159 * np.tanh(2 * x / 3)


def convolve(x, kernel):
    """Stride 2, the background of -1 around."""
    x = np.pad(x, [(0, 0), (2, 2), (2, 2), (0, 0)], constant_values=-1)
    windows = np.lib.stride_tricks.sliding_window_view(x, (5, 5), axis=(1, 2))[:, ::2, ::2]
    return np.einsum("nyxcij,ijco->nyxo", windows, kernel)


def test_the_maps_in_numpy():
    model = fill_keras(LeNetZip1989(include_top=False))
    first, second = values("input", (8, 8, 12)), values("input", (4, 4, 12))
    model.get_layer("stem").bias.assign(first)
    model.get_layer("stage1").bias.assign(second)
    kernel = np.zeros((5, 5, 12, 12))
    packed = np.asarray(model.get_layer("stage1_conv").kernel)
    pairs = [(source, target) for target, row in enumerate(TABLE) for source in row]
    for index, (source, target) in enumerate(pairs):
        kernel[:, :, source, target] = packed[:, :, index]
    x = image(16, 16, 1)
    y = squash(convolve(2 * x - 1, np.asarray(model.get_layer("stem_conv").kernel)) + first)
    y = squash(convolve(y, kernel) + second)
    np.testing.assert_allclose(model(x), y, atol=1e-4)


@pytest.mark.parametrize(("shape", "maps"), [((8, 8, 3), (4, 4, 12)), ((32, 30, 4), (8, 8, 12))])
def test_sizes_and_channels(shape, maps):
    model = LeNetZip1989(input_shape=shape, classes=3)
    assert model.get_layer("stage1").output.shape[1:] == maps
    assert model.output_shape == (None, 3)


def test_the_size_is_known():
    with pytest.raises(ValueError, match="a fixed size"):
        LeNetZip1989(input_shape=(None, None, 1), include_top=False)
