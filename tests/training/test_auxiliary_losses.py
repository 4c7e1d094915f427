"""Auxiliary heads: each gets the labels, and its share of the loss."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_arch.models import GoogLeNet
from keras_arch.training import auxiliary_losses, auxiliary_targets

SMALL = {"depths": (1, 3), "alpha": 0.05, "stem": "cifar", "input_shape": (8, 8, 1), "classes": 3}
LOSS = "sparse_categorical_crossentropy"


@pytest.fixture
def data():
    random = np.random.default_rng(0)
    return random.normal(size=(12, 8, 8, 1)).astype("float32"), random.integers(0, 3, 12)


def crossentropy(y, probabilities):
    return -np.log(np.asarray(probabilities)[np.arange(len(y)), y]).mean()


@pytest.mark.parametrize("weight", [0.3, 0.0])
def test_the_loss_is_the_weighted_sum(weight, data):
    x, y = data
    model = GoogLeNet(**SMALL, aux=True)
    losses = auxiliary_losses(model, LOSS, weight)
    model.compile("sgd", **losses, metrics={"head": ["accuracy"]})
    targets = auxiliary_targets(model)
    found = model.evaluate(*targets(x, y), batch_size=12, verbose=0, return_dict=True)
    each = {head: crossentropy(y, answer) for head, answer in model(x).items()}
    expected = each["head"] + weight * (each["aux1"] + each["aux2"])
    assert len(set(each.values())) == 3
    assert found["loss"] == pytest.approx(expected, rel=1e-5)
    assert 0 <= found["head_accuracy"] <= 1


def test_sample_weights_are_those_of_every_head(data):
    x, y = data
    model = GoogLeNet(**SMALL, aux=True)
    model.compile("sgd", **auxiliary_losses(model, LOSS, 1.0))
    first = np.eye(12)[0] * 12  # the mean over twelve samples is the loss of the first
    targets = auxiliary_targets(model)
    expected = sum(crossentropy(y[:1], answer[:1]) for answer in model(x).values())
    found = model.evaluate(*targets(x, y), 12, verbose=0, sample_weight=first)
    assert found[0] == pytest.approx(expected, rel=1e-5)
    batches = tf.data.Dataset.from_tensor_slices((x, y, first)).batch(12).map(targets)
    assert model.evaluate(batches, verbose=0)[0] == pytest.approx(expected, rel=1e-5)


def test_arrays_and_data_sets_train_alike(data):
    def trained(feed):
        keras.utils.set_random_seed(1)
        model = GoogLeNet(**SMALL, aux=True)
        model.compile(keras.optimizers.SGD(0.1), **auxiliary_losses(model, LOSS))
        feed(model, auxiliary_targets(model))
        return [weight.numpy() for weight in model.weights]

    def arrays(model, targets):
        model.fit(*targets(*data), batch_size=4, shuffle=False, verbose=0)

    def pipeline(model, targets):
        batches = tf.data.Dataset.from_tensor_slices(data).batch(4)
        model.fit(batches.map(targets), shuffle=False, verbose=0)

    for a, b in zip(trained(arrays), trained(pipeline), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_model_of_one_head_trains_as_ever(data):
    model = GoogLeNet(**SMALL)
    assert auxiliary_losses(model, LOSS) == {"loss": LOSS}
    targets = auxiliary_targets(model)
    assert targets(*data) == data
    model.compile("sgd", **auxiliary_losses(model, LOSS))
    model.fit(*targets(*data), verbose=0)


def test_what_is_no_classifier_is_refused():
    x = keras.Input((2,), name="x")
    two = keras.Model(x, {"a": keras.layers.Dense(1, name="a")(x), "b": x})
    for function in (lambda m: auxiliary_losses(m, "mse"), auxiliary_targets):
        with pytest.raises(ValueError, match=r'`model`.*"head" and others'):
            function(two)
    with pytest.raises(ValueError, match=r"`weight`.*at least 0"):
        auxiliary_losses(two, "mse", weight=-1)
