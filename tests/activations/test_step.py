import numpy as np

from keras_arch.activations import step


def test_it_fires_above_zero_only():
    x = np.array([[-1.5, -0.0], [0.0, 1e-20]], "float32")
    np.testing.assert_array_equal(step(x), [[0, 0], [0, 1]])
    assert np.asarray(step(x)).dtype == "float32"
