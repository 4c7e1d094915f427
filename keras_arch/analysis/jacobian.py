"""How the outputs of a network answer to its inputs: the Jacobian, and its moments.

Hanin. Which Neural Net Architectures Give Rise to Exploding and Vanishing Gradients?
NeurIPS 2018. https://arxiv.org/abs/1801.03744
"""

from typing import Any, NamedTuple

import keras
import numpy as np

from keras_arch.analysis.redrawn import redrawn
from keras_arch.errors import invalid


def jacobian(model: keras.Model, batch: Any) -> np.ndarray:
    """Return the derivative of each output by each input, example by example.

    Args:
        model: A built model of one input and one output, whose examples do not depend on
            one another; normalization works as at inference.
        batch: Inputs, ``(B, ...)``.

    Returns:
        An array ``(B, outputs, inputs)``, both flattened.

    Raises:
        ValueError: If the model has several inputs or outputs.

    Example:

    >>> inputs = keras.Input((3,))
    >>> model = keras.Model(inputs, keras.layers.Dense(2)(inputs))
    >>> jacobian(model, np.ones((5, 3))).shape
    (5, 2, 3)
    """
    return _differentiated(model)(batch)


def _differentiated(model):
    """A function from a batch to the Jacobians; it follows the weights of the model."""
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise invalid("model", "one of one input and one output", model)
    derivative = _derivative(model)

    def differentiated(batch):
        x = keras.ops.convert_to_tensor(batch, dtype=model.inputs[0].dtype)
        found = keras.ops.convert_to_numpy(derivative(x))
        return found.reshape(x.shape[0], -1, int(np.prod(x.shape[1:])))

    return differentiated


def _derivative(model):
    if keras.backend.backend() == "jax":
        import jax

        def one(example):
            return model(example[None], training=False)[0]

        return jax.vmap(jax.jacrev(one))
    import tensorflow as tf

    @tf.function(autograph=False)
    def whole(x):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(x)
            y = tf.reshape(model(x, training=False), (tf.shape(x)[0], -1))
        return tape.batch_jacobian(y, x)

    return whole


class Moments(NamedTuple):
    """Means over the entries of Jacobians.

    Attributes:
        mean: Of the entries.
        second: Of their squares.
        fourth: Of their fourth powers.
        kurtosis: ``fourth / second**2``: 3 of a Gaussian; how unlike the gradients of two
            networks of one law are.
        entries: How many were averaged.
    """

    mean: float
    second: float
    fourth: float
    kurtosis: float
    entries: int


def jacobian_moments(
    model: keras.Model, batch: Any, draws: int | None = None, seed: int = 0
) -> Moments:
    """Return the moments of the entries of the input-output Jacobian.

    Args:
        model: A built model of one input and one output; it is left as it is.
        batch: Inputs, ``(B, ...)``.
        draws: Of how many networks, with weights drawn again; ``None`` takes the model's
            own. The fourth power has heavy tails: moments of a law take thousands of
            draws, and more, the deeper and thinner the network is.
        seed: Decides the weights of the draws.

    Returns:
        ``Moments``.

    Raises:
        ValueError: If the model has several inputs or outputs, or ``draws`` is not positive.

    Example:

    >>> inputs = keras.Input((4,))
    >>> ones = keras.layers.Dense(2, kernel_initializer="ones")(inputs)
    >>> jacobian_moments(keras.Model(inputs, ones), np.zeros((1, 4)))
    Moments(mean=1.0, second=1.0, fourth=1.0, kurtosis=1.0, entries=8)
    """
    if draws is not None and draws < 1:
        raise invalid("draws", "a positive number, or None", draws)
    rng = np.random.default_rng(seed)
    network = model if draws is None else redrawn(model, rng)
    differentiated = _differentiated(network)
    sums, entries = np.zeros(3), 0
    for draw in range(draws or 1):
        if draw > 0:
            network.set_weights(redrawn(model, rng).get_weights())
        values = differentiated(batch).astype("float64")
        sums += [(values**power).sum() for power in (1, 2, 4)]
        entries += values.size
    mean, second, fourth = (float(value) for value in sums / entries)
    kurtosis = fourth / second**2 if second else float("nan")
    return Moments(mean, second, fourth, kurtosis, entries)
