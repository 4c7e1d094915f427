"""Dirac kernels: a convolution that begins as the identity.

Zagoruyko, Komodakis. DiracNets: Training Very Deep Neural Networks Without Skip-Connections.
2017. https://arxiv.org/abs/1706.00388

    a one at the centre of the window from channel i to channel i, zeros elsewhere

For a matrix it is ``keras.initializers.Identity``.
"""

from collections.abc import Sequence

import keras
import numpy as np
from keras import initializers, ops

from keras_arch.errors import invalid
from keras_arch.registry import register


@register(
    paper="DiracNets: Training Very Deep Neural Networks Without Skip-Connections",
    authors="Zagoruyko, Komodakis",
    year=2017,
    url="https://arxiv.org/abs/1706.00388",
    reference="torch",
    tiny={"plain": {"gain": 0.5}, "groups": {"groups": 2}},
)
class Dirac(initializers.Initializer):
    """Initializer of convolutions that give back their input.

    With ``padding="same"`` and stride 1. As many channels come through as both ends have:
    further outputs are zero, further inputs unheard.

    Args:
        gain: The one at the centre.
        groups: Groups of the convolution, each of which begins as the identity. A
            depthwise kernel ``(k, k, channels, 1)`` is the transposed one of as many
            groups: give ``"depthwise"``.

    Raises:
        ValueError: If ``groups`` is none of these; when called for another shape than
            ``(*window, channels_in, channels_out)`` of a 1-D, 2-D or 3-D convolution
            whose outputs its groups share evenly.

    Example:

    >>> layer = keras.layers.Conv2D(3, 5, padding="same", kernel_initializer=Dirac())
    >>> image = keras.random.normal((1, 8, 8, 3), seed=0)
    >>> bool(keras.ops.all(layer(image) == image))
    True
    """

    def __init__(self, gain: float = 1.0, groups: int | str = 1):
        if groups != "depthwise" and not (isinstance(groups, int) and groups > 0):
            raise invalid("groups", 'a positive integer or "depthwise"', groups)
        self.gain = gain
        self.groups = groups

    def __call__(self, shape: Sequence[int], dtype: str | None = None):
        depthwise = self.groups == "depthwise"
        groups = 1 if depthwise else int(self.groups)
        if len(shape) not in (3, 4, 5) or shape[-1] % groups:
            expected = "(*window, channels_in, channels_out) of a 1-D, 2-D or 3-D convolution"
            expected += f" of {groups} groups" if groups > 1 else ""
            raise invalid("shape", expected, tuple(shape))
        *window, inputs, outputs = shape
        kernel = np.zeros(shape)
        centre = kernel[tuple((size - 1) // 2 for size in window)]  # of padding="same"
        if depthwise:
            centre[:, 0] = self.gain
        else:
            each = outputs // groups
            for unit in range(min(inputs, each)):
                centre[unit, unit::each] = self.gain
        return ops.convert_to_tensor(kernel, dtype or keras.config.floatx())

    def get_config(self):
        return {"gain": self.gain, "groups": self.groups}
