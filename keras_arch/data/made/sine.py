"""One period of the sine: a function of one number, for networks that approximate.

Hornik. Approximation Capabilities of Multilayer Feedforward Networks. Neural Networks 1991.
https://doi.org/10.1016/0893-6080(91)90009-T

    x uniform in [-pi, pi] -> sin x
"""

import numpy as np

from keras_arch.data.made import Arrays, Examples, Seed, made_task


@made_task(inputs="angle", targets="sine")
def sine(examples: int = 1_000, seed: Seed = 0) -> Examples:
    """Make points of one period of the sine.

    Args:
        examples: Number of points.
        seed: What ``numpy.random.default_rng`` takes; it alone decides the numbers.

    Returns:
        ``Examples``, each with ``angle`` and ``sine``, both ``(1,)`` float32.

    Raises:
        ValueError: If there is no example.

    Example:

    >>> made = sine(examples=3)
    >>> len(made), next(iter(made))["sine"].shape
    (3, (1,))
    """

    def draw(rng: np.random.Generator, number: int) -> Arrays:
        angle = rng.uniform(-np.pi, np.pi, (number, 1))
        return {"angle": angle.astype(np.float32), "sine": np.sin(angle).astype(np.float32)}

    return Examples(draw, examples, seed)
