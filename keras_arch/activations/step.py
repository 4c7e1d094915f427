"""The binary step: a unit fires, or it does not.

Rosenblatt. The Perceptron: A Probabilistic Model for Information Storage and Organization in
the Brain. Psychological Review 1958. https://doi.org/10.1037/h0042519
"""

import keras
from keras import ops

from keras_arch.registry import register


@register(
    paper="The Perceptron: A Probabilistic Model for Information Storage and Organization in "
    "the Brain",
    authors="Rosenblatt",
    year=1958,
    url="https://doi.org/10.1037/h0042519",
    journal="Psychological Review",
)
@keras.saving.register_keras_serializable("keras_arch.activations")
def step(x: keras.KerasTensor) -> keras.KerasTensor:
    """One above zero, else zero; no gradient passes.

    Args:
        x: A tensor.

    Returns:
        A tensor of zeros and ones of the same shape and dtype.

    Example:

    >>> step(keras.ops.array([-2.0, 0.0, 0.5])).numpy()
    array([0., 0., 1.], dtype=float32)
    """
    return ops.cast(x > 0, x.dtype)
