"""One small uniform law for every weight, as the sequence-to-sequence LSTMs had.

Sutskever, Vinyals, Le. Sequence to Sequence Learning with Neural Networks.
NIPS 2014. https://arxiv.org/abs/1409.3215

    U[-0.08, 0.08]   the paper's, and that of the controller of neural architecture search
    U[-0.05, 0.05]   the common one; it is what ``keras.initializers.RandomUniform`` draws

The law knows no fan-in: a linear layer of ``n`` inputs multiplies the variance of a signal
by ``n limit^2 / 3``.
"""

import keras
from keras import initializers

from keras_arch.errors import invalid
from keras_arch.registry import register


@register(
    paper="Sequence to Sequence Learning with Neural Networks",
    authors="Sutskever, Vinyals, Le",
    year=2014,
    url="https://arxiv.org/abs/1409.3215",
    venue="NIPS",
    tiny={"plain": {}, "paper": {"limit": 0.08}},
)
class Seq2SeqUniform(initializers.RandomUniform):
    """Uniform within ``limit``, for weights of any shape: kernels, embeddings and biases.

    Args:
        limit: The largest weight; 0.08 in the paper.
        seed: An integer (each call draws the same numbers) or a
            ``keras.random.SeedGenerator`` (each call draws others).

    Raises:
        ValueError: If ``limit`` is not positive.

    Example:

    >>> kernel = Seq2SeqUniform(0.08, seed=0)((1000, 1000))
    >>> round(float(keras.ops.std(kernel)), 4)  # 0.08 / sqrt(3)
    0.0462
    """

    def __init__(self, limit: float = 0.05, seed: int | keras.random.SeedGenerator | None = None):
        if limit <= 0:
            raise invalid("limit", "a positive number", limit)
        super().__init__(-limit, limit, seed)
        self.limit = limit

    def get_config(self):
        return {"limit": self.limit, "seed": super().get_config()["seed"]}
