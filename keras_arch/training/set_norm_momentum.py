"""The one way to change the momentum of a model's normalization."""

import keras

from keras_arch.errors import invalid


def set_norm_momentum(model: keras.Model, momentum: float) -> None:
    """Set the momentum of every batch normalization of a model, nested ones too.

    The moving statistics of a short training lag behind with the 0.99 of Keras: after 128
    steps a quarter of their initial value is left. Under 2,000 steps use 0.9. Call it
    before the first training step.

    Args:
        model: Any model; its weights stay as they are.
        momentum: In ``[0, 1)``; the share of the old statistics that a step keeps.

    Raises:
        ValueError: If the momentum is outside.

    Example:

    >>> model = keras_arch.models.DenseNet121(input_shape=(32, 32, 3))
    >>> keras_arch.training.set_norm_momentum(model, 0.9)
    >>> model.get_layer("stem_bn").momentum
    0.9
    """
    if not 0 <= momentum < 1:
        raise invalid("momentum", "a number in [0, 1)", momentum)
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = momentum
