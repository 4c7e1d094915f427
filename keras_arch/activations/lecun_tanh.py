"""The scaled hyperbolic tangent of LeNet.

LeCun, Bottou, Bengio, Haffner. Gradient-Based Learning Applied to Document Recognition.
Proceedings of the IEEE 1998. http://yann.lecun.com/exdb/publis/pdf/lecun-98.pdf
"""

import keras
from keras import ops

from keras_arch.registry import register


@register(
    paper="Gradient-Based Learning Applied to Document Recognition",
    authors="LeCun, Bottou, Bengio, Haffner",
    year=1998,
    url="http://yann.lecun.com/exdb/publis/pdf/lecun-98.pdf",
    journal="Proceedings of the IEEE",
)
@keras.saving.register_keras_serializable("keras_arch.activations")
def lecun_tanh(x: keras.KerasTensor) -> keras.KerasTensor:
    """Scaled hyperbolic tangent, ``1.7159 tanh(2x / 3)``.

    It maps 1 to 1 and -1 to -1, where its curvature is largest, so that targets of plus
    and minus one lie inside its range and units work away from saturation.

    Args:
        x: A tensor.

    Returns:
        A tensor of the same shape and dtype, between -1.7159 and 1.7159.

    Example:

    >>> [round(float(y), 4) for y in lecun_tanh(keras.ops.array([-1.0, 0.0, 1.0]))]
    [-1.0, 0.0, 1.0]
    """
    return 1.7159 * ops.tanh(2.0 / 3.0 * x)
