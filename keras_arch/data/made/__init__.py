"""Made tasks: functions of a seed, whose answer is known.

A task is one file with one function, ``task(examples, ..., seed) -> arrays by name``, under
``@made_task``; its import line stands in ``keras_arch.data``.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

Arrays = dict[str, np.ndarray]
Seed = int | Sequence[int]
Task = Callable[..., Arrays]

SPLITS = ("train", "validation", "test")


class MadeTask(NamedTuple):
    """A task, and which of its arrays are the input and the target."""

    make: Task
    supervised: tuple[str, str]

    def split(self, name: str, task_seed: int = 0, **options: Any) -> Arrays:
        """Make one split; each is a draw of its own."""
        return self.make(**options, seed=(task_seed, SPLITS.index(name)))


TASKS: dict[str, MadeTask] = {}


def made_task(inputs: str, targets: str) -> Callable[[Task], Task]:
    """Make a task known to ``load`` by its name; returns it unchanged.

    Args:
        inputs: Name of the array that a model reads.
        targets: Name of the array that it should give.
    """

    def enter(make: Task) -> Task:
        TASKS[make.__name__] = MadeTask(make, (inputs, targets))
        return make

    return enter
