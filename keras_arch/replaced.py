"""Attributes of objects, replaced for a while."""

import contextlib
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def replaced(settings: list[tuple[Any, str, Any]]) -> Iterator[None]:
    """While it lasts, attributes of objects have other values: ``(object, name, value)``."""
    before = [(vars(owner), name, name in vars(owner)) for owner, name, _ in settings]
    kept = [own[name] if there else None for own, name, there in before]
    try:
        for owner, name, value in settings:  # past __setattr__, which would track it
            vars(owner)[name] = value
        yield
    finally:
        for (own, name, there), value in zip(before, kept, strict=True):
            if there:
                own[name] = value
            else:
                own.pop(name, None)
