"""Stochastic depth: while a network learns, whole residual branches are left out.

Huang, Sun, Liu, Sedra, Weinberger. Deep Networks with Stochastic Depth.
ECCV 2016. https://arxiv.org/abs/1603.09382

    training   past + b F(x)      b = 1 with probability p, else 0: one draw for a mini-batch
    test       past + p F(x)

``mode="inverted"`` has the same expectation: ``b / p`` in training, 1 at test. So a network
answers the same whatever the rate, and all families here take it; ``ResNet`` has the paper's
on demand, as its preset ``StochasticDepthResNet`` does. A branch that is left out is computed
all the same, so its normalization statistics move and no time is saved; its weights get no
gradient.
"""

from typing import Any

import keras
from keras import layers, ops

from keras_arch.errors import invalid
from keras_arch.registry import register

PUBLICATION = {
    "paper": "Deep Networks with Stochastic Depth",
    "authors": "Huang, Sun, Liu, Sedra, Weinberger",
    "year": 2016,
    "url": "https://arxiv.org/abs/1603.09382",
    "venue": "ECCV",
}


@register(
    **PUBLICATION,
    tiny={
        "paper": {"rate": 0.3, "seed": 1},
        "inverted": {"rate": 0.3, "mode": "inverted", "per": "sample", "seed": 2},
    },
    inputs=(layers.InputSpec(shape=(None, 4, 4, 3)),),
)
class StochasticDepth(layers.Layer):
    """Leaves out a residual branch at random; stands between the branch and the addition.

    Args:
        rate: Probability of leaving the branch out.
        mode: ``"paper"`` scales by ``1 - rate`` at test; ``"inverted"`` divides by it in
            training, as torchvision and timm do.
        per: What shares a draw: the ``"batch"`` (paper; torchvision's "batch") or each
            ``"sample"`` has its own (torchvision's "row").
        seed: Of the draws; ``None`` takes a random one.
        **kwargs: ``name``, ``dtype`` and so on of ``keras.layers.Layer``.

    Call arguments:
        inputs: Features of shape ``(B, ...)``.
        training: Whether to draw; at test the layer is a factor.

    Returns:
        Features of shape ``(B, ...)``.

    Raises:
        ValueError: If ``rate`` is not in ``[0, 1)``, or ``mode`` or ``per`` is none of the
            above.

    Example:

    >>> StochasticDepth(0.25)(keras.ops.ones((1, 2))).numpy()
    array([[0.75, 0.75]], dtype=float32)
    """

    def __init__(
        self,
        rate: float,
        mode: str = "paper",
        per: str = "batch",
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if not 0 <= rate < 1:
            raise invalid("rate", "a number in [0, 1)", rate)
        if mode not in ("paper", "inverted"):
            raise invalid("mode", 'one of {"paper", "inverted"}', mode)
        if per not in ("batch", "sample"):
            raise invalid("per", 'one of {"batch", "sample"}', per)
        self.rate = rate
        self.mode = mode
        self.per = per
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, inputs, training=False):
        survival = 1 - self.rate
        if not training:
            return inputs * survival if self.mode == "paper" else inputs
        draws = ops.shape(inputs)[0] if self.per == "sample" else 1
        shape = (draws,) + (1,) * (len(inputs.shape) - 1)
        # Drawn in float32: of bfloat16 there are only 256 numbers between 1/2 and 1.
        kept = keras.random.uniform(shape, dtype="float32", seed=self.seed_generator) < survival
        factor = 1 if self.mode == "paper" else 1 / survival
        return inputs * (ops.cast(kept, inputs.dtype) * factor)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "rate": self.rate,
            "mode": self.mode,
            "per": self.per,
            "seed": self.seed,
        }


def linear_rates(stochastic_depth: float, blocks: int) -> list[float]:
    """How often each block is left out: from nearly never to ``stochastic_depth`` at the last.

    Args:
        stochastic_depth: Rate of the last block.
        blocks: Their number.

    Raises:
        ValueError: If the rate is not in ``[0, 1)``.

    Example:

    >>> linear_rates(0.5, 4)
    [0.125, 0.25, 0.375, 0.5]
    """
    if not 0 <= stochastic_depth < 1:
        raise invalid("stochastic_depth", "a rate in [0, 1)", stochastic_depth)
    return [stochastic_depth * index / blocks for index in range(1, blocks + 1)]
