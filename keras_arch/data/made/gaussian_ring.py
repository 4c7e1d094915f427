"""A ring of Gaussians: the smallest density on which a generator can lose modes.

Metz, Poole, Pfau, Sohl-Dickstein. Unrolled Generative Adversarial Networks. ICLR 2017.
https://arxiv.org/abs/1611.02163

    mode k, uniform -> centre at angle 2 pi k / modes -> centre + deviation * noise
"""

import numpy as np

from keras_arch.data.made import Arrays, Examples, Seed, made_task
from keras_arch.errors import invalid


@made_task(inputs="point", targets="mode")
def gaussian_ring(
    examples: int = 10_000,
    modes: int = 8,
    radius: float = 2.0,
    deviation: float = 0.05,
    seed: Seed = 0,
) -> Examples:
    """Make points of equally likely Gaussians, whose centres stand on a circle.

    Args:
        examples: Number of points.
        modes: Number of Gaussians.
        radius: Radius of the circle.
        deviation: Standard deviation of each Gaussian, in both directions.
        seed: What ``numpy.random.default_rng`` takes; it alone decides the numbers.

    Returns:
        ``Examples``, each with ``point``, ``(2,)`` float32, and ``mode``, int64.

    Raises:
        ValueError: If there is no example, no mode, or the deviation is negative.

    Example:

    >>> made = gaussian_ring(examples=3)
    >>> len(made), next(iter(made))["point"].shape
    (3, (2,))
    """
    if modes < 1:
        raise invalid("modes", "at least 1", modes)
    if deviation < 0:
        raise invalid("deviation", "at least 0", deviation)

    def draw(rng: np.random.Generator, number: int) -> Arrays:
        mode = rng.integers(0, modes, number)
        angle = 2 * np.pi * mode / modes
        centre = radius * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
        point = centre + deviation * rng.standard_normal((number, 2))
        return {"point": point.astype(np.float32), "mode": mode}

    return Examples(draw, examples, seed)
