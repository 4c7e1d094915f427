"""Siamese network: one tower, symmetric distances."""

import keras
import numpy as np
import pytest
from scipy.spatial import distance

from keras_arch.losses import Contrastive
from keras_arch.models import LeNet5, SiameseNetwork

IMAGES = np.random.default_rng(0).uniform(size=(2, 6, 32, 32, 1)).astype("float32")
SCIPY = {"l1": distance.cityblock, "l2": distance.euclidean, "cosine": distance.cosine}


def toy():
    image = keras.Input((4, 4, 1), name="image")
    x = keras.layers.Flatten(name="flatten")(image)
    return keras.Model(image, keras.layers.Dense(3, name="codes")(x), name="toy")


@pytest.mark.parametrize("head", SCIPY)
def test_distances_of_the_tower_s_codes(head):
    model = SiameseNetwork("LeNet5", head=head)
    a, b = IMAGES
    codes = [np.asarray(model.get_layer("lenet5")(x)) for x in IMAGES]
    expected = [[SCIPY[head](x, y)] for x, y in zip(*codes, strict=True)]
    np.testing.assert_allclose(model((a, b)), expected, rtol=1e-3)
    np.testing.assert_allclose(model((a, b)), model((b, a)), atol=1e-6)
    np.testing.assert_array_equal(model((a, a)), np.zeros((6, 1)))


def test_the_tower_s_weights_are_there_once():
    tower = LeNet5(include_top=False, pooling="avg")
    model = SiameseNetwork(tower)
    assert model.count_params() == tower.count_params() == 60_000 - 10_164
    assert [id(v) for v in model.weights] == [id(v) for v in tower.weights]
    assert model.get_layer("lenet5") is tower


def test_both_images_move_the_tower():
    """A step on (a, b) and one on (b, a) are the same: the gradients of both sides add up."""
    found = []
    for pair in (IMAGES, IMAGES[::-1]):
        keras.utils.set_random_seed(0)
        model = SiameseNetwork("LeNet5", head="l2")
        model.compile(keras.optimizers.SGD(0.01), Contrastive())
        before = model.get_weights()
        model.train_on_batch(list(pair), np.arange(6) % 2)
        found.append(model.get_weights())
        assert all(not np.array_equal(x, y) for x, y in zip(before, found[-1], strict=True))
    for x, y in zip(*found, strict=True):
        np.testing.assert_allclose(x, y, atol=1e-6)


def test_a_head_of_one_s_own_has_its_own_weights():
    def head(a, b):
        x = keras.layers.Multiply(name="product")([a, b])
        return keras.layers.Dense(1, "sigmoid", name="head")(x)

    model = SiameseNetwork(toy(), head=head)
    assert model.count_params() == (16 * 3 + 3) + (3 + 1)
    a, b = np.random.default_rng(0).normal(size=(2, 5, 4, 4, 1)).astype("float32")
    np.testing.assert_allclose(model((a, b)), model((b, a)), atol=1e-6)


def test_a_tower_by_name_takes_a_shape():
    model = SiameseNetwork("VGG11", input_shape=(48, 40, 3))
    assert [tuple(tensor.shape[1:]) for tensor in model.inputs] == [(48, 40, 3)] * 2
    assert [tensor.name for tensor in model.inputs] == ["image_a", "image_b"]


def test_what_cannot_be_built_is_refused():
    image = keras.Input((4, 4, 1))
    with pytest.raises(ValueError, match="`tower`"):
        SiameseNetwork(keras.Model(image, keras.layers.Conv2D(2, 3)(image)))
    with pytest.raises(ValueError, match="`input_shape`"):
        SiameseNetwork(toy(), input_shape=(4, 4, 1))
    with pytest.raises(ValueError, match=r"`metric`.*Received: metric='l3'"):
        SiameseNetwork(toy(), head="l3")
    with pytest.raises(ValueError, match="`name`"):
        SiameseNetwork("NoSuchNet")
