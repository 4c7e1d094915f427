"""Contrastive loss: pull pairs of a kind together, push others apart up to a margin.

Hadsell, Chopra, LeCun. Dimensionality Reduction by Learning an Invariant Mapping.
CVPR 2006. http://yann.lecun.com/exdb/publis/pdf/hadsell-chopra-lecun-06.pdf

    (1 - y) d^2 / 2  +  y max(0, margin - d)^2 / 2
"""

import keras
from keras import ops

from keras_arch.errors import invalid
from keras_arch.registry import register


@register(
    paper="Dimensionality Reduction by Learning an Invariant Mapping",
    authors="Hadsell, Chopra, LeCun",
    year=2006,
    url="http://yann.lecun.com/exdb/publis/pdf/hadsell-chopra-lecun-06.pdf",
    venue="CVPR",
    tiny={"plain": {"margin": 2.0}},
    inputs=(keras.layers.InputSpec("int32", (None, 1)), keras.layers.InputSpec(shape=(None, 1))),
)
class Contrastive(keras.losses.Loss):
    """Loss of a distance, where the target says whether the pair differs.

    As in the paper the target is 0 for a pair of a kind and 1 for one that differs, so that
    a large distance stands for 1. Many programs have it the other way round.

    Args:
        margin: Distance at which pairs that differ are left alone.
        reduction: As in ``keras.losses.Loss``.
        name: Name of the loss.
        dtype: As in ``keras.losses.Loss``.

    Raises:
        ValueError: If the margin is not positive.

    Example:

    >>> distances = keras.ops.array([[0.5], [0.5], [3.0]])
    >>> float(Contrastive(margin=1.0, reduction="sum")([[0], [1], [1]], distances))
    0.25
    """

    def __init__(
        self,
        margin: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str = "contrastive",
        dtype: str | None = None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        if margin <= 0:
            raise invalid("margin", "a positive distance", margin)
        self.margin = margin

    def call(self, y_true, y_pred):
        y = ops.cast(ops.reshape(y_true, ops.shape(y_pred)), y_pred.dtype)
        near = ops.square(y_pred)
        far = ops.square(ops.maximum(self.margin - y_pred, 0))
        return ops.mean((1 - y) * near + y * far, axis=-1) / 2

    def get_config(self):
        return {**super().get_config(), "margin": self.margin}
