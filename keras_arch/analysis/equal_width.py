"""Layers of equal width: of all networks with as many units, the one whose signals vary least.

Hanin. Which Neural Net Architectures Give Rise to Exploding and Vanishing Gradients?
NeurIPS 2018. https://arxiv.org/abs/1801.03744

Gradients of a random rectified network vary with the exponential of ``sum(1 / n)`` over its
hidden layers: many thin layers are bad, and by the inequality of the means the sum is least
where all ``n`` are equal.
"""

from keras_arch.errors import invalid


def equal_width(budget: int, depth: int) -> tuple[int, ...]:
    """Return the widths of ``depth`` hidden layers of ``budget`` units, as equal as can be.

    Args:
        budget: Units of all hidden layers together.
        depth: Number of hidden layers.

    Returns:
        Widths, for ``models.MLP(units=...)``; the wider ones first, by one unit.

    Raises:
        ValueError: If the budget does not leave each layer a unit.

    Example:

    >>> equal_width(100, 5)
    (20, 20, 20, 20, 20)
    >>> equal_width(11, 4)
    (3, 3, 3, 2)
    """
    if depth < 1:
        raise invalid("depth", "at least 1", depth)
    if budget < depth:
        raise invalid("budget", f"at least {depth} units, one for each layer", budget)
    width, left = divmod(budget, depth)
    return tuple(width + (layer < left) for layer in range(depth))
