"""One style of message for every bad argument: Keras's own."""

from typing import Any


def invalid(argument: str, expected: str, received: Any) -> ValueError:
    """Return the ``ValueError`` to raise: what was wrong, expected and received."""
    return ValueError(
        f"Invalid value for argument `{argument}`. Expected {expected}. "
        f"Received: {argument}={received!r}"
    )
