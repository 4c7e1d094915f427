"""How thin a network can be made."""

from keras_arch.errors import invalid


def check_alpha(alpha: float, *widths: int) -> None:
    """Refuse a width multiplier that leaves no channel.

    Args:
        alpha: Factor of all widths.
        *widths: Those that are rounded down; the others keep a channel in any case.

    Raises:
        ValueError: If it is not positive, or a width is less than one with it.
    """
    if not alpha > 0 or any(width * alpha < 1 for width in widths):
        raise invalid("alpha", "a positive factor that leaves a channel in every layer", alpha)
