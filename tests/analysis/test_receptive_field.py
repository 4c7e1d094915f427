"""Receptive fields: of the papers, and as an image shows that is changed pixel by pixel."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_arch import models
from keras_arch.analysis import receptive_field
from keras_arch.layers import PadChannels, PartialConv2D, SqueezeExcitation


def test_mobilenet_of_keras(quick):
    found = receptive_field(keras.applications.MobileNet(weights=None))
    assert (found.layer, found.size) == ("conv_pw_13_relu", (315, 315))


def test_pools_of_vgg16(quick):
    model = models.VGG16(include_top=False)  # any size
    sizes = [receptive_field(model, f"stage{stage}").size[0] for stage in range(1, 6)]
    assert sizes == [6, 16, 44, 100, 212]


@pytest.mark.parametrize("variant", ["original", "modern"])
def test_lenet5(variant):
    model = models.LeNet5(variant)
    taps = ("stem", "stage1", "stage2_conv", "stage3")
    assert [receptive_field(model, tap).size[0] for tap in taps] == [5, 6, 14, 32]
    assert receptive_field(model).layer == "stage3"


def conv(filters=2, size=3, **arguments):
    return layers.Conv2D(filters, size, **arguments)


def inception(x):
    same = {"padding": "same"}
    wide = conv(size=5, **same)(conv(size=3, **same)(x))
    pool = layers.MaxPooling2D(3, strides=1, padding="same")(x)
    return layers.Concatenate()([conv(size=1)(x), conv(size=3, **same)(x), wide, pool])


def residual(x):
    past = PadChannels(6)(layers.AveragePooling2D(1, strides=2)(x))
    x = conv(3, strides=2, padding="same")(x)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    return layers.Add()([past, conv(6, padding="same")(x)])


def encoder_decoder(x):
    skip = conv(size=(3, 4), padding="same")(layers.Cropping2D(((0, 0), (3, 0)))(x))
    x = layers.MaxPooling2D(2)(skip)
    x = conv(padding="same")(layers.AveragePooling2D(3, strides=2, padding="same")(x))
    x = layers.UpSampling2D(2)(x)
    x = layers.Conv2DTranspose(2, 3, strides=2, padding="same")(x)
    return layers.Concatenate()([x, skip])


def unequal(x):
    x = conv(size=(3, 1), strides=(2, 1), padding="same")(x)
    return conv(size=(1, 4), dilation_rate=(1, 2))(x)


def nested(x):
    inside = keras.Input(x.shape[1:])
    y = conv(strides=2)(inside)
    block = keras.Model(inside, layers.UpSampling2D(3)(conv()(y)))
    return conv(padding="same")(block(x))


def shuffled(x):
    x = conv(4)(x)
    height, width, channels = x.shape[1:]
    x = layers.Reshape((height, width, 2, channels // 2))(x)
    x = layers.Permute((1, 2, 4, 3))(x)
    return conv()(layers.Reshape((height, width, channels))(x))


def gated(x):
    """A gate of one place, which is no global pooling: it sees a corner."""
    corner = layers.Cropping2D(((0, 20), (0, 20)))(x)
    return layers.Multiply()([conv(4)(x), layers.MaxPooling2D(4)(corner)])


PARTS = {
    "valid": lambda x: conv(strides=3)(conv(size=4)(x)),
    "same": lambda x: conv(size=4, padding="same", strides=3)(x),
    "dilated": lambda x: conv(dilation_rate=3, padding="same")(x),
    "depthwise": lambda x: layers.DepthwiseConv2D(3, strides=2, padding="same")(x),
    "separable": lambda x: layers.SeparableConv2D(2, 5, padding="same")(conv()(x)),
    "grouped": lambda x: conv(4, groups=2)(conv(4)(x)),
    "overlapping": lambda x: layers.MaxPooling2D(3, strides=2)(layers.AveragePooling2D(2)(x)),
    "padded": lambda x: conv(strides=2)(layers.ZeroPadding2D(((0, 1), (2, 1)))(x)),
    "cropped": lambda x: conv(strides=2)(layers.Cropping2D(((3, 1), (0, 2)))(x)),
    "nearest": lambda x: conv()(layers.UpSampling2D((2, 3))(conv(strides=2)(x))),
    "bilinear": lambda x: layers.UpSampling2D(2, interpolation="bilinear")(conv()(x)),
    "transposed": lambda x: layers.Conv2DTranspose(2, 4, strides=2)(conv(strides=2)(x)),
    "transposed_same": lambda x: layers.Conv2DTranspose(2, 3, strides=2, padding="same")(x),
    "partial": lambda x: PartialConv2D([[0], [0, 1]], 5, padding="same")(conv()(x)),
    "inception": inception,
    "residual": residual,
    "encoder_decoder": encoder_decoder,
    "unequal": unequal,
    "nested": nested,
    "shuffled": shuffled,
}
PARTS_1D = {
    "causal": lambda x: layers.Conv1D(2, 3, padding="causal", dilation_rate=2)(x),
    "pooled": lambda x: layers.SeparableConv1D(2, 3)(layers.MaxPooling1D(2)(x)),
    "upsampled": lambda x: layers.Conv1DTranspose(2, 3)(layers.UpSampling1D(2)(x)),
}


def pixels_that_count(model):
    """For each unit of a map of places, whether each pixel changes it: ``(*units, *pixels)``."""
    for variable in model.trainable_variables:
        variable.assign(np.full(variable.shape, 0.3))
    size = model.input_shape[1:-1]
    pixels = np.eye(np.prod(size)).reshape(-1, *size, 1)
    changed = model.predict(1.0 + 10.0 * pixels, verbose=0)
    alike = np.isclose(changed, model.predict(np.ones((1, *size, 1)), verbose=0), rtol=1e-4)
    changes = ~alike.all(-1)
    return np.moveaxis(changes, 0, -1).reshape(*changes.shape[1:], *size)


def check(model):
    """Each unit whose field lies in the image sees just that; after upsampling, the largest."""
    found = receptive_field(model)
    counts = pixels_that_count(model)
    image = np.array(model.input_shape[1:-1])
    alike = not any("up" in x.name or "transpose" in x.name for x in model._flatten_layers())
    sizes = []
    for unit in np.ndindex(counts.shape[: len(image)]):
        seen = np.argwhere(counts[unit])
        start = np.array(found.offset) + np.array(found.stride) * unit
        size = seen.max(0) - seen.min(0) + 1
        if alike and (start >= 0).all() and (start + found.size <= image).all():
            assert seen.min(0).tolist() == start.tolist(), unit
            sizes.append(size)
            assert size.tolist() == list(found.size), unit
        elif not alike and (seen.min(0) > 0).all() and (seen.max(0) < image - 1).all():
            sizes.append(size)
    assert len(sizes) > 2
    assert np.max(sizes, axis=0).tolist() == list(found.size)


@pytest.mark.parametrize("part", PARTS, ids=str)
def test_just_those_pixels_count(part):
    image = keras.Input((34, 37, 1))
    features = conv(2)(image)
    check(keras.Model(image, PARTS[part](features)))


@pytest.mark.parametrize("part", PARTS_1D, ids=str)
def test_of_a_sequence(part):
    sequence = keras.Input((20, 1))
    check(keras.Model(sequence, PARTS_1D[part](sequence)))


def test_of_a_volume():
    volume = keras.Input((9, 8, 7, 1))
    x = layers.Conv3D(1, (3, 1, 2), strides=(2, 1, 1))(volume)
    check(keras.Model(volume, layers.AveragePooling3D((1, 3, 2), strides=1)(x)))


def test_an_image_of_any_size():
    """The numbers are those of a size that the strides divide."""
    fields = []
    for size in (None, 32):
        image = keras.Input((size, size, 1))
        x = conv(strides=2, padding="same", name="a")(image)
        x = layers.MaxPooling2D(3, strides=2, padding="same", name="b")(x)
        fields.append(receptive_field(keras.Model(image, x)))
    assert fields[0] == fields[1]


def test_a_gate_of_one_place_is_seen_by_all():
    image = keras.Input((24, 24, 1))
    model = keras.Model(image, gated(image))
    found = receptive_field(model)
    assert (found.size, found.offset) == ((4, 4), (0, 0))  # of unit 0: the corner and its own


def classifier(*middle):
    image = keras.Input((12, 12, 1), name="image")
    x = conv(4, name="first")(image)
    for layer in middle:
        x = layer(x)
    return keras.Model(image, layers.Dense(3, name="head")(layers.Flatten(name="flat")(x)))


class TestWhatHasNone:
    def test_a_classifier(self):
        model = classifier()
        assert receptive_field(model).layer == "first"
        with pytest.raises(ValueError, match=r"'flat' .Flatten. sees the whole image"):
            receptive_field(model, "head")

    @pytest.mark.parametrize(
        "layer",
        [
            layers.GlobalMaxPooling2D(keepdims=True, name="pool"),
            layers.GlobalAveragePooling2D(keepdims=True, name="pool"),
            SqueezeExcitation(ratio=2, name="pool"),
            layers.GroupNormalization(2, name="pool"),
        ],
        ids=lambda layer: type(layer).__name__,
    )
    def test_what_sees_the_whole_image(self, layer):
        model = classifier(layer, conv(1, 1, name="later"))
        assert receptive_field(model).layer == "first"
        for at in ("pool", "later"):
            with pytest.raises(ValueError, match=r"'pool' .* sees the whole image"):
                receptive_field(model, at)

    @pytest.mark.parametrize(
        "layer",
        [
            layers.Resizing(5, 5, name="odd"),
            layers.Softmax(axis=1, name="odd"),
            layers.UpSampling2D(2, interpolation="bicubic", name="odd"),
            layers.Permute((2, 1, 3), name="odd"),
            layers.Conv2DTranspose(1, 1, strides=2, name="odd"),
        ],
        ids=lambda layer: type(layer).__name__,
    )
    def test_what_is_not_known(self, layer):
        model = classifier(layer)
        with pytest.raises(ValueError, match=r"what the layer 'odd' .* reads is not known"):
            receptive_field(model, "odd")

    def test_a_kernel_size_alone_is_not_believed(self):
        class Twice(layers.Layer):
            kernel_size = 3

            def build(self, _):
                self.inner = conv(1, padding="same")

            def call(self, x):
                return self.inner(self.inner(x))

        with pytest.raises(ValueError, match=r"Twice. reads is not known"):
            receptive_field(classifier(conv(1), Twice(name="odd")), "odd")

    def test_no_such_layer(self):
        with pytest.raises(ValueError, match=r"Invalid value for argument `at`.*'head'"):
            receptive_field(classifier(), "haed")

    def test_two_images(self):
        one, other = keras.Input((8, 8, 1)), keras.Input((8, 8, 1))
        model = keras.Model([one, other], layers.Add(name="sum")([one, other]))
        with pytest.raises(ValueError, match="one image, not 2"):
            receptive_field(model, "sum")

    def test_no_graph(self):
        with pytest.raises(ValueError, match="a functional model"):
            receptive_field(keras.Sequential([conv()]))


def test_the_model_stays_as_it_is(untouched):
    shy = layers.Dense(4, activity_regularizer="l2", name="shy")
    model = classifier(layers.Dropout(0.5, seed=1), layers.BatchNormalization(), shy)
    before = untouched(model)
    receptive_field(model)
    assert untouched(model) == before
