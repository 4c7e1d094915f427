"""What the ring's numbers count."""

import numpy as np

from keras_arch.recipes.generative import gan_ring

CENTRES = [(2 * np.cos(a), 2 * np.sin(a)) for a in np.deg2rad(np.arange(0, 360, 45))]


def outward(deviations):
    """Points beside each centre, away from the middle of the ring; a deviation is 0.05."""
    return np.array(CENTRES) * (1 + deviations * 0.05 / 2)


def test_nearest():
    for deviations, expected in ((0, True), (2.9, True), (3.1, False), (4, False), (-4, False)):
        modes, near = gan_ring.nearest(outward(deviations))
        assert modes.tolist() == list(range(8))
        assert near.tolist() == [expected] * 8, deviations


def test_the_middle_is_near_no_mode():
    assert not gan_ring.nearest(np.zeros((1, 2)))[1].any()
