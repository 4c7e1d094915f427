"""Functions drawn from the prior that an architecture and its initializers are.

Neal. Bayesian Learning for Neural Networks. Springer 1996.
https://doi.org/10.1007/978-1-4612-0745-0
"""

from typing import Any

import keras
import numpy as np

from keras_arch.analysis.redrawn import redrawn


def prior_samples(model: keras.Model, inputs: Any, samples: int = 8, seed: int = 0) -> np.ndarray:
    """Return what a network of random weights answers, for several draws of them.

    Before it has learned, a network is a random function; its architecture and the law of
    its weights say which functions are likely: how smooth, how large, how much alike for
    inputs that are alike. A wide one is a Gaussian process.

    Args:
        model: A functional or Sequential model of one output; it is left as it is.
        inputs: What the model takes, ``(B, ...)``.
        samples: Number of functions.
        seed: Decides every weight.

    Returns:
        An array ``(samples, B, ...)``.

    Raises:
        ValueError: If the model has no configuration to build it from.

    Example:

    >>> inputs = keras.Input((1,))
    >>> x = keras.layers.Dense(50, "tanh")(inputs)
    >>> model = keras.Model(inputs, keras.layers.Dense(1)(x))
    >>> prior_samples(model, np.linspace(-1, 1, 20)[:, None], samples=5).shape
    (5, 20, 1)
    """
    rng = np.random.default_rng(seed)
    return np.stack(
        [
            keras.ops.convert_to_numpy(redrawn(model, rng)(inputs, training=False))
            for _ in range(samples)
        ]
    )
