"""Highway networks begin as the identity: their gates are nearly shut.

Srivastava, Greff, Schmidhuber. Training Very Deep Networks.
NIPS 2015. https://arxiv.org/abs/1507.06228

    y = T H(x) + (1 - T) x,   T = sigmoid(W x + b)   b = -1 ... -4:  T = .27 .12 .047 .018
"""

import keras

from keras_arch.errors import invalid


def gate_biases(model: keras.Model, value: float = -2.0) -> list[str]:
    """Set every weight of a built model that is named ``gate_bias``.

    The more negative, the less a layer changes its input at first: the deeper the network,
    the more negative it should be.

    Args:
        model: A built model or layer.
        value: The bias of all gates.

    Returns:
        Paths of the biases that were set.

    Raises:
        ValueError: If there is none.

    Example:

    >>> inputs = keras.Input((4,))
    >>> gate_biases(keras.Model(inputs, keras.layers.Dense(4)(inputs)))
    Traceback (most recent call last):
    ...
    ValueError: Invalid value for argument `model`. Expected one with weights named `gate_bias`...
    """
    found = [variable for variable in model.trainable_variables if variable.name == "gate_bias"]
    for variable in found:
        variable.assign(value * keras.ops.ones_like(variable))
    if not found:
        raise invalid("model", "one with weights named `gate_bias`", model)
    return [variable.path for variable in found]
