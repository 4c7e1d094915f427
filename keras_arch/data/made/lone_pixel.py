"""The coordinate task: an image with one pixel set; say where.

Liu, Lehman, Molino, Petroski Such, Frank, Sergeev, Yosinski. An Intriguing Failing of
Convolutional Neural Networks and the CoordConv Solution. NeurIPS 2018.
https://arxiv.org/abs/1807.03247

    image of zeros and one 1 -> its row and column, each from -1 to 1
"""

import numpy as np

from keras_arch.data.made import Arrays, Seed, made_task
from keras_arch.errors import invalid

PLACES = ("all", "seen", "unseen", "three_quadrants", "fourth_quadrant")


@made_task(inputs="image", targets="place")
def lone_pixel(examples: int = 1000, size: int = 32, places: str = "all", seed: Seed = 0) -> Arrays:
    """Make images with one pixel set.

    Args:
        examples: Number of images.
        size: Height and width.
        places: Where it may be: ``"all"``; ``"seen"``, four fifths of all places, or
            ``"unseen"``, the others; ``"three_quadrants"`` or ``"fourth_quadrant"``.
        seed: What ``numpy.random.default_rng`` takes; it alone decides the numbers.

    Returns:
        ``image``, ``(examples, size, size, 1)`` float32, and ``place``, ``(examples, 2)``
        float32: row and column.

    Raises:
        ValueError: If there is no example, no place, or ``places`` is none of the above.

    Example:

    >>> made = lone_pixel(examples=3, size=8)
    >>> made["image"].shape, made["place"].shape
    ((3, 8, 8, 1), (3, 2))
    """
    for argument, value, least in (("examples", examples, 1), ("size", size, 2)):
        if value < least:
            raise invalid(argument, f"at least {least}", value)
    if places not in PLACES:
        raise invalid("places", f"one of {PLACES}", places)
    rows, columns = np.divmod(np.arange(size * size), size)
    held_out = np.random.default_rng(0).permutation(size * size) < size * size / 5
    last = (rows >= size // 2) & (columns >= size // 2)
    allowed = {
        "all": np.ones(size * size, bool),
        "seen": ~held_out,
        "unseen": held_out,
        "three_quadrants": ~last,
        "fourth_quadrant": last,
    }[places]
    chosen = np.random.default_rng(seed).choice(np.flatnonzero(allowed), examples)
    image = np.zeros((examples, size * size), np.float32)
    image[np.arange(examples), chosen] = 1
    place = 2 * np.stack([rows, columns], axis=-1)[chosen] / (size - 1) - 1
    return {
        "image": image.reshape(examples, size, size, 1),
        "place": place.astype(np.float32),
    }
