"""Orthonormality: filters that are at right angles to each other, and of length one.

Xie, Xiong, Pu. All You Need is Beyond a Good Init: Exploring Better Solution for Training
Extremely Deep Convolutional Neural Networks with Orthonormality and Modulation. CVPR 2017.
https://arxiv.org/abs/1703.01827

    rate / 2 * ||W' W - I||^2        its gradient: 2 * rate * W (W' W - I)
"""

from typing import Any

from keras import ops, regularizers

from keras_arch.errors import invalid
from keras_arch.registry import register


@register(
    paper="All You Need is Beyond a Good Init: Exploring Better Solution for Training "
    "Extremely Deep Convolutional Neural Networks with Orthonormality and Modulation",
    authors="Xie, Xiong, Pu",
    year=2017,
    url="https://arxiv.org/abs/1703.01827",
    venue="CVPR",
    tiny={"plain": {"rate": 0.1}},
)
class Orthonormality(regularizers.Regularizer):
    """Penalty on what a kernel lacks to having orthonormal columns, one for each output.

    ``W`` is the kernel as a matrix, ``(fan-in, outputs)``, so that the error that passes
    back through it keeps its size. Of a kernel with more outputs than inputs, where the
    columns cannot all be at right angles, it asks that of the rows. Steps of gradient
    descent bring every singular value to 1, if it is above 0 and ``2 * rate * learning_rate``
    well below 1.

    Args:
        rate: Weight of the penalty.

    Raises:
        ValueError: If the rate is negative, or the variable is no kernel.

    Example:

    >>> float(Orthonormality(0.5)(2.0 * keras.ops.eye(3)))
    6.75
    """

    def __init__(self, rate: float = 1e-4):
        if not rate >= 0:
            raise invalid("rate", "a weight of at least 0", rate)
        self.rate = rate

    def __call__(self, x: Any) -> Any:
        if len(x.shape) < 2:
            raise invalid("x", "a kernel, of two dimensions or more", tuple(x.shape))
        w = ops.reshape(x, (-1, x.shape[-1]))
        if w.shape[0] < w.shape[1]:
            w = ops.transpose(w)
        gram = ops.matmul(ops.transpose(w), w)
        return self.rate / 2 * ops.sum((gram - ops.eye(w.shape[1], dtype=gram.dtype)) ** 2)

    def get_config(self):
        return {"rate": self.rate}
