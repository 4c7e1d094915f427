"""One period of the sine: a function of one number, for networks that approximate.

Hornik. Approximation Capabilities of Multilayer Feedforward Networks. Neural Networks 1991.
https://doi.org/10.1016/0893-6080(91)90009-T

    x uniform in [-pi, pi] -> sin x
"""

import numpy as np

from keras_arch.data.made import Arrays, Seed, made_task
from keras_arch.errors import invalid


@made_task(inputs="angle", targets="sine")
def sine(examples: int = 1_000, seed: Seed = 0) -> Arrays:
    """Make points of one period of the sine.

    Args:
        examples: Number of points.
        seed: What ``numpy.random.default_rng`` takes; it alone decides the numbers.

    Returns:
        ``angle`` and ``sine``, both ``(examples, 1)`` float32.

    Raises:
        ValueError: If there is no example.

    Example:

    >>> made = sine(examples=3)
    >>> made["angle"].shape, made["sine"].shape
    ((3, 1), (3, 1))
    """
    if examples < 1:
        raise invalid("examples", "at least 1", examples)
    angle = np.random.default_rng(seed).uniform(-np.pi, np.pi, (examples, 1))
    return {"angle": angle.astype(np.float32), "sine": np.sin(angle).astype(np.float32)}
