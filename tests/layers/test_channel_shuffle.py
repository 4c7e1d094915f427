import numpy as np
import pytest

from keras_arch.layers import ChannelShuffle


@pytest.mark.parametrize("groups", [1, 2, 3, 4, 12])
def test_a_permutation_and_its_inverse(groups):
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 12)).astype("float32")
    shuffled = ChannelShuffle(groups)(x)
    order = np.ravel(ChannelShuffle(groups)(np.arange(12.0)[None])).astype(int)
    assert sorted(order) == list(range(12))
    np.testing.assert_array_equal(shuffled, x[..., order])
    np.testing.assert_array_equal(ChannelShuffle(12 // groups)(shuffled), x)


def test_each_group_receives_from_all():
    order = np.ravel(ChannelShuffle(3)(np.arange(9.0)[None])).astype(int)
    assert order.tolist() == [0, 3, 6, 1, 4, 7, 2, 5, 8]


def test_channels_that_do_not_divide_are_refused():
    with pytest.raises(ValueError, match=r"`groups`.*the 7 channels.*Received: groups=3"):
        ChannelShuffle(3)(np.zeros((1, 7)))
