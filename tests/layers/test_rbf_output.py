import numpy as np

from keras_arch.layers import RBFOutput
from keras_arch.layers.rbf_output import digit_codes


def features():
    return np.random.default_rng(0).normal(size=(5, 12)).astype("float32")


def test_minus_the_squared_distance_to_each_code():
    layer = RBFOutput(7)
    found = np.asarray(layer(features()))
    for index, code in enumerate(np.asarray(layer.kernel).T):
        np.testing.assert_allclose(found[:, index], -((features() - code) ** 2).sum(1), rtol=1e-5)


def test_softmax_is_the_posterior_of_gaussians_around_the_codes():
    layer = RBFOutput(7, activation="softmax")
    found = np.asarray(layer(features()))
    distances = ((features()[:, :, None] - np.asarray(layer.kernel)) ** 2).sum(1)
    likelihood = np.exp(-(distances - distances.min(1, keepdims=True)))
    np.testing.assert_allclose(found, likelihood / likelihood.sum(1, keepdims=True), rtol=1e-4)


def test_a_code_is_its_own_class():
    layer = RBFOutput(10)
    layer.build((None, 84))
    scores = np.asarray(layer(np.asarray(layer.kernel).T))
    np.testing.assert_array_equal(scores.argmax(1), np.arange(10))
    np.testing.assert_array_equal(np.diag(scores), 0)


def test_codes_depend_on_the_seed_alone_and_do_not_learn():
    layers = [RBFOutput(4, seed=seed) for seed in (1, 1, 2)]
    for layer in layers:
        layer.build((None, 84))
        assert not layer.trainable_variables
    first, second, other = (np.asarray(layer.kernel) for layer in layers)
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)
    np.testing.assert_array_equal(np.abs(first), 1)


def test_ten_classes_are_pictures_of_the_digits():
    codes = digit_codes()
    assert codes.shape == (84, 10)
    assert set(np.unique(codes)) == {-1.0, 1.0}
    pixels = codes.T.reshape(10, 12, 7)  # as they are seen
    assert (pixels[:, -1] == -1).all()  # room below
    np.testing.assert_array_equal(pixels[[0, 8]], pixels[[0, 8], :, ::-1])  # both are symmetric
    assert (pixels[7, 0] == 1).all()  # the bar of a seven is above
    apart = ((codes[:, :, None] - codes[:, None]) ** 2).sum(0) / 4  # pixels that differ
    assert (apart + 84 * np.eye(10)).min() >= 12
    layer = RBFOutput(10)
    layer.build((None, 84))
    np.testing.assert_array_equal(layer.kernel, codes)


def test_other_sizes_have_random_codes():
    for units, features in ((10, 80), (26, 84)):
        layer = RBFOutput(units)
        layer.build((None, features))
        assert abs(np.asarray(layer.kernel).mean()) < 0.1


def test_given_codes():
    layer = RBFOutput(3, kernel_initializer="ones")
    np.testing.assert_allclose(layer(np.ones((1, 8))), np.zeros((1, 3)))
