"""Unrolled estimation, of networks whose estimates are known."""

import keras
import numpy as np
import pytest

from keras_arch import models
from keras_arch.analysis import unrolled_estimation


def refining(steps, bias=0.0):
    """Each block removes half of the distance to zero, and adds a bias."""
    x = inputs = keras.Input((50,))
    for index in range(steps):
        dense = keras.layers.Dense(50, name=f"b{index}")
        y = dense(x)
        dense.set_weights([-0.5 * np.eye(50), np.full(50, bias)])
        x = keras.layers.Add(name=f"add{index}")([x, y])
    return keras.Model(inputs, x)


def test_errors_of_a_contraction_halve():
    x = np.random.default_rng(0).normal(size=(2000, 50))
    (stage,) = unrolled_estimation(refining(4), x)
    assert list(stage) == ["add0", "add1", "add2", "add3"]
    means, spreads = zip(*stage.values(), strict=True)
    end = 0.5**4
    expected = [(0.5**n - end) / end for n in (1, 2, 3, 4)]
    np.testing.assert_allclose(spreads, expected, rtol=1e-4)
    assert np.abs(means).max() < 0.1
    (biased,) = unrolled_estimation(refining(4, bias=1.0), x)
    assert biased["add0"][0] < -1


def test_stages_are_told_apart_by_shape():
    model = models.ResNet20CIFAR(depths=(3, 1, 2), input_shape=(8, 8, 3))
    x = np.random.default_rng(0).normal(size=(4, 8, 8, 3))
    stages = unrolled_estimation(model, x)
    assert [len(stage) for stage in stages] == [3, 1, 2]
    assert all(stage[list(stage)[-1]] == (0.0, 0.0) for stage in stages)
    named = unrolled_estimation(model, x, ["stage1_block1_relu", "stage1_block3_relu"])
    assert [list(stage) for stage in named] == [["stage1_block1_relu", "stage1_block3_relu"]]


def test_without_blocks_it_is_refused():
    with pytest.raises(ValueError, match=r"`blocks`.*no additions"):
        unrolled_estimation(models.LeNet5(), np.ones((1, 32, 32, 1)))
