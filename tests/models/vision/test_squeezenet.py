"""SqueezeNet: the numbers of the paper, and the answers of other people's."""

import keras
import numpy as np
import pytest
from formula import fill_keras, image
from models.vision.compare import first_logits, shapes, trainable

import keras_arch
from keras_arch import models
from keras_arch.analysis import count_macs
from keras_arch.models import SqueezeNet

AT_224 = {"input_shape": (224, 224, 3)}
STAGES = ("stem", "stage1_pool", "stage1", "stage2", "stage3", "head")


@pytest.mark.parametrize(
    ("name", "arguments", "parameters", "expected"),
    [
        # torchvision and pytorchcv agree
        ("SqueezeNet", AT_224, 1_248_424, [0.0042355, 0.812157, 4.25414, 0.190021, 0.00658405]),
        # pytorchcv
        ("SqueezeNet", {}, 1_248_424, [0.010771, 0.831082, 4.2799, 0.185233, 0.00335257]),
        # tf2cv
        ("SqueezeNet11", AT_224, 1_235_496, [0, 1.01359, 2.80895, 0.0725781, 0.0324093]),
        # tf2cv's squeezeresnet, its pooling windows beginning in the image, not before it
        (
            "SqueezeNet",
            {"bypass": "simple", **AT_224},
            1_248_424,
            [0, 21.6888, 40.1295, 0.830428, 0],
        ),
    ],
)
def test_answers_as_others_do(name, arguments, parameters, expected, quick):
    model = keras_arch.create(name, classifier_activation=None, **arguments)
    assert trainable(model) == parameters
    np.testing.assert_allclose(first_logits(model), expected, rtol=1e-4)
    if arguments == AT_224:
        macs = {"SqueezeNet": 818_924_576, "SqueezeNet11": 349_151_936}
        assert count_macs(model).total == macs[name]


def test_feature_maps(quick):
    assert shapes(SqueezeNet(), *STAGES, "fire2", "fire8", "fire9_squeeze") == [
        (111, 111, 96),
        (55, 55, 96),
        (55, 55, 256),
        (27, 27, 512),
        (13, 13, 512),
        (13, 13, 1000),
        (55, 55, 128),
        (27, 27, 512),
        (13, 13, 64),
    ]
    assert shapes(models.SqueezeNet11(), *STAGES) == [
        (113, 113, 64),
        (56, 56, 64),
        (56, 56, 128),
        (28, 28, 256),
        (14, 14, 512),
        (14, 14, 1000),
    ]


def test_fifty_times_fewer_than_alexnet():
    counts = {**keras_arch.get("AlexNet").parameters, **keras_arch.get("SqueezeNet").parameters}
    assert counts["AlexNet"] / counts["SqueezeNet"] == pytest.approx(48.8, abs=0.05)


def test_bypasses(quick):
    simple, complicated = (SqueezeNet(bypass=kind) for kind in ("simple", "complex"))
    assert trainable(complicated) == 1_589_672
    added = [f"fire{i}_add" for i in (3, 5, 7, 9)]
    assert [x.name for x in simple.layers if x.name.endswith("_add")] == added
    convolutions = [f"fire{i}_bypass" for i in (2, 4, 6, 8)]
    assert [x.name for x in complicated.layers if x.name.endswith("_bypass")] == convolutions


def test_without_its_convolutions_a_bypassed_module_is_the_identity():
    model = SqueezeNet("1.1", "simple", 8, 0.5, input_shape=(32, 32, 3), include_top=False)
    fill_keras(model)
    for kernel in ("fire3_expand1x1", "fire3_expand3x3"):
        layer = model.get_layer(kernel)
        layer.kernel.assign(keras.ops.zeros_like(layer.kernel))
    maps = keras_arch.feature_extractor(model, ["fire2", "stage1"])(image(32, 32))
    np.testing.assert_array_equal(maps["stage1"], maps["fire2"])
    assert np.any(maps["stage1"])


def test_small_images(quick):
    model = SqueezeNet(stem="cifar", input_shape=(32, 32, 1), width=16)
    assert [size for size, *_ in shapes(model, *STAGES)] == [32, 16, 16, 8, 4, 4]


def test_normalization_stands_before_each_relu_but_that_of_the_maps():
    small = {"width": 8, "squeeze_ratio": 0.5, "bypass": "complex", "stem": "cifar"}
    model = SqueezeNet(norm="batch", input_shape=(32, 32, 1), **small)
    convolutions = [x.name for x in model.layers if isinstance(x, keras.layers.Conv2D)]
    assert convolutions.pop() == "head"
    kinds = {x.name: type(x) for x in model.layers}
    for name in convolutions:
        before = name.removesuffix("_conv")
        assert name.endswith("_conv")
        assert kinds[f"{before}_bn"] is keras.layers.BatchNormalization
        assert kinds[before] is keras.layers.ReLU
    assert (
        np.min(keras_arch.feature_extractor(model, ["stem"])(image(32, 32)[..., :1])["stem"]) == 0
    )


def test_dropout_stands_before_the_maps():
    names = [x.name for x in SqueezeNet(width=8, squeeze_ratio=0.5).layers]
    assert names[-4:] == ["head_dropout", "head", "head_pool", "head_activation"]
    assert SqueezeNet(width=8, dropout=0.3).get_layer("head_dropout").rate == 0.3
    assert "head_dropout" not in [x.name for x in SqueezeNet(width=8, dropout=0.0).layers]


@pytest.mark.parametrize(
    ("arguments", "smallest"),
    [({}, 21), ({"version": "1.1"}, 17), ({"stem": "cifar"}, 8)],
)
def test_the_smallest_image(arguments, smallest):
    sizes = {"width": 8, "include_top": False, **arguments}
    assert SqueezeNet(**sizes, input_shape=(smallest, smallest, 1)).output_shape[1:3] == (1, 1)
    with pytest.raises(ValueError, match=f"at least {smallest}"):
        SqueezeNet(**sizes, input_shape=(smallest - 1, smallest, 1))


def test_what_cannot_be_built_is_refused():
    for argument in ("version", "bypass", "norm", "stem"):
        with pytest.raises(ValueError, match=f"`{argument}`.*Received: {argument}='other'"):
            SqueezeNet(**{argument: "other"})
