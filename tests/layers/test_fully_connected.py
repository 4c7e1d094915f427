import keras
import numpy as np
import pytest

from keras_arch.layers import SlidingDense, fully_connected


def test_it_is_the_dense_layer_of_each_window():
    x = np.random.default_rng(0).standard_normal((2, 5, 4, 3)).astype("float32")
    sliding, dense = SlidingDense(6, 3, "tanh"), keras.layers.Dense(6, "tanh")
    found = sliding(x)
    dense.build((None, 27))
    dense.set_weights([sliding.kernel, np.arange(6.0)])
    sliding.set_weights(dense.get_weights())  # in their shapes
    found = sliding(x)
    assert found.shape == (2, 3, 2, 6)
    for row in range(3):
        for column in range(2):
            window = x[:, row : row + 3, column : column + 3].reshape(2, 27)
            np.testing.assert_allclose(found[:, row, column], dense(window), atol=1e-5)


def test_a_small_map_is_refused():
    with pytest.raises(ValueError, match=r"`window`.*\[2, 5\].*Received: window=3"):
        SlidingDense(4, 3)(np.zeros((1, 2, 5, 1)))


@pytest.mark.parametrize("window", [None, 4])
def test_layers_and_their_laws(window):
    inputs = keras.Input((4, 4, 2))
    y = fully_connected(inputs, (5, 3), 0.2, window, "ones", keras.initializers.Constant(2))
    model = keras.Model(inputs, y)
    weighted = [layer for layer in model.layers if layer.weights]
    assert [layer.name for layer in weighted] == ["fc1", "fc2"]
    assert [layer.kernel.shape for layer in weighted] == [(32, 5), (5, 3)]
    for layer in weighted:
        assert layer.activation is keras.activations.relu
        assert np.all(np.asarray(layer.kernel) == 1)
        assert np.all(np.asarray(layer.bias) == 2)
        assert model.get_layer(f"{layer.name}_dropout").rate == 0.2
