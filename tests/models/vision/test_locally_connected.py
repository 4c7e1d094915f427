"""Locally connected nets: Net-3 of 1989 and DeepFace."""

import keras
import numpy as np
import pytest
from models.vision.compare import shapes, trainable

from keras_arch.models import DeepFace, LocallyConnectedNet


def test_net_3():
    model = LocallyConnectedNet()
    weights = [layer.count_params() for layer in model.layers if layer.count_params()]
    assert weights == [64 * (9 + 1), 16 * (25 + 1), 10 * (16 + 1)]
    assert trainable(model) == model.count_params() == 1_226
    assert shapes(model, "stage1", "stage2") == [(8, 8, 1), (4, 4, 1)]


def test_deepface(quick):
    model = DeepFace()
    local = [55 * 55 * (81 * 256 + 16), 25 * 25 * (49 * 256 + 16), 21 * 21 * (25 * 256 + 16)]
    expected = [11 * 11 * 3 * 32 + 32, 81 * 32 * 16 + 16, *local]
    expected += [21 * 21 * 16 * 4096 + 4096, 4096 * 4030 + 4030]
    weights = [layer.count_params() for layer in model.layers if layer.count_params()]
    assert weights == expected
    assert trainable(model) == sum(expected) == 118_923_774
    assert shapes(model, "stem_conv1", "stem_pool", "stem", "stage1", "stage2", "stage3") == [
        (142, 142, 32),
        (71, 71, 32),
        (63, 63, 16),
        (55, 55, 16),
        (25, 25, 16),
        (21, 21, 16),
    ]
    shared = [x.count_params() for x in model.layers if isinstance(x, keras.layers.Conv2D)]
    assert sum(shared) < 0.05 * model.count_params()  # the paper: the rest is 95 percent


def test_places_differ():
    """A convolutional network would answer the middle of both halves alike."""
    model = LocallyConnectedNet(
        (2,), (3,), (1,), input_shape=(8, 16, 1), include_top=False, activation=None
    )
    half = np.random.default_rng(0).normal(size=(1, 8, 8, 1))
    features = np.asarray(model(np.concatenate([half, half], axis=2)))
    assert not np.allclose(features[:, 1:-1, 1:7], features[:, 1:-1, 9:15], atol=1e-2)


@pytest.mark.parametrize("stem", [None, "deepface"])
def test_the_least_size_is_the_least(stem):
    arguments = {"kernels": (3, 4), "strides": (2, 3), "padding": "valid", "stem": stem}
    least = 9 if stem is None else 43
    model = LocallyConnectedNet(input_shape=(least, least, 1), **arguments)
    assert shapes(model, "stage2") == [(1, 1, 1)]
    with pytest.raises(ValueError, match=f"at least {least}"):
        LocallyConnectedNet(input_shape=(least - 1, least, 1), **arguments)


def test_any_channels_and_dropout():
    model = LocallyConnectedNet(units=(6, 5), dropout=0.5, input_shape=(8, 9, 4), classes=3)
    names = [layer.name for layer in model.layers]
    assert names[-5:] == ["fc1", "fc1_dropout", "fc2", "fc2_dropout", "head"]
    assert model.output_shape == (None, 3)


def test_what_cannot_be_built_is_refused():
    for argument in ("kernels", "strides"):
        with pytest.raises(ValueError, match=f"`{argument}`.*2 sizes"):
            LocallyConnectedNet(**{argument: (3,)})
    for argument in ("stem", "padding"):
        with pytest.raises(ValueError, match=f"`{argument}`.*Received: {argument}='other'"):
            LocallyConnectedNet(**{argument: "other"})
    with pytest.raises(ValueError, match="a fixed size"):
        LocallyConnectedNet(input_shape=(None, None, 1), include_top=False)
