"""Wide ResNet: the numbers of the paper, and the answers of other people's."""

import keras
import numpy as np
import pytest
from models.vision.compare import first_logits, shapes, trainable

import keras_arch
from keras_arch import models
from keras_arch.models import WideResNet


@pytest.mark.parametrize(
    ("depth", "k", "parameters"),
    [
        (16, 8, 10_961_370),  # tables 4 and 5 of the paper: 11.0M, 17.1M, 17.2M, 26.8M, ...
        (16, 10, 17_116_634),
        (22, 8, 17_158_106),
        (22, 10, 26_797_914),
        (28, 10, 36_479_194),
        (28, 12, 52_517_850),
        (40, 1, 563_930),
        (40, 2, 2_243_546),
        (40, 4, 8_949_210),
        (40, 8, 35_748_314),
    ],
)
def test_trainable_parameters(depth, k, parameters, quick):
    assert trainable(keras_arch.create(f"WideResNet{depth}K{k}CIFAR")) == parameters


def test_a_hundred_classes_change_the_head_only(quick):
    ten, hundred = (trainable(WideResNet(16, 4, classes=classes)) for classes in (10, 100))
    assert hundred - ten == 90 * (64 * 4 + 1)


def test_feature_maps_of_28_10(quick):
    model = models.WideResNet28K10CIFAR()
    assert shapes(model, "stem", "stage1", "stage2", "stage3") == [
        (32, 32, 16),
        (32, 32, 160),
        (16, 16, 320),
        (8, 8, 640),
    ]
    convolutions = [x for x in model.layers if isinstance(x, keras.layers.Conv2D)]
    assert len(convolutions) == 28  # with the three of the shortcuts


def test_16_10_answers_as_pytorchcv():  # and as one written from the paper
    model = models.WideResNet16K10CIFAR(classifier_activation=None)
    expected = [-6.81249, 1.75954, -4.70177, 9.12932, 1.86883]
    np.testing.assert_allclose(first_logits(model, epsilon=1e-5), expected, rtol=1e-4)


def test_dropout_stands_between_the_two_convolutions():
    model = WideResNet(10, 1, dropout=0.3, input_shape=(8, 8, 3))
    found = [x for x in model.layers if isinstance(x, keras.layers.Dropout)]
    assert [layer.rate for layer in found] == [0.3] * 3
    for stage, layer in enumerate(found, start=1):
        block = f"stage{stage}_block1"
        assert layer.input is model.get_layer(f"{block}_2_relu").output
        assert model.get_layer(f"{block}_2_conv").input is layer.output


def test_what_cannot_be_built_is_refused():
    for depth in (4, 27, 11):
        with pytest.raises(ValueError, match=r"`depth`.*6n \+ 4"):
            WideResNet(depth)
    with pytest.raises(ValueError, match=r"`depth`.*at most 910"):
        WideResNet(10_000)
    with pytest.raises(ValueError, match="`k`"):
        WideResNet(10, 0)
    for argument in ("attention", "stem", "pooling"):
        with pytest.raises(ValueError, match=f"`{argument}`.*Received: {argument}='other'"):
            WideResNet(10, 1, **{argument: "other"})
