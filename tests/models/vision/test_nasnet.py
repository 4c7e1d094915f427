"""NASNet-A: the numbers of the paper, and the answers of keras.applications."""

import keras
import numpy as np
import pytest
from formula import fill_keras, image
from models.vision.compare import assert_same_logits, assert_same_training, shapes, trainable

import keras_arch
from keras_arch import models
from keras_arch.layers.nasnet_cell import NORMAL_A, REDUCTION_A
from keras_arch.models import NASNet
from keras_arch.models.vision.nasnet import SMALL

STEM = ("stem_conv", "stem_cell1_concat", "stem")
TAPS = (*STEM, "stage1", "reduction1_concat", "stage2", "reduction2_concat", "stage3")


def parameters(depth, filters, stem, classes, imagenet=True, skip=False):
    """Trainable weights of N @ 24 F, counted by hand from figures 2 and 4 of the paper."""

    def separable(size, channels, f):  # twice, with normalization
        return size**2 * channels + channels * f + size**2 * f + f * f + 4 * f

    def squeezed(channels, f):
        return channels * f + 2 * f

    def normal(x, previous, f):
        sizes = (5, 3, 5, 3, 3)
        return squeezed(x, f) + squeezed(previous, f) + sum(separable(s, f, f) for s in sizes)

    def reduction(x, previous, f):
        adjusted = f if previous else x  # the first cell reads the convolution as it is
        total = squeezed(x, f) + (squeezed(previous, f) if previous else 0)
        total += sum(separable(size, adjusted, f) for size in (7, 7, 5))
        return total + separable(5, f, f) + separable(3, f, f)

    total, x, previous = 27 * stem + 2 * stem, stem, stem
    if imagenet:
        total += reduction(stem, None, filters // 4) + reduction(filters, stem, filters // 2)
        x, previous = 2 * filters, filters
    for stage in range(3):
        f = filters * 2**stage
        if stage:
            total += reduction(x, previous, f)
            previous, x = previous if skip else x, 4 * f
        for _ in range(depth):
            total += normal(x, previous, f)
            previous, x = x, 6 * f
    return total + (x + 1) * classes


def test_mobile(quick):
    model = models.NASNetMobile(classifier_activation=None)
    assert trainable(model) == parameters(4, 44, 32, 1000) == 5_289_978
    assert shapes(model, *TAPS) == [
        (111, 111, 32),
        (56, 56, 44),
        (28, 28, 88),
        (28, 28, 264),
        (14, 14, 352),
        (14, 14, 528),
        (7, 7, 704),
        (7, 7, 1056),
    ]
    theirs = keras.applications.NASNetMobile(weights=None, classifier_activation=None)
    assert model.count_params() == theirs.count_params() == 5_326_716
    assert [w.shape for w in model.weights] == [w.shape for w in theirs.weights]
    assert_same_logits(model, theirs, "NASNet", image(224, 224))


def test_large(quick):
    model = models.NASNetLarge(classifier_activation=None)
    assert trainable(model) == parameters(6, 168, 96, 1000, skip=True) == 88_753_150
    assert shapes(model, *TAPS) == [
        (165, 165, 96),
        (83, 83, 168),
        (42, 42, 336),
        (42, 42, 1008),
        (21, 21, 1344),
        (21, 21, 2016),
        (11, 11, 2688),
        (11, 11, 4032),
    ]
    theirs = keras.applications.NASNetLarge(weights=None, classifier_activation=None)
    assert model.count_params() == theirs.count_params() == 88_949_818
    assert [w.shape for w in model.weights] == [w.shape for w in theirs.weights]
    assert_same_logits(model, theirs, "NASNet", image(331, 331))


def test_cifar(quick):
    model = models.NASNetCIFAR()
    assert trainable(model) == parameters(6, 32, 96, 10, imagenet=False)
    assert round(trainable(model) / 1e6, 1) == 3.3  # table 1 of the paper: 3.3M
    assert shapes(model, "stem", "stage1", "stage2", "stage3", "head") == [
        (32, 32, 96),
        (32, 32, 192),
        (16, 16, 384),
        (8, 8, 768),
        (10,),
    ]


def test_is_a_drop_in_at_other_sizes(quick):
    """By order, by name; of an even side, where zeros stand behind only."""
    arguments = {"input_shape": (67, 64, 3), "include_top": False, "pooling": "avg"}
    theirs = keras.applications.NASNetMobile(weights=None, **arguments)
    ours = models.NASNetMobile(**arguments)
    x = image(67, 64)
    assert_same_training(ours, theirs)
    assert_same_logits(ours, theirs, "NASNet", x)
    expected = np.asarray(ours(x))
    ours.set_weights([np.zeros(w.shape) for w in ours.weights])
    ours.set_weights(theirs.get_weights())
    np.testing.assert_array_equal(ours(x), expected)


@pytest.mark.parametrize("sides", [(33, 33), (64, 35), (46, 64)])
def test_of_any_size_it_answers_as_of_this_size(sides):
    def build(*shape):
        return NASNet(
            (1, 1), (8, 16), 4, reduction=REDUCTION_A, normal=SMALL["normal"],
            input_shape=(*shape, 3), include_top=False,
        )  # fmt: skip

    known, unknown = fill_keras(build(*sides)), build(None, None)
    unknown.set_weights(known.get_weights())
    x = image(*sides)
    np.testing.assert_allclose(unknown(x), known(x), rtol=1e-5, atol=1e-5)


def small(**arguments):
    sizes = {"depths": (2, 1), "widths": (4, 8), "stem_width": 6, "stem": "cifar", **SMALL}
    return NASNet(**{**sizes, "input_shape": (12, 12, 3), "classes": 4, **arguments})


def test_one_genotype_for_every_size():
    cifar, imagenet = (
        small(stem="cifar"),
        small(stem="imagenet", widths=(8, 16), input_shape=(64, 64, 3)),
    )
    for cell in ("cell0", "cell1", "cell3", "reduction1"):
        of = [
            [layer.name for layer in model.layers if layer.name.startswith(f"{cell}_block")]
            for model in (cifar, imagenet)
        ]
        assert of[0] == of[1] != []


def test_another_genotype():
    normal = (
        ((("separable_3x3", "x"), ("max_3x3", "x")), (("identity", 1), ("identity", 1))),
        (2,),
    )
    model = small(normal=normal)
    assert model.get_layer("stage1").output.shape == (None, 12, 12, 4)
    assert model.output_shape == (None, 4)


def test_the_auxiliary_head_shares_names_and_weights():
    alone, both = small(skip_reduction=False), small(skip_reduction=False, aux=True)
    assert set(both.output) == {"head", "aux1"}
    assert [tuple(y.shape) for y in both.output.values()] == [(None, 4)] * 2
    report = keras_arch.transfer_weights(fill_keras(alone), both)
    assert len(report.copied) == len(alone.weights)
    assert all(path.startswith("aux1") for path in report.untouched)
    x = image(12, 12)
    np.testing.assert_array_equal(both(x)["head"], alone(x))
    channels = alone.get_layer("stage1").output.shape[-1]
    extra = channels * 128 + 4 * 128 + 9 * 128 * 768 + 4 * 768 + 769 * 4  # 12 -> 3 pixels
    assert both.count_params() - alone.count_params() == extra
    assert "aux1" not in [layer.name for layer in small(aux=True, include_top=False).layers]


def test_paths_are_dropped_more_and_more_often():
    model = fill_keras(small(stochastic_depth=0.4))
    rates = [layer.rate for layer in model.layers if layer.name.endswith("_drop")]
    assert sorted(set(np.round(rates, 6))) == [0.1, 0.2, 0.3, 0.4]
    x = image(12, 12)
    assert np.any(model(x, training=True) != model(x))
    plain = small()
    plain.set_weights(model.get_weights())
    np.testing.assert_allclose(model(x), plain(x), rtol=1e-6)


def test_attention_weighs_the_output_of_each_cell():
    plain, model = small(widths=(8, 16)), small(widths=(8, 16), attention="squeeze_excitation")
    gates = {x.name: x for x in model.layers if x.name.endswith("attention")}
    assert set(gates) == {f"{at}_attention" for at in ("cell0", "cell1", "cell3", "reduction1")}
    inside = sum(gate.count_params() for gate in gates.values())
    assert model.count_params() == plain.count_params() + inside
    fill_keras(plain)
    keras_arch.transfer_weights(plain, model)
    for gate in gates.values():  # wide open, nothing is weighed
        gate.excite.kernel.assign(np.zeros(gate.excite.kernel.shape))
        gate.excite.bias.assign(np.full(gate.excite.bias.shape, 50.0))
    x = image(12, 12)
    np.testing.assert_allclose(model(x), plain(x), rtol=1e-5)
    gates["reduction1_attention"].excite.bias.assign(np.full((16,), -1.0))
    assert not np.allclose(model(x), plain(x), rtol=1e-2)
    with pytest.raises(ValueError, match=r"`weights`.*attention=None"):
        models.NASNetMobile(attention="squeeze_excitation", weights="imagenet")


def test_cells_are_those_of_the_figure():
    for genotype, operations in (
        (NORMAL_A, {"separable_5x5": 2, "separable_3x3": 3, "average_3x3": 3, "identity": 2}),
        (
            REDUCTION_A,
            {
                "separable_7x7": 2,
                "separable_5x5": 2,
                "separable_3x3": 1,
                "max_3x3": 2,
                "average_3x3": 2,
                "identity": 1,
            },
        ),
    ):
        named = [operation for block in genotype[0] for operation, _ in block]
        assert len(genotype[0]) == 5
        assert {operation: named.count(operation) for operation in named} == operations


@pytest.mark.parametrize("channels", [1, 4])
def test_dropout_and_channels(channels):
    model = fill_keras(small(dropout=0.5, input_shape=(8, 8, channels)))
    x = image(8, 8, channels)
    assert np.any(model(x, training=True) != model(x))


def test_what_cannot_be_built_is_refused():
    with pytest.raises(ValueError, match="at least 32"):
        models.NASNetMobile(input_shape=(31, 32, 3))
    with pytest.raises(ValueError, match="at least 5"):
        small(aux=True, input_shape=(4, 9, 3))
    with pytest.raises(ValueError, match=r"`aux`"):
        small(aux=True, depths=(1,), widths=(4,))
    with pytest.raises(ValueError, match="a height and width, with `aux`"):
        small(aux=True, input_shape=(12, None, 3))
    with pytest.raises(ValueError, match=r"`widths`.*2 sizes"):
        small(widths=(4,))
    with pytest.raises(ValueError, match=r"`depths`.*at most 303 blocks"):
        small(depths=(200, 200))
    with pytest.raises(ValueError, match=r"`widths`.*at least 4"):
        small(stem="imagenet", widths=(3, 6))
    for argument in ("attention", "stem", "pooling", "normal", "reduction", "stochastic_depth"):
        wrong = 1.0 if argument == "stochastic_depth" else "other"
        with pytest.raises(ValueError, match=f"`{argument}`.*Received: {argument}={wrong!r}"):
            small(**{argument: wrong})
