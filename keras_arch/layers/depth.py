"""How deep a functional model can be."""

from collections.abc import Sequence
from typing import Any

from keras_arch.errors import invalid

# Keras walks a graph by recursion, from the output down and first along the first input of
# each merge, when it builds a model and again when it loads one. So a block costs as many
# of Python's 1000 frames as there are layers on its shortcut, if that is the first input of
# its merge, not on its convolutions. Keras's own frames, stem, transitions, head and the
# caller's frames need the rest.
LONGEST_WALK = 910


def check_stages(depths: Sequence[int], **sizes: Sequence[Any]) -> None:
    """Refuse sizes of stages that are not as many as the stages.

    Args:
        depths: Blocks in each stage.
        **sizes: Other arguments that have an entry for each stage.

    Raises:
        ValueError: If one of them has more or fewer.
    """
    for argument, values in sizes.items():
        if len(values) != len(depths):
            raise invalid(argument, f"{len(depths)} sizes, one for each stage", values)


def check_depth(
    depths: Sequence[int], layers_each: int, argument: str = "depths", received: Any = None
) -> None:
    """Refuse, before it is built, a chain of blocks that Keras could not hold.

    Args:
        depths: Blocks in each stage.
        layers_each: Layers of one block along the first input of each merge.
        argument: Name of the argument, for the message.
        received: Its value, if that is not ``depths``.

    Raises:
        ValueError: If there is none, or the blocks are too many; says how many would fit.
    """
    received = depths if received is None else received
    if not depths or min(depths) < 1:
        raise invalid(argument, "at least one stage of at least one block", received)
    limit = LONGEST_WALK // layers_each
    if sum(depths) > limit:
        raise invalid(
            argument,
            f"at most {limit} blocks in all, since Keras walks a functional model by "
            f"recursion and Python's stack holds about {LONGEST_WALK} layers",
            received,
        )
