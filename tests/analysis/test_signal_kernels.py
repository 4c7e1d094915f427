"""Laws that fit a kernel: each is found again in what it drew."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_arch import initializers
from keras_arch.analysis.signal_kernels import fans, kernel_law


def built(layer, shape):
    layer.build(shape)
    return layer


def dense(law, inputs=80, units=120):
    layer = built(layers.Dense(units, kernel_initializer=law), (None, inputs))
    return kernel_law(layer, layer.kernel)


def conv(law, window=3, inputs=16, filters=32, make=layers.Conv2D):
    layer = built(make(filters, window, kernel_initializer=law), (None, 8, 8, inputs))
    return kernel_law(layer, layer.kernel)


@pytest.mark.parametrize("measure", [dense, conv])
@pytest.mark.parametrize(
    ("law", "said"),
    [
        (initializers.HeNormal(0), "He truncated normal"),
        (initializers.HeUniform(0), "He uniform"),
        (initializers.LecunNormal(0), "LeCun truncated normal"),
        (initializers.LecunUniform(0), "LeCun uniform"),
        (initializers.GlorotNormal(0), "Glorot truncated normal"),
        (initializers.GlorotUniform(0), "Glorot uniform"),
        (initializers.FanInUniform(seed=0), "U(1/sqrt(fan-in))"),
        (initializers.LeNetUniform(seed=0), "U(2.4/fan-in)"),
        (initializers.RandomNormal(0.0, 0.01, 0), "N(0, 0.01^2)"),
        (initializers.Seq2SeqUniform(0.05, seed=0), "U(0.05)"),
        (initializers.Seq2SeqUniform(0.08, seed=0), "U(0.08)"),
        (initializers.CriticalGaussian("relu", seed=0), "He normal"),
        (initializers.Orthogonal(seed=0), "orthogonal"),
        (initializers.Orthogonal(2**0.5, seed=0), "orthogonal, gain 1.41"),
        (initializers.Zeros(), "zeros"),
        (initializers.Constant(0.25), "constant 0.25"),
        (initializers.VarianceScaling(7.0, "fan_in", "uniform", seed=0), "/ fan-in"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_a_law_is_found(measure, law, said):
    found = measure(law)
    assert found.law.endswith(said) if said.startswith("/") else found.law == said, found


def test_the_scale_is_the_variance_times_the_fan_in():
    found = conv(initializers.HeNormal(0))
    assert (found.fan_in, found.fan_out, found.name) == (144, 288, "kernel")
    assert found.scale == pytest.approx(2, rel=0.05)
    assert found.variance == found.scale / 144
    assert float(conv(initializers.VarianceScaling(7.0, seed=0)).law.split()[0]) == pytest.approx(
        7, rel=0.1
    )


def test_kernels_of_which_only_the_centre_is_not_zero():
    assert conv(initializers.DeltaOrthogonal(seed=0)).law == "delta-orthogonal"
    assert conv(initializers.DeltaOrthogonal(1.5, seed=0), 4).law == "delta-orthogonal, gain 1.5"
    assert conv(initializers.Dirac()).law == "Dirac"
    assert dense(initializers.Identity(), 9, 9).law == "identity"


def test_laws_of_equal_variance_are_both_named():
    assert dense(initializers.GlorotUniform(0), 90, 90).law == "LeCun uniform or Glorot uniform"


def test_of_few_numbers_the_shape_is_left_open():
    assert dense(initializers.HeUniform(1), 5, 20).law.startswith("He")
    assert "uniform" not in dense(initializers.HeUniform(1), 5, 20).law


def test_what_is_not_finite_has_no_law():
    assert dense(initializers.Constant(np.nan)).law == "not finite"


@pytest.mark.parametrize(
    ("layer", "shape", "name", "expected"),
    [
        (layers.Conv1D(6, 5), (None, 9, 4), "kernel", (20, 30)),
        (layers.Conv2D(6, 3, groups=2), (None, 9, 9, 4), "kernel", (18, 54)),
        (layers.Conv2DTranspose(6, 3), (None, 9, 9, 4), "kernel", (36, 54)),
        (layers.DepthwiseConv2D(3, depth_multiplier=2), (None, 9, 9, 4), "kernel", (9, 18)),
        (layers.SeparableConv2D(6, 3), (None, 9, 9, 4), "depthwise_kernel", (9, 9)),
        (layers.SeparableConv2D(6, 3), (None, 9, 9, 4), "pointwise_kernel", (4, 6)),
        (layers.EinsumDense("abc,cde->abde", (None, 3, 5)), (None, 2, 7), "kernel", (7, 15)),
        (layers.EinsumDense("abcd,cde->abe", (None, 5)), (None, 2, 3, 4), "kernel", (12, 5)),
        (layers.LSTMCell(6), (None, 4), "recurrent_kernel", (6, 24)),
        (layers.Embedding(9, 4), (None, 3), "embeddings", (0, 0)),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, layers.Layer) else "",
)
def test_fans(layer, shape, name, expected):
    built(layer, shape)
    (variable,) = (v for v in layer.weights if v.name == name)
    assert fans(layer, variable) == expected


def test_keras_counts_all_channels_of_a_depthwise_kernel():
    """Its Glorot law is then another than that of what a unit sums, and said to be."""
    layer = built(layers.DepthwiseConv2D(3), (None, 9, 9, 200))
    law = kernel_law(layer, layer.kernel).law
    assert law.startswith("Glorot uniform")
    assert law.endswith("by Keras's fans")
    law = keras.initializers.VarianceScaling(
        2.0, "fan_in", "untruncated_normal", seed=0, input_axes=(0, 1), output_axes=(3,)
    )
    layer = built(layers.DepthwiseConv2D(3, depthwise_initializer=law), (None, 9, 9, 200))
    assert kernel_law(layer, layer.kernel).law == "He normal"
