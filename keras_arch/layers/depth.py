"""How deep a functional model can be."""

from collections.abc import Sequence

from keras_arch.errors import invalid

# Keras walks a graph by recursion, one frame a layer, when it builds a model and again when
# it loads one; Python allows 1000 frames, of which the caller's own have to be spared.
LONGEST_CHAIN = 900


def check_depth(depths: Sequence[int], layers_each: int) -> None:
    """Refuse, before it is built, a chain of blocks that Keras could not hold.

    Args:
        depths: Blocks in each stage.
        layers_each: Keras layers that one block adds to the longest path.

    Raises:
        ValueError: If the blocks are too many; says how many would fit.
    """
    limit = LONGEST_CHAIN // layers_each
    if sum(depths) > limit:
        raise invalid(
            "depths",
            f"at most {limit} blocks in all, since Keras's functional models hold about "
            f"{LONGEST_CHAIN} layers in a row and a block has {layers_each}",
            depths,
        )
