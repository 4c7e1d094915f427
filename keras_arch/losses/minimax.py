"""The minimax game: what one player wins, the other loses.

Goodfellow, Pouget-Abadie, Mirza, Xu, Warde-Farley, Ozair, Courville, Bengio. Generative
Adversarial Networks. NIPS 2014. https://arxiv.org/abs/1406.2661

    min_G max_D  E log D(x) + E log(1 - D(G(z)))

At the optimum ``D = p / (p + q)``; where ``q = p``, D is 1/2 and loses ``2 log 2``.
"""

from typing import Any

import keras
from keras import ops

from keras_arch.registry import register


@register(
    paper="Generative Adversarial Networks",
    authors="Goodfellow, Pouget-Abadie, Mirza, Xu, Warde-Farley, Ozair, Courville, Bengio",
    year=2014,
    url="https://arxiv.org/abs/1406.2661",
    venue="NIPS",
    tiny={"plain": {}},
)
class Minimax:
    """Losses of two players, from the discriminator's logits on real and on fake samples.

    A loss of a game has two methods in place of one call; ``training.Adversarial`` takes
    any object with both. The generator's gradient vanishes where the discriminator is
    sure of its fakes: see ``NonSaturating``.

    Example:

    >>> loss = Minimax()
    >>> undecided = keras.ops.zeros((4, 1))
    >>> round(float(loss.discriminator(undecided, undecided)), 4)  # 2 log 2
    1.3863
    """

    def discriminator(
        self, on_real: keras.KerasTensor, on_fake: keras.KerasTensor
    ) -> keras.KerasTensor:
        """What the discriminator minimises: ``-mean log D(x) - mean log(1 - D(G(z)))``.

        Args:
            on_real: Logits on real samples, of any shape.
            on_fake: Logits on generated samples, of any shape.

        Returns:
            A scalar.
        """
        return ops.mean(ops.softplus(-on_real)) + ops.mean(ops.softplus(on_fake))

    def generator(self, on_fake: keras.KerasTensor) -> keras.KerasTensor:
        """What the generator minimises: ``mean log(1 - D(G(z)))``.

        Args:
            on_fake: Logits on generated samples, of any shape.

        Returns:
            A scalar.
        """
        return -ops.mean(ops.softplus(on_fake))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments: none."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Minimax":
        """Build from the constructor's arguments."""
        return cls(**config)
