"""Highway networks begin as the identity: their gates are nearly shut.

Srivastava, Greff, Schmidhuber. Training Very Deep Networks.
NIPS 2015. https://arxiv.org/abs/1507.06228

    y = T H(x) + (1 - T) x,   T = sigmoid(W x + b)   b = -1 ... -4:  T = .27 .12 .047 .018
"""

import keras

from keras_arch.errors import invalid


def gate_biases(model: keras.Model, value: float = -2.0) -> list[str]:
    """Set the gate biases of every highway layer of a built model.

    A highway layer is one that has a layer ``gate``, which makes the gate, and says by an
    attribute ``gate_bias`` what its bias was at first, as ``HighwayDense`` does. The more
    negative, the less a layer changes its input: the deeper the network, the more negative.

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
    ValueError: Invalid value for argument `model`. Expected one with highway layers...
    """
    found = [
        layer.gate.bias
        for layer in model._flatten_layers()
        if hasattr(layer, "gate_bias") and isinstance(layer.gate, keras.layers.Layer)
    ]
    if not found:
        raise invalid("model", "one with highway layers", model)
    for bias in found:
        bias.assign(keras.ops.full(bias.shape, value, bias.dtype))
    return [bias.path for bias in found]
