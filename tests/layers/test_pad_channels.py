import numpy as np
import pytest

from keras_arch.layers import PadChannels


@pytest.mark.parametrize("shape", [(2, 3), (2, 4, 3), (1, 5, 6, 3)])
def test_zeros_are_appended(shape):
    x = np.random.default_rng(0).normal(size=shape).astype("float32")
    expected = np.concatenate([x, np.zeros((*shape[:-1], 2))], axis=-1)
    np.testing.assert_array_equal(PadChannels(5)(x), expected)


def test_as_many_channels_pass_through():
    np.testing.assert_array_equal(PadChannels(3)(np.ones((2, 3))), np.ones((2, 3)))


def test_more_channels_than_asked_for_are_refused():
    with pytest.raises(ValueError, match=r"`channels`. Expected at least the 4"):
        PadChannels(3)(np.ones((1, 4)))
