"""Classes as fixed codes: the nearest code wins.

LeCun, Bottou, Bengio, Haffner. Gradient-Based Learning Applied to Document Recognition.
Proceedings of the IEEE 1998. http://yann.lecun.com/exdb/publis/pdf/lecun-98.pdf
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from keras import activations, initializers, layers, ops

from keras_arch.registry import register

DIGITS = """
.#####. ...##.. .#####. .#####. .....## ####### ..####. ####### .#####. .#####.
##...## ..###.. ##...## ##...## ....### ##..... .##...# ##...## ##...## ##...##
##...## .####.. ##...## .....## ...#### ##..... ##..... .....## ##...## ##...##
##...## ...##.. .....## .....## ..##.## ##..... ##..... ....##. ##...## ##...##
##...## ...##.. ....##. .....## .##..## ######. ##..... ....##. .##.##. ##...##
##...## ...##.. ...##.. ..####. ##...## .....## ######. ...##.. ..###.. .######
##...## ...##.. ..##... .....## ##...## .....## ##...## ...##.. .##.##. .....##
##...## ...##.. .##.... .....## ####### .....## ##...## ..##... ##...## .....##
##...## ...##.. ##..... .....## .....## .....## ##...## ..##... ##...## .....##
##...## ...##.. ##..... ##...## .....## ##...## ##...## .##.... ##...## #...##.
.#####. .###### ####### .#####. .....## .#####. .#####. .##.... .#####. .####..
....... ....... ....... ....... ....... ....... ....... ....... ....... .......
"""


def digit_codes() -> np.ndarray:
    """The drawn digits, ink as 1 and white as -1: ``(84, 10)``."""
    ink = [[[dot == "#" for dot in digit] for digit in row.split()] for row in DIGITS.split("\n")]
    drawn = np.array(ink[1:-1])  # row, digit, column
    return np.where(drawn, 1.0, -1.0).transpose(0, 2, 1).reshape(84, 10)


@register(
    paper="Gradient-Based Learning Applied to Document Recognition",
    authors="LeCun, Bottou, Bengio, Haffner",
    year=1998,
    url="http://yann.lecun.com/exdb/publis/pdf/lecun-98.pdf",
    journal="Proceedings of the IEEE",
    tiny={"plain": {"units": 3}},
    inputs=(layers.InputSpec(shape=(None, 5)),),
)
class RBFOutput(layers.Layer):
    """Euclidean radial basis functions, ``activation(-sum((x - code) ** 2))``.

    The paper's unit gives the squared distance itself, a penalty that is small for the
    right class and, up to a constant, the negative log-likelihood of a Gaussian around the
    class's code. Here it carries the minus sign, as a logit: the largest is the best
    class, and softmax turns the distances into the posterior of those Gaussians.

    The codes are fixed: no gradient moves them. For ten classes of 84 features they are
    pictures of the ten digits on 7x12 pixels, ink 1 and white -1, as in the paper (drawn
    anew), so that digits that look alike have codes that are near. For other sizes they are
    random, of plus and minus one, which the paper names too.

    Args:
        units: Number of classes.
        activation: Activation of the output.
        kernel_initializer: Law of the codes, instead of the above.
        seed: Of random codes, which are the same in every model.
        **kwargs: ``name``, ``dtype`` and so on of ``keras.layers.Layer``.

    Call arguments:
        inputs: Features of shape ``(B, F)``.

    Returns:
        Scores of shape ``(B, units)``, none above zero without an activation.

    Example:

    >>> layer = RBFOutput(10)
    >>> layer(keras.ops.zeros((1, 84)))[0, 0].numpy()
    np.float32(-84.0)
    """

    def __init__(
        self,
        units: int,
        activation: str | Callable | None = None,
        kernel_initializer: str | Callable | None = None,
        seed: int = 0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.units = units
        self.activation = activations.get(activation)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.seed = seed

    def build(self, input_shape):
        def codes(shape, dtype=None):
            if shape == (84, 10):
                return ops.convert_to_tensor(digit_codes(), dtype)
            return ops.sign(initializers.RandomUniform(-1.0, 1.0, self.seed)(shape, dtype))

        self.kernel = self.add_weight(
            shape=(input_shape[-1], self.units),
            initializer=self.kernel_initializer or codes,
            trainable=False,
            name="kernel",
        )

    def call(self, inputs):
        offsets = ops.expand_dims(inputs, -1) - self.kernel
        return self.activation(-ops.sum(ops.square(offsets), axis=-2))

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "seed": self.seed,
        }
