"""The losses of a game: closed forms, and the cross-entropies that Keras has."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_arch.losses import Minimax, NonSaturating

GAMES = [Minimax, NonSaturating]
LOGITS = np.random.default_rng(0).normal(scale=3.0, size=(2, 16, 1)).astype("float32")


def cross_entropy(label, logits):
    entropy = keras.losses.BinaryCrossentropy(from_logits=True)
    return float(entropy(np.full_like(logits, label), logits))


@pytest.mark.parametrize("game", GAMES)
def test_the_discriminator_minimises_the_cross_entropy_of_real_and_fake(game):
    on_real, on_fake = LOGITS
    expected = cross_entropy(1, on_real) + cross_entropy(0, on_fake)
    assert float(game().discriminator(on_real, on_fake)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("game", GAMES)
def test_an_undecided_discriminator_loses_two_log_two(game):
    zeros = np.zeros((8, 1), "float32")
    assert float(game().discriminator(zeros, zeros)) == pytest.approx(2 * np.log(2))


def test_generators_minimise_cross_entropies_of_either_label():
    _, on_fake = LOGITS
    assert float(NonSaturating().generator(on_fake)) == pytest.approx(cross_entropy(1, on_fake))
    assert float(Minimax().generator(on_fake)) == pytest.approx(-cross_entropy(0, on_fake))


def test_minimax_is_a_game_of_sum_zero():
    on_real, on_fake = LOGITS
    value = float(Minimax().discriminator(on_real, on_fake)) + float(Minimax().generator(on_fake))
    assert value == pytest.approx(cross_entropy(1, on_real), rel=1e-6)  # no part of G's


@pytest.mark.parametrize("logit", [-30.0, -4.0, 0.0, 4.0])
def test_gradients_are_those_of_the_closed_form(logit):
    on_fake = tf.Variable([[logit]])
    judged = 1 / (1 + np.exp(-logit))  # D(G(z))
    for game, expected in ((Minimax(), -judged), (NonSaturating(), judged - 1)):
        with tf.GradientTape() as tape:
            loss = game.generator(on_fake)
        assert float(tape.gradient(loss, on_fake)[0, 0]) == pytest.approx(expected, abs=1e-6)


def test_the_best_discriminator_is_p_by_p_plus_q():
    """Logits on a finite set, by gradient descent: D -> p / (p + q), V -> 2 JSD - log 4."""
    p, q = np.array([0.5, 0.3, 0.15, 0.05]), np.array([0.1, 0.2, 0.3, 0.4])
    real = np.repeat(np.arange(4), (20 * p).round().astype(int))
    fake = np.repeat(np.arange(4), (20 * q).round().astype(int))
    logits = tf.Variable(np.zeros(4))
    for _ in range(2000):
        with tf.GradientTape() as tape:
            loss = Minimax().discriminator(tf.gather(logits, real), tf.gather(logits, fake))
        logits.assign_sub(2.0 * tf.convert_to_tensor(tape.gradient(loss, logits)))
    np.testing.assert_allclose(ops.sigmoid(logits), p / (p + q), atol=1e-4)
    middle = (p + q) / 2
    divergence = (p * np.log(p / middle)).sum() / 2 + (q * np.log(q / middle)).sum() / 2
    assert -float(loss) == pytest.approx(2 * divergence - np.log(4), abs=1e-5)


@pytest.mark.parametrize("game", GAMES)
def test_they_are_stored_by_name(game):
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(game()))
    assert type(again) is game
