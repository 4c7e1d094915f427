"""The same network with other random weights, each from its own initializer."""

from typing import Any

import keras
import numpy as np

from keras_arch.errors import invalid


def redrawn(model: keras.Model, seed: int | np.random.Generator = 0) -> keras.Model:
    """Return a new model of the same configuration, with weights drawn again.

    Args:
        model: A functional or Sequential model; it is left as it is.
        seed: What ``numpy.random.default_rng`` takes. It decides every weight: seeds in
            the configuration, which would give the same weights again, are replaced.

    Raises:
        ValueError: If the model has no configuration to build it from.

    Example:

    >>> inputs = keras.Input((3,))
    >>> model = keras.Model(inputs, keras.layers.Dense(2, kernel_initializer="he_normal")(inputs))
    >>> redrawn(model, seed=1).count_params() == model.count_params()
    True
    """
    if not isinstance(model, keras.Sequential) and not getattr(model, "outputs", None):
        raise invalid("model", "a functional or Sequential model", model)
    rng = np.random.default_rng(seed)

    def reseeded(config: Any) -> Any:
        if isinstance(config, dict):
            return {
                key: int(rng.integers(2**31)) if key == "seed" else reseeded(value)
                for key, value in config.items()
            }
        if isinstance(config, list | tuple):
            return type(config)(reseeded(value) for value in config)
        return config

    other = type(model).from_config(reseeded(model.get_config()))
    if not other.built:
        other.build(model.input_shape)
    return other
