"""Made tasks: examples drawn from a seed, whose answer is known.

A task is one file with one function, ``task(examples, ..., seed) -> Examples``, under
``@made_task``; its import line stands in ``keras_arch.data``.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from keras_arch.data.order import whole

Arrays = dict[str, np.ndarray]
Seed = int | Sequence[int]

SPLITS = ("train", "validation", "test")
BLOCK = 1024  # examples that are drawn at once; another number gives other examples


class Examples:
    """Examples of a task, of known number, drawn while they are read.

    Each iteration draws the same ones again, so that a task of any size takes the memory of
    one block.

    Args:
        draw: Draws many at once: ``(generator, number) -> arrays by name``, each with
            ``number`` rows.
        examples: How many there are.
        seed: What ``numpy.random.default_rng`` takes; it alone decides the numbers.
    """

    def __init__(
        self, draw: Callable[[np.random.Generator, int], Arrays], examples: int, seed: Seed
    ):
        whole("examples", examples, 1)
        self._draw = draw
        self._examples = examples
        self._seed = seed

    def __len__(self) -> int:
        return self._examples

    def __iter__(self) -> Iterator[Arrays]:
        for block in self.blocks():
            for row in range(len(next(iter(block.values())))):
                yield {name: array[row] for name, array in block.items()}

    def blocks(self) -> Iterator[Arrays]:
        """Draw all, up to 1024 at a time: arrays of as many rows."""
        rng = np.random.default_rng(self._seed)
        for start in range(0, self._examples, BLOCK):
            yield self._draw(rng, min(BLOCK, self._examples - start))


class MadeTask(NamedTuple):
    """A task, and which of its arrays are the input and the target."""

    make: Callable[..., Examples]
    supervised: tuple[str, str]

    def split(self, name: str, task_seed: int = 0, **options: Any) -> Examples:
        """Make one split; each is a draw of its own."""
        return self.make(**options, seed=(task_seed, SPLITS.index(name)))


TASKS: dict[str, MadeTask] = {}


def made_task(
    inputs: str, targets: str
) -> Callable[[Callable[..., Examples]], Callable[..., Examples]]:
    """Make a task known to ``load`` by its name; returns it unchanged.

    Args:
        inputs: Name of the array that a model reads.
        targets: Name of the array that it should give.
    """

    def enter(make: Callable[..., Examples]) -> Callable[..., Examples]:
        TASKS[make.__name__] = MadeTask(make, (inputs, targets))
        return make

    return enter
