"""A border of any constant: what lies beyond the edge is background, which is not always zero.

LeCun, Boser, Denker, Henderson, Howard, Hubbard, Jackel. Backpropagation Applied to
Handwritten Zip Code Recognition. Neural Computation 1989.
https://doi.org/10.1162/neco.1989.1.4.541
"""

from typing import Any

from keras import layers

from keras_arch.registry import register


@register(
    paper="Backpropagation Applied to Handwritten Zip Code Recognition",
    authors="LeCun, Boser, Denker, Henderson, Howard, Hubbard, Jackel",
    year=1989,
    url="https://doi.org/10.1162/neco.1989.1.4.541",
    journal="Neural Computation",
    tiny={"plain": {"padding": ((1, 0), (2, 1)), "value": -1.0}},
    inputs=(layers.InputSpec(shape=(None, 4, 5, 2)),),
)
class ConstantPadding2D(layers.ZeroPadding2D):
    """Keras's ``ZeroPadding2D`` with another constant.

    Args:
        padding: Rows and columns that are added, as ``ZeroPadding2D`` takes them.
        value: What they hold.
        **kwargs: ``name``, ``dtype`` and so on of ``keras.layers.Layer``.

    Call arguments:
        inputs: Features of shape ``(B, H, W, C)``.

    Returns:
        Features of shape ``(B, above + H + below, left + W + right, C)``.

    Example:

    >>> ConstantPadding2D(1, value=-1.0)(keras.ops.zeros((1, 1, 1, 1)))[0, :, :, 0].numpy()
    array([[-1., -1., -1.],
           [-1.,  0., -1.],
           [-1., -1., -1.]], dtype=float32)
    """

    def __init__(
        self,
        padding: int | tuple[int, int] | tuple[tuple[int, int], tuple[int, int]] = 1,
        value: float = 0.0,
        **kwargs: Any,
    ):
        super().__init__(padding, **kwargs)
        self.value = value

    def call(self, inputs):
        return super().call(inputs - self.value) + self.value

    def get_config(self):
        return {**super().get_config(), "value": self.value}
