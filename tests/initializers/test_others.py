"""Every law beside those of TensorFlow, JAX and, in closed form, PyTorch.

Random ones by a two-sample test with fixed seeds, which sees a change of 2 % in scale; what
is not random to 1e-6.
"""

import math

import jax
import keras
import numpy as np
import pytest
from keras import ops
from scipy import stats
from tensorflow.python.ops import init_ops, init_ops_v2

from keras_arch import initializers

SHAPES = {"dense": (300, 500), "convolution": (3, 3, 40, 250)}


def fans(shape):
    window = math.prod(shape[:-2])
    return window * shape[-2], window * shape[-1]


def drawn(law, shape):
    return ops.convert_to_numpy(law(shape)).ravel().astype("float64")


def of_jax(law):
    return lambda shape: np.asarray(law(jax.random.key(1), shape)).ravel().astype("float64")


def of_tensorflow(law):
    return lambda shape: np.asarray(law(shape)).ravel().astype("float64")


def of_torch(name, gain=1.0):
    """``torch.nn.init``, in closed form; its normal laws are not truncated."""
    rng = np.random.default_rng(1)

    def draw(shape):
        fan_in, fan_out = fans(shape)
        size = math.prod(shape)
        kind, distribution = name.split("_")
        variance = {"kaiming": gain**2 / fan_in, "xavier": 2 * gain**2 / (fan_in + fan_out)}[kind]
        if distribution == "normal":
            return rng.normal(0.0, variance**0.5, size)
        bound = math.sqrt(3 * variance)
        return rng.uniform(-bound, bound, size)

    return draw


def scaling(scale, mode, distribution, seed=1):
    return initializers.VarianceScaling(scale, mode, distribution, seed=seed)


JAX = jax.nn.initializers
TF = init_ops_v2
PAIRS = {
    "LecunNormal": [
        (initializers.LecunNormal(1), of_jax(JAX.lecun_normal())),
        (initializers.LecunNormal(1), of_tensorflow(TF.lecun_normal(seed=2))),
    ],
    "LecunUniform": [
        (initializers.LecunUniform(1), of_jax(JAX.lecun_uniform())),
        (initializers.LecunUniform(1), of_tensorflow(TF.lecun_uniform(seed=2))),
        (initializers.LecunUniform(1), of_torch("kaiming_uniform")),
    ],
    "GlorotNormal": [
        (initializers.GlorotNormal(1), of_jax(JAX.glorot_normal())),
        (initializers.GlorotNormal(1), of_tensorflow(TF.GlorotNormal(seed=2))),
        (scaling(1.0, "fan_avg", "untruncated_normal"), of_torch("xavier_normal")),
    ],
    "GlorotUniform": [
        (initializers.GlorotUniform(1), of_jax(JAX.glorot_uniform())),
        (initializers.GlorotUniform(1), of_tensorflow(TF.GlorotUniform(seed=2))),
        (initializers.GlorotUniform(1), of_torch("xavier_uniform")),
    ],
    "HeNormal": [
        (initializers.HeNormal(1), of_jax(JAX.he_normal())),
        (initializers.HeNormal(1), of_tensorflow(TF.he_normal(seed=2))),
        (initializers.CriticalGaussian("relu", seed=1), of_torch("kaiming_normal", 2**0.5)),
    ],
    "HeUniform": [
        (initializers.HeUniform(1), of_jax(JAX.he_uniform())),
        (initializers.HeUniform(1), of_tensorflow(TF.he_uniform(seed=2))),
        (initializers.HeUniform(1), of_torch("kaiming_uniform", 2**0.5)),
    ],
    "FanInUniform": [
        (
            initializers.FanInUniform(seed=1),
            of_jax(JAX.variance_scaling(1 / 3, "fan_in", "uniform")),
        ),
        (
            initializers.FanInUniform(seed=1),
            of_tensorflow(TF.VarianceScaling(1 / 3, "fan_in", "uniform", seed=2)),
        ),
        (initializers.FanInUniform(seed=1), of_torch("kaiming_uniform", 3**-0.5)),
    ],
    "CriticalGaussian": [
        (
            initializers.CriticalGaussian("tanh", 0.05, seed=1),
            of_tensorflow(TF.VarianceScaling(1.7610, "fan_in", "untruncated_normal", seed=2)),
        ),
        (
            initializers.CriticalGaussian("relu", seed=1),
            of_jax(JAX.variance_scaling(2.0, "fan_in", "normal")),
        ),
    ],
    "Seq2SeqUniform": [
        (
            initializers.Seq2SeqUniform(0.08, seed=1),
            of_jax(lambda key, shape: JAX.uniform(0.16)(key, shape) - 0.08),
        ),
        (
            initializers.Seq2SeqUniform(seed=1),
            of_tensorflow(TF.RandomUniform(-0.05, 0.05, seed=2)),
        ),
    ],
    "RandomNormal": [
        (initializers.RandomNormal(0.0, 0.01, 1), of_jax(JAX.normal(0.01))),
        (initializers.RandomNormal(0.0, 0.1, 1), of_tensorflow(TF.RandomNormal(0.0, 0.1, seed=2))),
    ],
    "TruncatedNormal": [
        (
            initializers.TruncatedNormal(0.0, 0.1, 1),
            of_tensorflow(TF.TruncatedNormal(0.0, 0.1, seed=2)),
        ),
        (
            initializers.TruncatedNormal(0.0, 0.1, 1),
            of_jax(lambda key, shape: 0.1 * jax.random.truncated_normal(key, -2.0, 2.0, shape)),
        ),
    ],
    "VarianceScaling": [
        (
            scaling(3.0, mode, distribution),
            of_tensorflow(TF.VarianceScaling(3.0, mode, distribution, seed=2)),
        )
        for mode in ("fan_in", "fan_out", "fan_avg")
        for distribution in ("uniform", "truncated_normal", "untruncated_normal")
    ],
    "Orthogonal": [(initializers.Orthogonal(1.3, 1), of_tensorflow(TF.Orthogonal(1.3, seed=2)))],
}
CASES = [
    pytest.param(ours, theirs, shape, id=f"{name}-{index}-{label}")
    for name, pairs in PAIRS.items()
    for index, (ours, theirs) in enumerate(pairs)
    for label, shape in SHAPES.items()
    if label == "dense" or index == 0 or name != "VarianceScaling"
]


@pytest.mark.parametrize(("ours", "theirs", "shape"), CASES)
def test_distributions_agree(ours, theirs, shape):
    assert stats.ks_2samp(drawn(ours, shape), theirs(shape)).pvalue > 0.003  # one in 300


def test_the_test_sees_two_percent_of_scale_and_a_truncation():
    ours, shape = drawn(initializers.HeUniform(1), SHAPES["dense"]), SHAPES["dense"]
    for other in (of_torch("kaiming_uniform", 1.02 * 2**0.5)(shape), 0.98 * ours):
        assert stats.ks_2samp(ours, other).pvalue < 1e-4
    truncated = drawn(initializers.HeNormal(1), shape)
    assert stats.ks_2samp(truncated, of_torch("kaiming_normal", 2**0.5)(shape)).pvalue < 1e-9


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (initializers.Zeros(), TF.Zeros()),
        (initializers.Ones(), TF.Ones()),
        (initializers.Constant(-2.5), TF.Constant(-2.5)),
        (initializers.Identity(1.5), TF.Identity(1.5)),
    ],
    ids=lambda law: type(law).__name__,
)
def test_what_is_not_random_is_equal(ours, theirs):
    for shape in [(4, 4), (3, 5)]:
        np.testing.assert_allclose(drawn(ours, shape), of_tensorflow(theirs)(shape), atol=1e-6)


@pytest.mark.parametrize("shape", [(30, 50), (50, 30), (3, 3, 4, 60)], ids=str)
def test_orthogonal_kernels_have_one_singular_value_everywhere(shape):
    found = [
        drawn(initializers.Orthogonal(1.0, 1), shape),
        of_tensorflow(TF.Orthogonal(seed=2))(shape),
        of_jax(JAX.orthogonal())(shape),
    ]
    for kernel in found:
        values = np.linalg.svd(kernel.reshape(-1, shape[-1]), compute_uv=False)
        np.testing.assert_allclose(values, 1.0, atol=1e-6)


@pytest.mark.parametrize("library", ["tensorflow", "jax"])
def test_delta_orthogonal_centres_are_of_one_law(library):
    """Entries, and traces: rotations and reflections alike, uniformly."""
    shape, draws = (3, 3, 3, 3), 300
    mine = initializers.DeltaOrthogonal(seed=keras.random.SeedGenerator(0))
    ours = np.stack([np.array(mine(shape))[1, 1] for _ in range(draws)])
    if library == "tensorflow":
        laws = (init_ops.ConvolutionDeltaOrthogonal(seed=seed) for seed in range(draws))
        theirs = np.stack([np.array(law(shape))[1, 1] for law in laws])
    else:
        keys = jax.random.split(jax.random.key(1), draws)
        theirs = np.asarray(jax.vmap(lambda key: JAX.delta_orthogonal()(key, shape))(keys))[:, 1, 1]
    for kernels in (ours, theirs):
        np.testing.assert_allclose(
            kernels @ kernels.transpose(0, 2, 1), np.tile(np.eye(3), (draws, 1, 1)), atol=1e-6
        )
    assert stats.ks_2samp(ours[:, 0, 0], theirs[:, 0, 0]).pvalue > 0.003
    assert stats.ks_2samp(ours[:, 2, 1], theirs[:, 2, 1]).pvalue > 0.003
    traces = [np.trace(kernels, axis1=1, axis2=2) for kernels in (ours, theirs)]
    assert stats.ks_2samp(*traces).pvalue > 0.003


def test_gains_are_torchs():
    """``torch.nn.init.calculate_gain``."""
    table = {"linear": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": math.sqrt(2), "selu": 3 / 4}
    for name, value in table.items():
        assert initializers.gain(name) == pytest.approx(value, abs=1e-6)
    for slope in (0.01, 0.2, 1.0):
        expected = math.sqrt(2 / (1 + slope**2))
        assert initializers.gain("leaky_relu", slope) == pytest.approx(expected, abs=1e-6)
