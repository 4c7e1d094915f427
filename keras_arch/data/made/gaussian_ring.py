"""A ring of Gaussians: the smallest density on which a generator can lose modes.

Metz, Poole, Pfau, Sohl-Dickstein. Unrolled Generative Adversarial Networks. ICLR 2017.
https://arxiv.org/abs/1611.02163

    mode k, uniform -> centre at angle 2 pi k / modes -> centre + deviation * noise
"""

import numpy as np

from keras_arch.data.made import Arrays, Seed, made_task
from keras_arch.errors import invalid


@made_task(inputs="point", targets="mode")
def gaussian_ring(
    examples: int = 10_000,
    modes: int = 8,
    radius: float = 2.0,
    deviation: float = 0.05,
    seed: Seed = 0,
) -> Arrays:
    """Make points of equally likely Gaussians, whose centres stand on a circle.

    Args:
        examples: Number of points.
        modes: Number of Gaussians.
        radius: Radius of the circle.
        deviation: Standard deviation of each Gaussian, in both directions.
        seed: What ``numpy.random.default_rng`` takes; it alone decides the numbers.

    Returns:
        ``point``, ``(examples, 2)`` float32, and ``mode``, ``(examples,)`` int64.

    Raises:
        ValueError: If there is no example, no mode, or the deviation is negative.

    Example:

    >>> made = gaussian_ring(examples=3)
    >>> made["point"].shape, made["mode"].shape
    ((3, 2), (3,))
    """
    for argument, value in (("examples", examples), ("modes", modes)):
        if value < 1:
            raise invalid(argument, "at least 1", value)
    if deviation < 0:
        raise invalid("deviation", "at least 0", deviation)
    rng = np.random.default_rng(seed)
    mode = rng.integers(0, modes, examples)
    angle = 2 * np.pi * mode / modes
    centre = radius * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    point = centre + deviation * rng.standard_normal((examples, 2))
    return {"point": point.astype(np.float32), "mode": mode}
