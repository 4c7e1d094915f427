"""Orthogonal convolutions: every norm kept by every tap, as in TensorFlow's."""

import keras
import numpy as np
import pytest
from keras import ops
from scipy import stats

from keras_arch.initializers import ConvOrthogonal2D, Orthogonal


def theirs(gain, shape, seed=1):
    from tensorflow.python.ops.init_ops import ConvolutionOrthogonal2D

    return ConvolutionOrthogonal2D(gain, seed=seed)(shape)


def ours(gain, shape, seed=1):
    return ConvOrthogonal2D(gain, seed=seed)(shape)


def transfer(kernel, size=6):
    """The singular values of the convolution on a torus, frequency by frequency."""
    kernel = np.array(ops.cast(kernel, "float64"))
    k = kernel.shape[0]
    padded = np.zeros((size, size, *kernel.shape[2:]))
    padded[:k, :k] = kernel
    return np.linalg.svd(np.fft.fft2(padded, axes=(0, 1)), compute_uv=False)


@pytest.mark.parametrize("make", [ours, theirs])
@pytest.mark.parametrize("shape", [(3, 3, 4, 6), (2, 2, 5, 5), (5, 5, 3, 3), (1, 1, 2, 4)], ids=str)
def test_every_singular_value_is_the_gain(make, shape):
    np.testing.assert_allclose(transfer(make(1.7, shape)), 1.7, atol=5e-6)


def test_all_taps_are_at_work():
    taps = np.sum(np.array(ours(1.0, (3, 3, 16, 16))) ** 2, axis=(2, 3))
    assert (taps > 0.1).all()


def test_keras_orthogonal_is_no_isometry():
    values = transfer(Orthogonal(seed=1)((3, 3, 4, 6)))
    assert values.max() > 1.2
    assert values.min() < 0.9


def test_a_thousand_layers_keep_the_norm():
    seeds = keras.random.SeedGenerator(0)
    x = np.random.default_rng(0).normal(size=(6, 6, 8))
    spectrum = np.fft.fft2(x, axes=(0, 1))
    law, norm = ConvOrthogonal2D(seed=seeds), np.linalg.norm(spectrum)
    for _ in range(100):
        kernel = np.zeros((6, 6, 8, 8))
        kernel[:3, :3] = np.array(law((3, 3, 8, 8), "float64"))
        for _ in range(10):
            spectrum = np.einsum("ijc,ijcd->ijd", spectrum, np.fft.fft2(kernel, axes=(0, 1)))
    assert np.linalg.norm(spectrum) / norm == pytest.approx(1.0, abs=1e-9)


def test_the_distribution_of_taps_is_tensorflows():
    shape, draws = (3, 3, 4, 4), 150
    mine = ConvOrthogonal2D(seed=keras.random.SeedGenerator(0))
    a = np.stack([np.array(mine(shape)) for _ in range(draws)])
    b = np.stack([np.array(theirs(1.0, shape, seed=i)) for i in range(draws)])
    for tap in [(0, 0), (1, 1), (0, 2), (2, 1)]:  # by corners, centre and sides
        size = [(kernels[:, *tap] ** 2).sum((1, 2)) for kernels in (a, b)]
        assert stats.ks_2samp(*size).pvalue > 0.01, tap
    assert stats.ks_2samp(a.ravel()[::7], b.ravel()[::7]).pvalue > 0.01


@pytest.mark.parametrize(
    "shape", [(4, 4), (3, 4, 4), (3, 2, 4, 4), (3, 3, 8, 4)], ids=["dense", "1-D", "3x2", "narrow"]
)
def test_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match=r"`shape`.*\(k, k, channels_in, channels_out\)"):
        ConvOrthogonal2D()(shape)
