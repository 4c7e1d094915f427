"""Laws of variance: their bounds and moments, and the libraries that draw from them too."""

import jax
import keras
import numpy as np
import pytest
from keras import layers, ops
from scipy import stats
from tensorflow.python.ops import init_ops, init_ops_v2

from keras_arch import initializers

SHAPE = (3, 3, 40, 250)  # fan-in 360, fan-out 2250; 90,000 numbers
FAN_IN, FAN_OUT = 360, 2250


def drawn(law, shape=SHAPE):
    return ops.convert_to_numpy(law(shape)).ravel()


def theirs_jax(law):
    return np.array(law(jax.random.key(1), SHAPE)).ravel()


def torch_default(rng):
    """``kaiming_uniform_(weight, a=sqrt(5))``, in closed form."""
    bound = np.sqrt(6 / ((1 + 5) * FAN_IN))
    return rng.uniform(-bound, bound, 90_000)


SCALING = jax.nn.initializers.variance_scaling
TORCH = torch_default(np.random.default_rng(3))
PAIRS = {
    "FanInUniform-jax": (
        initializers.FanInUniform(seed=1),
        theirs_jax(SCALING(1 / 3, "fan_in", "uniform")),
    ),
    "FanInUniform-torch": (initializers.FanInUniform(seed=1), TORCH),
    "LecunNormal-jax": (
        initializers.LecunNormal(seed=1),
        theirs_jax(jax.nn.initializers.lecun_normal()),
    ),
    "LecunUniform-jax": (
        initializers.LecunUniform(seed=1),
        theirs_jax(jax.nn.initializers.lecun_uniform()),
    ),
    "GlorotNormal-jax": (
        initializers.GlorotNormal(seed=1),
        theirs_jax(jax.nn.initializers.glorot_normal()),
    ),
    "GlorotUniform-tensorflow": (
        initializers.GlorotUniform(seed=1),
        drawn(init_ops_v2.GlorotUniform(seed=2)),
    ),
    "HeNormal-tensorflow": (initializers.HeNormal(seed=1), drawn(init_ops_v2.he_normal(seed=2))),
    "HeUniform-jax": (initializers.HeUniform(seed=1), theirs_jax(jax.nn.initializers.he_uniform())),
    "Seq2SeqUniform-tensorflow": (
        initializers.Seq2SeqUniform(0.08, seed=1),
        drawn(init_ops.RandomUniform(-0.08, 0.08, seed=2)),
    ),
    "CriticalGaussian-jax": (
        initializers.CriticalGaussian("tanh", 0.05, seed=1),
        theirs_jax(SCALING(1.7610, "fan_in", "normal")),
    ),
    "Orthogonal-jax": (
        initializers.Orthogonal(seed=1),
        theirs_jax(jax.nn.initializers.orthogonal()),
    ),
}


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
def test_the_distribution_is_that_of_others(pair):
    law, theirs = pair
    assert stats.ks_2samp(drawn(law), theirs).pvalue > 0.01


def test_the_two_laws_of_one_name_are_two():
    """U[+-1/sqrt(n)] and N(0, 1/n) differ by a factor of three, which the test sees."""
    ours = drawn(initializers.FanInUniform(seed=1))
    for other in (initializers.LecunUniform(seed=1), initializers.LecunNormal(seed=1)):
        assert stats.ks_2samp(ours, drawn(other)).pvalue < 1e-9
        assert drawn(other).var() / ours.var() == pytest.approx(3, rel=0.03)


BOUNDS = [
    (initializers.FanInUniform(seed=0), FAN_IN**-0.5),
    (initializers.LeNetUniform(seed=0), 2.4 / FAN_IN),
    (initializers.SirenUniform(seed=0), np.sqrt(6 / FAN_IN) / 30),
    (initializers.SirenUniform(omega0=7.0, first=True, seed=0), 1 / FAN_IN),
    (initializers.Seq2SeqUniform(seed=0), 0.05),
    (initializers.Seq2SeqUniform(0.08, seed=0), 0.08),
    (initializers.GlorotUniform(seed=0), np.sqrt(6 / (FAN_IN + FAN_OUT))),
]


@pytest.mark.parametrize(("law", "bound"), BOUNDS, ids=lambda p: type(p).__name__)
def test_bounds_of_uniform_laws(law, bound):
    values = drawn(law).astype("float64")
    assert np.abs(values).max() <= bound * (1 + 1e-6)
    assert stats.kstest(values, stats.uniform(-bound, 2 * bound).cdf).pvalue > 0.01


def test_variances_of_the_catalogue():
    assert drawn(initializers.LeNetUniform(seed=0)).var() * FAN_IN**2 == pytest.approx(
        1.92, rel=0.02
    )
    assert drawn(initializers.Seq2SeqUniform(seed=0)).var() == pytest.approx(8.333e-4, rel=0.02)
    assert drawn(initializers.LecunNormal(seed=0)).var() * FAN_IN == pytest.approx(1, abs=0.02)
    truncated = drawn(initializers.LecunNormal(seed=0)) * FAN_IN**0.5
    assert np.abs(truncated).max() == pytest.approx(2 / 0.87962566, rel=1e-3)
    assert (
        np.abs(drawn(initializers.CriticalGaussian("relu", seed=0))).max()
        > 4 * (2 / FAN_IN) ** 0.5 * 0.99
    )  # the Gaussian has its tails


# The curve of signals through many layers: law, factor of the mean square in a linear layer.
WIDTH, DEPTH = 128, 100
SEEDS = keras.random.SeedGenerator(0)
CURVE = {
    "U(1/sqrt d)": (initializers.FanInUniform(SEEDS), 1 / 3),
    "LecunUniform": (initializers.LecunUniform(SEEDS), 1.0),
    "LecunNormal": (initializers.LecunNormal(SEEDS), 1.0),
    "GlorotUniform": (initializers.GlorotUniform(SEEDS), 1.0),
    "HeNormal": (initializers.HeNormal(SEEDS), 2.0),
    "N(0, .01^2)": (initializers.RandomNormal(0.0, 0.01, SEEDS), WIDTH * 1e-4),
    "N(0, var .01)": (initializers.RandomNormal(0.0, 0.1, SEEDS), WIDTH * 0.01),
    "Seq2SeqUniform": (initializers.Seq2SeqUniform(0.05, SEEDS), WIDTH * 0.05**2 / 3),
    "Orthogonal": (initializers.Orthogonal(1.0, SEEDS), 1.0),
    "Orthogonal gain": (initializers.Orthogonal(initializers.gain("relu"), SEEDS), 2.0),
}


def ratio(kernels, activate):
    """By how much the mean square changes a layer; rescaled, since it would leave float64."""
    x = np.random.default_rng(0).normal(size=(64, WIDTH))
    logs = []
    for kernel in kernels:
        x /= np.sqrt((x**2).mean())
        x = activate(x @ kernel)
        logs.append(np.log((x**2).mean()))
    return np.exp(np.mean(logs))


@pytest.mark.parametrize(("law", "predicted"), CURVE.values(), ids=CURVE)
def test_variance_over_many_layers(law, predicted):
    SEEDS.state.assign(keras.random.SeedGenerator(7).state)
    shape = (WIDTH, WIDTH)
    kernels = [ops.convert_to_numpy(law(shape)).astype("float64") for _ in range(DEPTH)]
    orthogonal = isinstance(law, initializers.Orthogonal)
    tolerance = 1e-5 if orthogonal else 3 * (2 / (WIDTH * DEPTH)) ** 0.5
    assert ratio(kernels, lambda x: x) == pytest.approx(predicted, rel=tolerance)
    tolerance = 3 * (5 / (WIDTH * DEPTH)) ** 0.5  # ReLU halves it, and its variance is larger
    assert ratio(kernels, lambda x: np.maximum(x, 0)) == pytest.approx(predicted / 2, rel=tolerance)


def test_alexnets_law_underflows_at_fifty_layers():
    law, x = initializers.RandomNormal(0.0, 0.01, SEEDS), np.ones((1, 512), "float32")
    for _ in range(50):
        x = np.maximum(x @ ops.convert_to_numpy(law((512, 512))), 0)
    assert np.max(x) < 1e-38  # no normal number of float32
    assert not (x**2).any()


DEVIATIONS = {  # by fan-in
    initializers.FanInUniform: lambda n: (1 / np.sqrt(n)) / np.sqrt(3),
    initializers.LeNetUniform: lambda n: (2.4 / n) / np.sqrt(3),
    initializers.SirenUniform: lambda n: (np.sqrt(6 / n) / 30) / np.sqrt(3),
    initializers.CriticalGaussian: lambda n: 1 / np.sqrt(n),  # tanh without biases
}


@pytest.mark.parametrize("make", DEVIATIONS)
class TestShapes:
    """What is a fan-in, and what has none."""

    def test_biases_have_none(self, make):
        with pytest.raises(ValueError, match=r"`shape`.*a bias has no fan-in.*Received"):
            make()((8,))

    def test_axes_come_together(self, make):
        with pytest.raises(ValueError, match=r"`output_axes`.*together"):
            make(input_axes=(0, 1))

    def test_a_depthwise_unit_sees_one_channel(self, make):
        """Keras counts all channels of a depthwise kernel, ``(k, k, C, multiplier)``."""
        told = make(seed=0, input_axes=(0, 1), output_axes=(3,))((3, 3, 4096, 1))
        dense = make(seed=0)((9, 4096))
        np.testing.assert_allclose(np.std(told), np.std(dense), rtol=0.02)
        untold = make(seed=0)((3, 3, 4096, 1))
        assert np.std(untold) < np.std(told) / 50  # by the root of 4096, or more

    def test_recurrent_kernels(self, make):
        cell = layers.LSTMCell(16, recurrent_initializer=make(seed=0))
        cell.build((None, 3))
        np.testing.assert_allclose(np.std(cell.recurrent_kernel), DEVIATIONS[make](16), rtol=0.05)

    def test_a_transposed_convolution_stores_its_channels_the_other_way_round(self, make):
        law = make(seed=0, input_axes=(0, 1, 3), output_axes=(2,))
        layer = layers.Conv2DTranspose(50, 3, kernel_initializer=law)
        layer.build((None, 8, 8, 20))
        assert layer.kernel.shape == (3, 3, 50, 20)
        np.testing.assert_allclose(np.std(layer.kernel), DEVIATIONS[make](9 * 20), rtol=0.03)

    def test_axes_that_a_shape_lacks_are_refused(self, make):
        with pytest.raises(ValueError, match=r"`shape`.*the axes \(0, 1, 3\).*Received.*\(4, 8\)"):
            make(input_axes=(0, 1), output_axes=(3,))((4, 8))

    def test_an_empty_kernel_is_drawn_as_keras_draws_it(self, make):
        assert make()((0, 8)).shape == (0, 8)

    def test_einsum_layers_count_axes_themselves(self, make):
        layer = layers.EinsumDense("abc,cde->abde", (None, 30, 40), kernel_initializer=make(seed=0))
        layer.build((None, 5, 20))
        np.testing.assert_allclose(
            np.std(layer.kernel), np.std(make(seed=0)((20, 1200))), rtol=0.02
        )


def test_depthwise_convolutions_keep_variance_by_their_own_fan_in():
    law = initializers.VarianceScaling(
        1.0, "fan_in", "untruncated_normal", seed=0, input_axes=(0, 1), output_axes=(3,)
    )
    layer = layers.DepthwiseConv2D(3, depthwise_initializer=law)
    image = np.random.default_rng(0).normal(size=(4, 18, 18, 256)).astype("float32")
    assert np.var(layer(image)) == pytest.approx(1.0, rel=0.1)


def test_siren_keeps_its_distribution():
    """Six layers of 256 sines: before each but the first a standard normal, about."""
    seeds = keras.random.SeedGenerator(0)
    x = np.random.default_rng(0).uniform(-1, 1, (4096, 2)).astype("float32")
    x = np.sin(30 * (x @ np.array(initializers.SirenUniform(first=True, seed=seeds)((2, 256)))))
    for _ in range(5):
        before = 30 * (x @ np.array(initializers.SirenUniform(seed=seeds)((256, 256))))
        assert before.std() == pytest.approx(1.0, abs=0.15)
        x = np.sin(before)
        assert x.var() == pytest.approx((1 - np.exp(-2)) / 2, abs=0.05)
    glorot = np.array(initializers.GlorotUniform(seeds)((256, 256)))
    assert np.std(30 * (x @ glorot)) > 10  # many periods: noise


def test_dot_products_are_scaled_by_the_root_of_their_size():
    """``var(q . k / sqrt(d)) = 1``: in Keras's attention, as in a layer of LeCun's law."""
    rng = np.random.default_rng(0)
    query, key = rng.normal(size=(2, 1, 200, 1, 256)).astype("float32")
    value = np.eye(200, dtype="float32")[None, :, None]
    weights = ops.convert_to_numpy(ops.nn.dot_product_attention(query, key, value))[0, :, 0]
    scores = np.log(weights)
    scores -= scores.mean(axis=1, keepdims=True)
    assert scores.var() == pytest.approx(1.0, rel=0.05)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: initializers.Seq2SeqUniform(0.0), "`limit`"),
        (lambda: initializers.SirenUniform(omega0=-1.0), "`omega0`"),
        (lambda: initializers.CriticalGaussian("relu", 0.1), "`bias_variance`"),
        (lambda: initializers.CriticalGaussian("swosh"), "`activation`"),
    ],
)
def test_bad_arguments_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    "name",
    [
        "LecunNormal",
        "LecunUniform",
        "GlorotNormal",
        "GlorotUniform",
        "HeNormal",
        "HeUniform",
        "Zeros",
        "Ones",
        "Constant",
        "Identity",
        "Orthogonal",
        "RandomNormal",
        "RandomUniform",
        "TruncatedNormal",
        "VarianceScaling",
    ],
)
def test_what_keras_has_is_keras_own(name):
    assert getattr(initializers, name) is getattr(keras.initializers, name)


def test_the_laws_of_papers_that_are_plain_ones():
    """PixelNet: N(0, .001^2). The Inceptions: a truncated normal. DenseNet and its kin: He."""
    assert drawn(initializers.RandomNormal(0.0, 1e-3, 0)).std() == pytest.approx(1e-3, rel=0.01)
    truncated = drawn(initializers.TruncatedNormal(0.0, 0.1, 0))
    assert np.abs(truncated).max() <= 0.2
    assert truncated.std() == pytest.approx(0.1 * 0.87962566, rel=0.01)
    assert drawn(initializers.HeNormal(0)).var() * FAN_IN == pytest.approx(2, rel=0.02)
