"""The non-saturating game: the generator maximises what it could not minimise.

Goodfellow, Pouget-Abadie, Mirza, Xu, Warde-Farley, Ozair, Courville, Bengio. Generative
Adversarial Networks. NIPS 2014. https://arxiv.org/abs/1406.2661

Section 3: ``-log D(G(z))`` in place of ``log(1 - D(G(z)))``. Both have one fixed point, and
the gradient by the logit is ``D(G(z)) - 1`` in place of ``-D(G(z))``: strong where the
generator still is bad.
"""

import keras
from keras import ops

from keras_arch.losses.minimax import Minimax
from keras_arch.registry import register


@register(
    paper="Generative Adversarial Networks",
    authors="Goodfellow, Pouget-Abadie, Mirza, Xu, Warde-Farley, Ozair, Courville, Bengio",
    year=2014,
    url="https://arxiv.org/abs/1406.2661",
    venue="NIPS",
    tiny={"plain": {}},
)
class NonSaturating(Minimax):
    """Losses of two players; the discriminator's is that of ``Minimax``.

    Example:

    >>> sure = keras.ops.full((4, 1), -20.0)  # the discriminator sees through every fake
    >>> round(float(NonSaturating().generator(sure)), 4)
    20.0
    >>> abs(float(Minimax().generator(sure))) < 1e-8
    True
    """

    def generator(self, on_fake: keras.KerasTensor) -> keras.KerasTensor:
        """What the generator minimises: ``-mean log D(G(z))``.

        Args:
            on_fake: Logits on generated samples, of any shape.

        Returns:
            A scalar.
        """
        return ops.mean(ops.softplus(-on_fake))
