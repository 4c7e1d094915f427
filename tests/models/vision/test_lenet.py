"""LeNet-5: the paper's counts, table and arithmetic."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from formula import fill_keras, image
from models.vision.compare import shapes, trainable

from keras_arch.layers.rbf_output import digit_codes
from keras_arch.losses import MaximumAPosteriori
from keras_arch.models import LeNet5
from keras_arch.models.vision.lenet import TABLE_I

READ_BY = {  # rows of table I: the maps of C3 that read each map of S2
    0: [0, 4, 5, 6, 9, 10, 11, 12, 14, 15],
    1: [0, 1, 5, 6, 7, 10, 11, 12, 13, 15],
    2: [0, 1, 2, 6, 7, 8, 11, 13, 14, 15],
    3: [1, 2, 3, 6, 7, 8, 9, 12, 14, 15],
    4: [2, 3, 4, 7, 8, 9, 10, 12, 13, 15],
    5: [3, 4, 5, 8, 9, 10, 11, 13, 14, 15],
}


def test_table_of_connections():
    assert len(TABLE_I) == 16
    assert {s: [t for t, row in enumerate(TABLE_I) if s in row] for s in range(6)} == READ_BY


def test_weights_and_connections_of_each_layer():
    model = LeNet5()
    weights = [layer.count_params() for layer in model.layers if layer.count_params()]
    assert weights == [156, 12, 1_516, 32, 48_120, 10_164, 840]
    assert trainable(model) == 60_000
    maps = shapes(model, "stem", "stage1", "stage2_conv", "stage2", "stage3", "f6", "head")
    places = [int(np.prod(shape[:-1])) for shape in maps]
    connections = [at * count for at, count in zip(places, weights, strict=True)]
    for layer in (1, 3):  # subsampling: a unit reads four and a bias, of two weights
        connections[layer] = places[layer] * maps[layer][-1] * (4 + 1)
    assert connections == [122_304, 5_880, 151_600, 2_000, 48_120, 10_164, 840]
    assert sum(connections) == 340_908
    assert maps == [
        (28, 28, 6),
        (14, 14, 6),
        (10, 10, 16),
        (5, 5, 16),
        (1, 1, 120),
        (84,),
        (10,),
    ]


@pytest.mark.parametrize(("variant", "count"), [("full", 61_750), ("modern", 61_706)])
def test_forms_with_full_connections(variant, count):
    model = LeNet5(variant)
    assert trainable(model) == model.count_params() == count


def test_receptive_fields():
    """Pixels that change one unit: 5 of C1, 6 of S2, 14 of C3, all of C5."""
    model = LeNet5("full")
    for layer in model.layers:  # every path counts, and none is saturated
        layer.set_weights([np.full(weight.shape, 0.01) for weight in layer.get_weights()])
    maps = [model.get_layer(name).output for name in ("stem", "stage1", "stage2_conv", "stage3")]
    probe = keras.Model(model.input, maps)
    x = tf.random.uniform((1, 32, 32, 1))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        units = [tf.reduce_sum(y[:, y.shape[1] // 2, y.shape[2] // 2]) for y in probe(x)]
    fields = [np.ptp(np.nonzero(tape.gradient(unit, x))[1]) + 1 for unit in units]
    assert fields == [5, 6, 14, 32]


def convolve(x, kernel, bias):
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel.shape[:2], axis=(1, 2))
    return np.einsum("nyxcij,ijco->nyxo", windows, kernel) + bias


def squash(x):
    return 1.7159 * np.tanh(2 * x / 3)


def subsample(x, gamma, beta):
    n, height, width, maps = x.shape
    return gamma * x.reshape(n, height // 2, 2, width // 2, 2, maps).sum((2, 4)) + beta


def test_the_whole_network_in_numpy():
    model = fill_keras(LeNet5(input_shape=(28, 28, 1), classifier_activation=None))
    for layer in model.layers:  # the formula leaves biases zero
        for variable in layer.trainable_variables:
            if variable.name == "bias":
                variable.assign(np.linspace(-0.3, 0.2, variable.shape[0]))
    x = image(28, 28, 1)
    c1, s2, c3, s4, c5, f6, (codes,) = (
        [np.asarray(v, "float64") for v in layer.weights] for layer in model.layers if layer.weights
    )
    full = np.zeros((5, 5, 6, 16))
    pairs = [(source, target) for target, row in enumerate(TABLE_I) for source in row]
    for index, (source, target) in enumerate(pairs):
        full[:, :, source, target] = c3[0][:, :, index]
    y = 1.275 * np.pad(x, [(0, 0), (2, 2), (2, 2), (0, 0)]) - 0.1
    y = squash(subsample(squash(convolve(y, *c1)), *s2))
    y = squash(subsample(squash(convolve(y, full, c3[1])), *s4))
    y = squash(squash(convolve(y, *c5)).reshape(2, 120) @ f6[0] + f6[1])
    expected = -((y[:, :, None] - codes) ** 2).sum(1)
    np.testing.assert_allclose(model(x), expected, rtol=1e-4)


def test_the_nearest_code_has_the_highest_probability():
    model, penalized = fill_keras(LeNet5()), fill_keras(LeNet5(classifier_activation=None))
    x = image(32, 32, 1)
    penalties = -np.asarray(penalized(x), "float64")
    assert penalties.shape == (2, 10)
    assert (penalties > 0).all()
    (codes,) = model.get_layer("head").get_weights()
    f6 = np.asarray(keras.Model(model.input, model.get_layer("f6").output)(x))
    distances = np.linalg.norm(f6[:, :, None] - codes, axis=1)
    probabilities = np.asarray(model(x))
    np.testing.assert_array_equal(distances.argmin(1), probabilities.argmax(1))
    weights = np.exp(penalties.min(1, keepdims=True) - penalties)
    np.testing.assert_allclose(probabilities, weights / weights.sum(1, keepdims=True), rtol=1e-3)


def test_the_codes_are_digits_that_no_training_moves():
    head = LeNet5().get_layer("head")
    np.testing.assert_array_equal(head.kernel, digit_codes())
    assert not head.trainable_variables


def test_the_paper_s_criterion_trains_it():
    """A few steps on ten strokes that anyone can tell apart."""
    x = np.zeros((10, 32, 32, 1), "float32")
    for label in range(10):
        x[label, 3 * label : 3 * label + 3, 4:28] = 1
    model = LeNet5(classifier_activation=None)
    model.compile(keras.optimizers.Adam(3e-3), MaximumAPosteriori(), metrics=["accuracy"])
    model.fit(x, np.arange(10), epochs=60, verbose=0)
    assert model.evaluate(x, np.arange(10), verbose=0, return_dict=True)["accuracy"] == 1


@pytest.mark.parametrize("size", [(28, 28), (8, 8), (31, 20), (32, 32)])
def test_a_small_image_is_centred_in_the_field(size):
    model = LeNet5("modern", input_shape=(*size, 1), include_top=False)
    whole = LeNet5("modern", include_top=False)
    whole.set_weights(model.get_weights())
    x = image(*size, 1)
    above, left = ((32 - extent) // 2 for extent in size)
    field = np.zeros((2, 32, 32, 1))
    field[:, above : above + size[0], left : left + size[1]] = x
    np.testing.assert_allclose(model(x), whole(field), atol=1e-6)


def test_any_channels_and_larger_images():
    model = LeNet5(input_shape=(None, None, 3), include_top=False)
    assert model(np.zeros((1, 40, 36, 3))).shape == (1, 3, 2, 120)
    assert LeNet5(input_shape=(40, 36, 2), classes=3).output_shape == (None, 3)


def test_what_cannot_be_built_is_refused():
    with pytest.raises(ValueError, match=r"`variant`"):
        LeNet5("lenet4")
    with pytest.raises(ValueError, match="a height and width"):
        LeNet5(input_shape=(None, None, 1))
