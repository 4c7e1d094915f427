"""The adding problem: remember two marked numbers of a long sequence, give their sum.

Hochreiter, Schmidhuber. Long Short-Term Memory. Neural Computation 1997.
https://doi.org/10.1162/neco.1997.9.8.1735

    sequence of (value, marker) -> value at the first marker + value at the second

The form is the later, common one: values uniform in [0, 1], one marker in each half. Who
answers 1 without looking has a mean squared error of 1/6, the variance of the sum.
"""

import numpy as np

from keras_arch.data.made import Arrays, Examples, Seed, made_task
from keras_arch.errors import invalid


@made_task(inputs="sequence", targets="total")
def adding(examples: int = 10_000, length: int = 100, seed: Seed = 0) -> Examples:
    """Make examples of the adding problem.

    Args:
        examples: Number of sequences.
        length: Steps of a sequence.
        seed: What ``numpy.random.default_rng`` takes; it alone decides the numbers.

    Returns:
        ``Examples``, each with ``sequence``, ``(length, 2)`` float32: a value and a marker
        a step; and ``total``, ``(1,)`` float32.

    Raises:
        ValueError: If there is no example, or no room for two markers.

    Example:

    >>> made = adding(examples=3, length=10)
    >>> len(made), [example["sequence"].shape for example in made]
    (3, [(10, 2), (10, 2), (10, 2)])
    """
    if length < 2:
        raise invalid("length", "at least 2, one step for each marker", length)

    def draw(rng: np.random.Generator, number: int) -> Arrays:
        values = rng.random((number, length), dtype=np.float32)
        markers = np.zeros_like(values)
        rows = np.arange(number)
        markers[rows, rng.integers(0, length // 2, number)] = 1
        markers[rows, rng.integers(length // 2, length, number)] = 1
        total = (values * markers).sum(axis=1, keepdims=True)
        return {"sequence": np.stack([values, markers], axis=-1), "total": total}

    return Examples(draw, examples, seed)
