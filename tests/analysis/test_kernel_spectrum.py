"""Spectra of kernels: one large random convolution is white, a stack of small ones is not."""

import numpy as np
import pytest
from scipy.signal import convolve2d

from keras_arch.analysis import effective_kernel, kernel_spectrum, spectral_flatness

RNG = np.random.default_rng(0)
SINGLE = RNG.normal(size=(15, 15, 1000))
STACKED = np.stack(
    [effective_kernel(RNG.normal(size=(7, 3, 3, 1, 1)))[:, :, 0, 0] for _ in range(200)],
    axis=-1,
)


def test_one_kernel_in_place_of_several():
    first, second = RNG.normal(size=(3, 4, 2, 3)), RNG.normal(size=(5, 2, 3, 2))
    expected = np.zeros((7, 5, 2, 2))
    for i, o in np.ndindex(2, 2):
        for m in range(3):
            expected[:, :, i, o] += convolve2d(first[:, :, i, m], second[:, :, m, o])
    np.testing.assert_allclose(effective_kernel([first, second]), expected, atol=1e-12)


def test_white_noise_has_the_flatness_of_theory():
    assert spectral_flatness(SINGLE).mean() == pytest.approx(np.exp(-np.euler_gamma), abs=0.01)


def test_a_stack_is_no_white_noise():
    assert spectral_flatness(STACKED).mean() < 0.1


def test_a_stack_has_its_energy_in_the_middle():
    """The weight of a place is a product for each way to it: seven steps of -1, 0 or 1."""
    ways = np.ones(1)
    for _ in range(7):
        ways = np.convolve(ways, np.ones(3) / 3)
    for kernels, expected in ((STACKED, ways[5:10].sum() ** 2), (SINGLE, 25 / 225)):
        energy = (kernels**2).mean(axis=-1)
        assert energy[5:10, 5:10].sum() / energy.sum() == pytest.approx(expected, rel=0.1)


def test_energy_is_kept():
    kernel = RNG.normal(size=(5, 3, 2, 4))
    total = (kernel**2).sum((0, 1))
    np.testing.assert_allclose(kernel_spectrum(kernel).mean((0, 1)), total)
    padded = kernel_spectrum(kernel, size=8)
    assert padded.shape == (8, 8, 2, 4)
    np.testing.assert_allclose(padded.mean((0, 1)), total)


def test_a_wave_has_one_frequency():
    wave = np.cos(2 * np.pi * 2 * np.arange(8) / 8)[None].repeat(8, axis=0)
    power = kernel_spectrum(wave)
    assert np.argwhere(power > 1e-9).tolist() == [[0, 2], [0, 6]]
    assert spectral_flatness(np.ones((4, 4))) == 0


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="reads 4 channels"):
        effective_kernel([np.ones((3, 3, 1, 4)), np.ones((3, 3, 3, 1))])
    with pytest.raises(ValueError, match="`size`"):
        kernel_spectrum(np.ones((5, 5)), size=4)
