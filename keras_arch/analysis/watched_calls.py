"""Every call of a layer inside of a model, seen while it happens."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import keras

Around = Callable[[str, keras.layers.Layer, Callable, tuple, dict], Any]


@contextlib.contextmanager
def watched_calls(model: keras.Model, around: Around) -> Iterator[None]:
    """While it lasts, ``around`` stands between each layer inside of a model and its calls.

    Args:
        model: Any model; it is left as it was.
        around: ``around(path, layer, call, args, kwargs)`` gives what the call is to give,
            ``call(*args, **kwargs)`` as a rule. The path names the layers that are being
            called: ``"stage1_block1_se/squeeze"``.
    """
    path: list[str] = []

    def watch(layer, call):
        def watched(*args, **kwargs):
            path.append(layer.name)
            try:
                return around("/".join(path), layer, call, args, kwargs)
            finally:
                path.pop()

        return watched

    inside = list(model._flatten_layers(include_self=False))
    with replaced([(layer, "call", watch(layer, layer.call)) for layer in inside]):
        yield


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
