"""The coordinate task: an image with one pixel set; say where.

Liu, Lehman, Molino, Petroski Such, Frank, Sergeev, Yosinski. An Intriguing Failing of
Convolutional Neural Networks and the CoordConv Solution. NeurIPS 2018.
https://arxiv.org/abs/1807.03247

    image of zeros and one 1 -> its row and column, each from -1 to 1
"""

import numpy as np

from keras_arch.data.made import Arrays, Examples, Seed, made_task
from keras_arch.errors import invalid

PLACES = ("all", "seen", "unseen", "three_quadrants", "fourth_quadrant")


@made_task(inputs="image", targets="place")
def lone_pixel(
    examples: int = 1000,
    size: int = 32,
    places: str = "all",
    margin: int = 0,
    seed: Seed = 0,
) -> Examples:
    """Make images with one pixel set.

    Args:
        examples: Number of images.
        size: Height and width.
        places: Where it may be: ``"all"``; ``"seen"``, four fifths of all places, or
            ``"unseen"``, the others; ``"three_quadrants"`` or ``"fourth_quadrant"``.
        margin: How many pixels stay free on all sides. The paper's pixels are centres of
            squares of 9x9, so it is 4 there, and no convolution meets the edge.
        seed: What ``numpy.random.default_rng`` takes; it alone decides the numbers.

    Returns:
        ``Examples``, each with ``image``, ``(size, size, 1)`` float32, and ``place``, ``(2,)``
        float32: row and column.

    Raises:
        ValueError: If there is no example, no place, ``margin`` leaves none, or ``places``
            is none of the above.

    Example:

    >>> made = lone_pixel(examples=3, size=8)
    >>> len(made), next(iter(made))["image"].shape
    (3, (8, 8, 1))
    """
    if size < 2:
        raise invalid("size", "at least 2", size)
    if places not in PLACES:
        raise invalid("places", f"one of {PLACES}", places)
    if not 0 <= margin < size / 2:
        raise invalid("margin", f"from 0 to {(size - 1) // 2}", margin)
    rows, columns = np.divmod(np.arange(size * size), size)
    held_out = np.random.default_rng(0).permutation(size * size) < size * size / 5
    last = (rows >= size // 2) & (columns >= size // 2)
    least, most = np.minimum(rows, columns), np.maximum(rows, columns)
    inside = (least >= margin) & (most < size - margin)
    allowed = {
        "all": np.ones(size * size, bool),
        "seen": ~held_out,
        "unseen": held_out,
        "three_quadrants": ~last,
        "fourth_quadrant": last,
    }[places]

    def draw(rng: np.random.Generator, number: int) -> Arrays:
        chosen = rng.choice(np.flatnonzero(allowed & inside), number)
        image = np.zeros((number, size * size), np.float32)
        image[np.arange(number), chosen] = 1
        place = 2 * np.stack([rows, columns], axis=-1)[chosen] / (size - 1) - 1
        return {
            "image": image.reshape(number, size, size, 1),
            "place": place.astype(np.float32),
        }

    return Examples(draw, examples, seed)
