"""Every call of a layer inside of a model, seen while it happens."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import keras

from keras_arch.replaced import replaced

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
