"""The criteria of LeNet-5: a small penalty for the right class, large ones for all others.

LeCun, Bottou, Bengio, Haffner. Gradient-Based Learning Applied to Document Recognition.
Proceedings of the IEEE 1998. http://yann.lecun.com/exdb/publis/pdf/lecun-98.pdf

    y_right                                      equation 8: maximum likelihood
    y_right + log(e^-j + sum_i e^-y_i)           equation 9: maximum a posteriori
"""

import keras
from keras import ops

from keras_arch.errors import invalid
from keras_arch.registry import register


@register(
    paper="Gradient-Based Learning Applied to Document Recognition",
    authors="LeCun, Bottou, Bengio, Haffner",
    year=1998,
    url="http://yann.lecun.com/exdb/publis/pdf/lecun-98.pdf",
    journal="Proceedings of the IEEE",
    tiny={"plain": {"rubbish": 5.0}, "likelihood": {"rubbish": None}},
    inputs=(keras.layers.InputSpec("int32", (None,)), keras.layers.InputSpec(shape=(None, 3))),
)
class MaximumAPosteriori(keras.losses.Loss):
    """Loss of scores that are penalties times -1, as ``layers.RBFOutput`` gives them.

    A class of rubbish has the constant penalty ``rubbish``: classes whose penalty is far
    above it are not pushed away any further. Without it (infinity) what remains is the
    cross-entropy of a softmax; the smaller it is, the less classes compete.

    Args:
        rubbish: The paper's ``j``; ``None`` leaves out the whole second term, and the loss
            is the squared distance to the code of the right class.
        reduction: As in ``keras.losses.Loss``.
        name: Name of the loss.
        dtype: As in ``keras.losses.Loss``.

    Raises:
        ValueError: If ``rubbish`` is not positive.

    Example:

    >>> scores = keras.ops.array([[-3.0, -50.0]])
    >>> float(MaximumAPosteriori(rubbish=None)([0], scores))
    3.0
    >>> round(float(MaximumAPosteriori(rubbish=3.0)([0], scores)), 4)  # log 2
    0.6931
    """

    def __init__(
        self,
        rubbish: float | None = 2.0,
        reduction: str | None = "sum_over_batch_size",
        name: str = "maximum_a_posteriori",
        dtype: str | None = None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        if rubbish is not None and rubbish <= 0:
            raise invalid("rubbish", "`None` or a positive penalty", rubbish)
        self.rubbish = rubbish

    def call(self, y_true, y_pred):
        labels = ops.reshape(ops.cast(y_true, "int32"), ops.shape(y_pred)[:-1])
        right = ops.sum(ops.one_hot(labels, y_pred.shape[-1]) * y_pred, axis=-1)
        if self.rubbish is None:
            return -right
        return ops.logaddexp(ops.logsumexp(y_pred, axis=-1), -self.rubbish) - right

    def get_config(self):
        return {**super().get_config(), "rubbish": self.rubbish}
