import keras
import numpy as np
import pytest

from keras_arch.layers import normalized_pool, overlapping_pool


@pytest.mark.parametrize("edge", ["inside", "across"])
@pytest.mark.parametrize("size", [8, 9])
def test_windows_at_the_edge(edge, size):
    x = np.random.default_rng(0).uniform(size=(1, size, size, 2)).astype("float32")
    inputs = keras.Input((None, None, 2))
    found = keras.Model(inputs, overlapping_pool(inputs, edge))(x)
    starts = range(0, size - (2 if edge == "inside" else 1), 2)
    expected = [[x[0, i : i + 3, j : j + 3].max(axis=(0, 1)) for j in starts] for i in starts]
    np.testing.assert_array_equal(found[0], expected)
    assert found.shape[1] == {("inside", 8): 3, ("across", 8): 4}.get((edge, size), 4)


def test_what_is_not_known_is_refused():
    inputs = keras.Input((8, 8, 2))
    with pytest.raises(ValueError, match=r"`edge`.*Received: edge='other'"):
        overlapping_pool(inputs, "other")
    with pytest.raises(ValueError, match=r"`lrn`.*Received: lrn='other'"):
        normalized_pool(inputs, "other")
