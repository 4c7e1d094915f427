"""The beginning and the end that image classifiers share."""

import functools
import inspect
import re

import keras
import numpy as np
import pytest

import keras_arch
from keras_arch import layers, models

ALPHAS = [
    entry.name
    for entry in keras_arch.entries(room="models")
    if "alpha" in inspect.signature(entry.target).parameters
]
MANY = (2,) * 1000


@pytest.mark.parametrize("name", ["DenseNet121", "ResNet50", "ResNet50V2", "VGG16"])
def test_the_default_image_is_that_of_keras_applications(name):
    theirs = getattr(keras.applications, name)(weights=None, include_top=False)
    ours = getattr(models, name)(include_top=False)
    assert ours.input_shape == theirs.input_shape == (None, None, None, 3)
    again = getattr(models, name)(include_top=False, input_shape=None, pooling="avg")
    assert again.output_shape == (None, theirs.output_shape[-1])


def test_with_the_top_it_has_224_pixels():
    assert models.DenseNet(depths=(1, 1), growth=4).input_shape == (None, 224, 224, 3)


@pytest.mark.parametrize("classes", [0, -1, 2.5, "10", True])
def test_classes_are_named_in_the_error(classes):
    with pytest.raises(ValueError, match="argument `classes`"):
        models.LeNet5(classes=classes)


def test_a_number_of_numpy_is_a_number():
    size = np.int64(32)
    model = models.LeNet5(input_shape=(size, size, np.int32(1)), classes=np.int64(3))
    assert model.get_layer("head").get_config()["units"] == 3
    assert keras.Model.from_config(model.get_config()).output_shape == (None, 3)


@pytest.mark.parametrize(
    "shape", [64, "224", (64, 64), (32.0, 32, 3), (32, 32, 0), (-1, 32, 3), (32, 32, True)]
)
def test_what_is_no_shape_is_refused(shape):
    with pytest.raises(ValueError, match=r"`input_shape`.*\(height, width, channels\)"):
        models.LeNet5("modern", input_shape=shape)


@pytest.mark.parametrize("shape", [(3, 224, 224), (1, 64, 48), [4, 99, 99]])
def test_channels_come_last(shape):
    with pytest.raises(ValueError, match=r"`input_shape`.*with the channels last"):
        models.LocallyConnectedNet(input_shape=shape)


@pytest.mark.parametrize("shape", [(4, 4, 3), (3, 3, 3), (3, 8, 4), (1, 9, 3), (9, 9, 16)])
def test_small_images_are_images(shape):
    model = models.HighwayMLP(depth=2, units=2, input_shape=shape)
    assert model.input_shape == (None, *shape)


@pytest.mark.parametrize("weights", ["http://host/weights.h5", "imagnet", "/no/such.weights.h5"])
def test_what_is_no_file_is_refused_before_building(weights, monkeypatch):
    monkeypatch.setattr(keras.layers.Conv2D, "__init__", None)  # nothing may be built
    with pytest.raises(ValueError, match=r"`None`, \"imagenet\" or the path .*never a URL"):
        models.DenseNet(weights=weights)


@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("VGG11", {}),
        ("DenseNet", {"growth": 5}),
        ("ResNet50", {"conv_bias": False}),
        ("LeNet5", {}),
    ],
)
def test_sizes_that_nobody_published_are_refused_before_building(name, sizes, monkeypatch):
    monkeypatch.setattr(keras.layers.Conv2D, "__init__", None)  # nothing may be built
    with pytest.raises(ValueError, match=r"argument `weights`.*Received: weights='imagenet'"):
        getattr(models, name)(weights="imagenet", **sizes)


@pytest.mark.parametrize("value", [{"pooling": "mean"}, {"classes": 0}, {"input_shape": (4, 4, 3)}])
def test_bad_values_are_refused_before_building(value, monkeypatch):
    monkeypatch.setattr(keras.layers.Conv2D, "__init__", None)
    with pytest.raises(ValueError, match=f"argument `{next(iter(value))}`"):
        models.DenseNet(**value)


def test_an_input_tensor_is_checked_as_a_shape_is():
    with pytest.raises(ValueError, match="height and width of at least 32"):
        models.VGG16(input_tensor=keras.Input((16, 16, 3)))


@pytest.mark.parametrize("shape", [(48, 32, 3), (32, 32, 1), (None, 48, 3), (32, 32)])
def test_an_input_tensor_of_another_shape_is_refused(shape):
    tensor = keras.Input((32, 32, 3))
    with pytest.raises(ValueError, match="`input_shape`"):
        models.ResNet18(input_tensor=tensor, input_shape=shape, include_top=False)


@pytest.mark.parametrize("shape", [None, (32, 32, 3), [32, None, 3]])
def test_an_input_tensor_may_come_with_its_shape(shape):
    tensor = keras.Input((32, 32, 3), name="mine")
    model = models.DenseNet((1, 1), 4, input_tensor=tensor, input_shape=shape, include_top=False)
    assert model.input is tensor


@pytest.mark.parametrize("name", ["ResNet20CIFAR", "PlainCNN20CIFAR", "LeNet5", "NASNetCIFAR"])
def test_a_shape_that_nobody_gave_is_not_held_against_an_input_tensor(name):
    """Presets bind one, and some factories have a default."""
    for build in (getattr(models, name), functools.partial(keras_arch.create, name)):
        tensor = keras.Input((40, 36, 2), name="mine")
        assert build(input_tensor=tensor, include_top=False).input_shape == (None, 40, 36, 2)
    if name != "LeNet5":
        with pytest.raises(ValueError, match=r"`input_shape`.*that of `input_tensor`"):
            build(input_tensor=tensor, input_shape=(48, 48, 3), include_top=False)


def test_a_preset_takes_a_name():
    assert models.PlainCNN20CIFAR(depths=(1,), widths=(2,)).name == "plaincnn20cifar"
    assert models.PlainCNN20CIFAR(depths=(1,), widths=(2,), name="mine").name == "mine"


def test_auxiliary_heads_are_outputs_beside_the_head():
    image, finish = layers.image_classifier(
        True, None, None, (8, 8, 3), None, 4, "softmax", "net", family="VGG"
    )
    x = keras.layers.Conv2D(5, 3, name="conv")(image)
    model = finish(x, aux={"aux1": keras.layers.Flatten(name="flat")(x)})
    assert {name: tensor.shape for name, tensor in model.output.items()} == {
        "head": (None, 4),
        "aux1": (None, 4),
    }
    assert model.get_layer("aux1").kernel.shape == (6 * 6 * 5, 4)


@pytest.mark.parametrize("factory", [models.ResNet, models.ResNetV2])
def test_no_stages_are_refused(factory):
    with pytest.raises(ValueError, match="argument `depths`"):
        factory(depths=(), widths=())


def test_an_input_tensor_may_have_a_history():
    image = keras.Input((32, 32, 1), name="grey")
    x = keras.layers.Rescaling(2.0, name="scaled")(image)
    model = models.DenseNet(depths=(1, 1), growth=4, input_tensor=x, classes=3)
    assert [tensor.name for tensor in model.inputs] == ["grey"]
    assert model.output_shape == (None, 3)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        *((name, {"alpha": alpha}) for alpha in (0, -1) for name in ALPHAS),
        ("DenseNet", {"compression": 2.0}),
        ("DenseNet", {"compression": 0}),
        ("WideResNet", {"k": 1.5, "depth": 10}),
        ("RoR", {"k": 1.5, "depth": 8}),
        ("AlexNet", {"groups": 0}),
        ("SENet", {"groups": 0}),
        ("DPN", {"groups": 0}),
        ("RoR", {"depth": 6002}),
        ("WideResNet", {"depth": 10_000}),
        ("HighwayMLP", {"depth": 1000}),
        ("MLP", {"units": MANY}),
        ("AlexNet", {"units": MANY}),
        ("VGG", {"units": MANY}),
        ("LocallyConnectedNet", {"units": MANY}),
        (
            "LocallyConnectedNet",
            {"widths": MANY, "kernels": [1] * 1000, "strides": [1] * 1000},
        ),
        ("VGG", {"depths": (1000,), "widths": (2,)}),
        ("VGG", {"depths": (), "widths": ()}),
        ("VGG", {"depths": (0, 1), "widths": (2, 2)}),
    ],
)
def test_sizes_that_cannot_be_built_are_refused_by_their_name(name, arguments):
    argument, value = next(iter(arguments.items()))
    received = re.escape(f"Received: {argument}={value!r}")
    with pytest.raises(ValueError, match=f"`{argument}`.*{received}"):
        keras_arch.create(name, **arguments)
