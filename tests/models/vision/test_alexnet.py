"""AlexNet and ZFNet: the numbers of the papers, and the answers of other people's."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from formula import fill_keras, image
from keras.layers import BatchNormalization
from models.vision.compare import first_logits, shapes, trainable

import keras_arch
from keras_arch import models
from keras_arch.analysis import count_macs
from keras_arch.models import AlexNet, ZFNet

WIDE = {"widths": (96, 256, 512, 1024, 512)}
STAGES = ("stem", "stage1", "stage2", "stage3")
SMALL = {"widths": (4, 6, 4, 4, 6), "units": (8, 8), "input_shape": (67, 67, 3), "classes": 2}


@pytest.fixture
def quick(quick, monkeypatch):
    def zeros(self, shape, dtype=None, **kwargs):
        return keras.ops.zeros(shape, dtype)

    monkeypatch.setattr(keras.initializers.RandomNormal, "__call__", zeros)


def test_the_original(quick):
    model = AlexNet()
    assert [layer.count_params() for layer in model.layers if layer.weights] == [
        34_944,
        307_456,
        885_120,
        663_936,
        442_624,
        37_752_832,
        16_781_312,
        4_097_000,
    ]
    assert trainable(model) == 60_965_224
    assert count_macs(model).total == 724_406_816
    assert shapes(model, *STAGES, "stage2_conv", "stage3_conv2") == [
        (55, 55, 96),
        (27, 27, 96),
        (13, 13, 256),
        (6, 6, 256),
        (27, 27, 256),
        (13, 13, 384),
    ]


@pytest.mark.parametrize(
    ("name", "arguments", "parameters", "expected"),
    [
        # tf2cv, its normalization over 5 channels, as in the paper, instead of 11
        (
            "AlexNet",
            {"groups": 1},
            62_378_344,
            [-0.463955, -0.240431, 0.165468, 0.301191, -0.603862],
        ),
        # pytorchcv, as they are
        (
            "AlexNet",
            {"groups": 1, "lrn_alpha": 2e-5},
            62_378_344,
            [-0.464023452, -0.240465007, 0.165478731, 0.301267786, -0.603925197],
        ),
        (
            "ZFNet",
            {"lrn": "before_pool", "lrn_alpha": 2e-5},
            62_357_608,
            [-0.742232152, -0.180872847, 0.282476054, 0.096666419, -0.634570166],
        ),
        # tf2cv, which has torchvision's
        (
            "AlexNetOneTower",
            {},
            61_100_840,
            [-2.55836, -2.14075, -0.620858, 2.05608, -1.40977],
        ),
        # tf2cv, over 5 channels, its pooling windows beginning in the image, not before it
        (
            "ZFNet",
            {"lrn": "before_pool"},
            62_357_608,
            [-0.742102, -0.180854, 0.282486, 0.0966414, -0.634415],
        ),
        (
            "ZFNet",
            {"lrn": "before_pool", **WIDE},
            107_627_624,
            [-0.094234, -1.4164, 0.534898, 0.708173, -0.186643],
        ),
    ],
)
def test_answers_as_others_do(name, arguments, parameters, expected, quick):
    model = keras_arch.create(name, classifier_activation=None, **arguments)
    assert trainable(model) == parameters
    np.testing.assert_allclose(first_logits(model), expected, rtol=2e-5)  # LRN changes 1e-4
    if name == "AlexNetOneTower":
        assert count_macs(model).total == 714_188_480
        assert shapes(model, *STAGES) == [(55, 55, 64), (27, 27, 64), (13, 13, 192), (6, 6, 256)]


def test_feature_maps_of_zfnet():
    model = ZFNet(include_top=False, input_shape=(224, 224, 3))
    assert shapes(model, *STAGES, "stage2_conv") == [
        (110, 110, 96),
        (55, 55, 96),
        (13, 13, 256),
        (6, 6, 256),
        (26, 26, 256),
    ]


def reach(model, tap):
    """Rows of the image that the middle unit of a tap depends on."""
    for variable in model.weights:
        variable.assign(keras.ops.ones_like(variable) / variable.shape.num_elements())
    features = keras_arch.feature_extractor(model, [tap])
    size = 400
    x = tf.Variable(tf.random.uniform((1, size, size, 1), 0.5, 1.0))
    seen = np.zeros(size, bool)
    for _ in range(10):  # each time other maxima
        x.assign(tf.random.uniform(x.shape, 0.5, 1.0))
        with tf.GradientTape() as tape:
            y = features(x)[tap]
            value = y[0, y.shape[1] // 2, y.shape[2] // 2, 0]
        seen |= np.any(tape.gradient(value, x)[0, :, :, 0], axis=1)
    rows = np.flatnonzero(seen)
    return rows[-1] - rows[0] + 1


@pytest.mark.parametrize(
    ("family", "tap", "pixels"),
    [(AlexNet, "stage3_conv3", 163), (AlexNet, "stage3", 195), (ZFNet, "stage3", 171)],
)
def test_receptive_field(family, tap, pixels):
    sizes = {"widths": (2,) * 5, "lrn": None, "include_top": False}
    assert reach(family(**sizes, input_shape=(None, None, 1)), tap) == pixels


@pytest.mark.parametrize("groups", [1, 2])
def test_towers_do_not_read_each_other(groups):
    model = AlexNet(**SMALL, groups=groups, lrn=None, kernel_initializer="he_normal")
    for convolution, before in (("stage2_conv", "stage1"), ("stage3_conv3", "stage3_conv2")):
        features = keras_arch.feature_extractor(model, [before])(image(67, 67))[before]
        layer = model.get_layer(convolution)
        with tf.GradientTape() as tape:
            tape.watch(features)
            first = tf.reduce_sum(layer(features)[..., : layer.filters // 2] ** 2)
        gradient = np.asarray(tape.gradient(first, features))
        half = gradient.shape[-1] // 2
        assert np.any(gradient[..., :half])
        assert np.any(gradient[..., half:]) == (groups == 1)


def test_a_grouped_convolution_is_two_beside_each_other():
    model = fill_keras(AlexNet(**SMALL))
    maps = keras_arch.feature_extractor(model, ["stage1", "stage2_conv"])(image(67, 67))
    kernel = model.get_layer("stage2_conv").kernel
    halves = [
        tf.nn.conv2d(maps["stage1"][..., i : i + 2], kernel[..., j : j + 3], 1, "SAME")
        for i, j in ((0, 0), (2, 3))
    ]
    expected = np.maximum(np.concatenate(halves, axis=-1), 0)
    np.testing.assert_allclose(maps["stage2_conv"], expected, atol=1e-5)


def test_initial_weights_are_those_of_the_papers():
    def biases(model):
        return [float(layer.bias[0]) for layer in model.layers if layer.weights]

    model = AlexNet(**{**SMALL, "units": (100, 100), "widths": (40, 40, 40, 40, 40)})
    assert biases(model) == [0, 1, 0, 1, 1, 1, 1, 0]
    for layer in model.layers:
        if layer.weights:
            assert np.std(layer.kernel) == pytest.approx(0.01, rel=0.2), layer.name
    assert biases(ZFNet(**SMALL)) == [0] * 8
    assert np.std(ZFNet(**SMALL).get_layer("stem").kernel) == pytest.approx(0.01, rel=0.2)
    other = ZFNet(**SMALL, kernel_initializer="he_normal").get_layer("stem").kernel
    assert np.std(other) == pytest.approx((2 / 147) ** 0.5, rel=0.2)


@pytest.mark.parametrize(
    ("family", "lrn", "kinds"),
    [
        (AlexNet, "before_pool", ["LocalResponseNormalization", "MaxPooling2D"]),
        (AlexNet, "after_pool", ["MaxPooling2D", "LocalResponseNormalization"]),
        (AlexNet, None, ["MaxPooling2D"]),
        (ZFNet, "after_pool", ["ZeroPadding2D", "MaxPooling2D", "LocalResponseNormalization"]),
    ],
)
def test_normalization_stands_where_it_is_said(family, lrn, kinds):
    model = family((2,) * 5, lrn=lrn, input_shape=(70, 70, 3), include_top=False)
    names = [layer.name for layer in model.layers]
    between = model.layers[names.index("stem") + 1 : names.index("stage2_conv")]
    assert [type(layer).__name__ for layer in between] == kinds
    assert names[-1] == "stage3"
    assert isinstance(model.layers[-1], keras.layers.MaxPooling2D)  # without normalization


def test_zfnet_normalizes_after_pooling_by_default():
    model = ZFNet((2,) * 5, input_shape=(70, 70, 3), include_top=False)
    assert type(model.get_layer("stage1")).__name__ == "LocalResponseNormalization"


@pytest.mark.parametrize("family", [AlexNet, ZFNet])
def test_batch_normalization_stands_before_each_relu(family):
    assert not any(isinstance(x, BatchNormalization) for x in family(**SMALL).layers)
    model = family(**SMALL, norm="batch")
    kinds = [(type(x).__name__, getattr(x, "activation", None)) for x in model.layers]
    norms = [at for at, (kind, _) in enumerate(kinds) if kind == "BatchNormalization"]
    assert len(norms) == 5
    for at in norms:
        assert kinds[at - 1] == ("Conv2D", keras.activations.linear)
        assert kinds[at + 1][0] == "ReLU"
    assert shapes(model, *STAGES) == shapes(family(**SMALL), *STAGES)
    if family is AlexNet:
        assert model.get_layer("stage2_conv_conv").groups == 2


@pytest.mark.parametrize("family", [AlexNet, ZFNet])
def test_small_images(family):
    model = family((2,) * 5, stem="cifar", input_shape=(32, 32, 1), include_top=False)
    stem, *_, last = shapes(model, *STAGES)
    assert stem[0] == 32
    assert last[0] in (3, 4)


@pytest.mark.parametrize("family", [AlexNet, ZFNet])
def test_dropout_follows_each_fully_connected_layer(family):
    for rate in (0.5, 0.3):
        names = family(**SMALL, dropout=rate)
        assert [x.name for x in names.layers][-5:] == [
            "fc1",
            "fc1_dropout",
            "fc2",
            "fc2_dropout",
            "head",
        ]
        assert names.get_layer("fc1_dropout").rate == rate
    assert family(**SMALL).get_layer("fc2_dropout").rate == 0.5


def test_one_tower_has_a_publication_of_its_own():
    assert "One weird trick" in keras_arch.info("AlexNetOneTower")["citation"]
    assert keras_arch.info("AlexNet")["year"] == 2012


@pytest.mark.parametrize(
    ("arguments", "smallest"),
    [
        ({"family": "AlexNet"}, 67),
        ({"family": "AlexNet", "padding": 2}, 63),
        ({"family": "AlexNet", "stem": "cifar"}, 15),
        ({"family": "ZFNet"}, 47),
        ({"family": "ZFNet", "stem": "cifar"}, 8),
    ],
)
def test_the_smallest_image(arguments, smallest):
    family = getattr(models, arguments.pop("family"))
    sizes = {"widths": (2,) * 5, "include_top": False, **arguments}
    assert family(**sizes, input_shape=(smallest, smallest, 1)).output_shape == (None, 1, 1, 2)
    with pytest.raises(ValueError, match=f"at least {smallest}"):
        family(**sizes, input_shape=(smallest - 1, smallest, 1))


@pytest.mark.parametrize("family", [AlexNet, ZFNet])
def test_what_cannot_be_built_is_refused(family):
    with pytest.raises(ValueError, match=r"`widths`.*5 sizes"):
        family(widths=(96, 256))
    for argument in ("lrn", "norm", "stem"):
        with pytest.raises(ValueError, match=f"`{argument}`.*Received: {argument}='other'"):
            family(include_top=False, **{argument: "other"})
    with pytest.raises(ValueError, match=r"`groups`.*a divisor of all `widths`"):
        AlexNet(groups=5)
