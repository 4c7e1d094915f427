"""GAN: the authors' pair for MNIST, and the pieces of the two networks."""

import numpy as np
import pytest

import keras_arch
from keras_arch.losses import Minimax, NonSaturating
from keras_arch.models import GAN

TINY = {"latent": 3, "widths": (8,), "shape": (4, 4, 1), "pieces": 2}


def test_the_pair_of_the_paper():
    """Twice 1200 rectified units against twice 240 maxout units of 5 pieces."""
    model = keras_arch.create("GANMNIST")
    generator = (100 + 1) * 1200 + (1200 + 1) * 1200 + (1200 + 1) * 784
    discriminator = (784 + 1) * 240 * 5 + (240 + 1) * 240 * 5 + (240 + 1)
    assert model.generator.count_params() == generator
    assert model.discriminator.count_params() == discriminator
    assert model.count_params() == generator + discriminator == 3_735_425
    rates = {
        layer.name: layer.rate
        for layer in model.discriminator.layers
        if layer.name.endswith("dropout")
    }
    assert rates == {"block1_dropout": 0.2, "block2_dropout": 0.5, "head_dropout": 0.5}


def test_maxout_is_the_maximum_over_groups_of_linear_units():
    model = GAN(**{**TINY, "widths": (6,), "pieces": 3}).discriminator
    x = np.random.default_rng(0).normal(size=(5, 4, 4, 1)).astype("float32")
    dense, head = model.get_layer("block1_dense"), model.get_layer("head")
    linear = x.reshape(5, 16) @ dense.kernel.numpy() + dense.bias.numpy()
    units = linear.reshape(5, 3, 2).max(axis=1)
    expected = units @ head.kernel.numpy() + head.bias.numpy()
    np.testing.assert_allclose(model(x), expected, atol=1e-5)


@pytest.mark.parametrize(("activation", "outside"), [("sigmoid", False), (None, True)])
def test_the_last_activation_bounds_the_samples(activation, outside):
    model = GAN(**TINY, activation=activation)
    samples = np.array(model(100 * np.random.default_rng(0).normal(size=(8, 3))))
    assert samples.shape == (8, 4, 4, 1)
    assert ((samples < 0).any() or (samples > 1).any()) == outside


def test_samples_may_be_vectors():
    model = GAN(latent=2, widths=(8,), shape=(2,), pieces=2, activation=None)
    assert model.generator.output_shape == model.discriminator.input_shape == (None, 2)


def test_the_discriminator_mirrors_the_generator():
    model = GAN(**{**TINY, "widths": (4, 8)})
    assert [model.generator.get_layer(f"block{i}").units for i in (1, 2)] == [4, 8]
    assert [model.discriminator.get_layer(f"block{i}_dense").units for i in (1, 2)] == [8, 4]


def test_games():
    assert type(GAN(**TINY).game) is NonSaturating
    assert type(GAN(**TINY, loss="Minimax").game) is Minimax
    with pytest.raises(ValueError, match=r"losses.*NonSaturating"):
        GAN(**TINY, loss="nonsaturatin")


def test_widths_are_multiples_of_the_pieces():
    with pytest.raises(ValueError, match=r"`widths`.*multiples of 3"):
        GAN(**{**TINY, "pieces": 3})
