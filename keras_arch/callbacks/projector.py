"""Projector: embeddings and features as points, in TensorBoard's tab "Projector".

Each set of points is a table that the tab reads as it stands, so that no checkpoint of
TensorFlow is needed. Images stand at their points as one large picture of small ones.
"""

import math
import os
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from keras_arch.callbacks.event_file import EventFile
from keras_arch.errors import invalid

SPRITE = 8192  # pixels; browsers draw no larger picture


class Projector(keras.callbacks.Callback):
    """Writes points for TensorBoard's projector at the end of each epoch.

    Args:
        log_dir: Directory of the run; the points go into its folder ``projector``.
        layers: Names of layers: of an ``Embedding`` the table is shown, of any other layer
            what it puts out for the examples, flattened. ``None`` for all embeddings. One
            inside a layer or model is named with it: ``"encoder/words"``.
        examples: Inputs of the model.
        labels: By layer, a word or number for each point.
        images: Small pictures of the examples, ``(B, H, W)`` or ``(B, H, W, 1 or 3)`` in
            [0, 1], shown at the points of layers that are no embeddings.

    Raises:
        ValueError: When training begins: if a layer does not exist, or has no one output to
            show, or needs examples and there are none; if labels or images are not one for
            each point, or the images too large for one picture.

    Example:

    >>> Projector("logs/digits", ["head"], examples=np.zeros((5, 8, 8, 1))).log_dir
    'logs/digits'
    """

    def __init__(
        self,
        log_dir: str | os.PathLike,
        layers: Sequence[str] | None = None,
        examples: Any = None,
        labels: Mapping[str, Sequence[Any]] | None = None,
        images: np.ndarray | None = None,
    ) -> None:
        super().__init__()
        self.log_dir = os.fspath(log_dir)
        self.layers = layers
        self.examples = examples
        self.labels = dict(labels or {})
        self.images = images

    def on_train_begin(self, logs: dict | None = None) -> None:
        inside = dict(_layers_of(self.model))
        tables = {n: x for n, x in inside.items() if isinstance(x, keras.layers.Embedding)}
        known = {layer.name: layer for layer in self.model.layers} | tables
        names = list(tables) if self.layers is None else self.layers
        unknown = [name for name in names if name not in known]
        if unknown:
            raise invalid("layers", f"names of layers, such as {list(known)[:8]}", unknown)
        self._tables = {name: tables[name] for name in names if name in tables}
        taps = {name: _output(known[name]) for name in names if name not in tables}
        if taps and self.examples is None:
            raise invalid("examples", f"inputs of the model, to show {list(taps)}", None)
        self._tapped = keras.Model(self.model.input, taps) if taps else None
        points = {name: table.input_dim for name, table in self._tables.items()}
        if taps:
            count = len(keras.tree.flatten(self.examples)[0])
            points |= dict.fromkeys(taps, count)
            if self.images is not None and len(self.images) != count:
                raise invalid("images", f"one for each of {count} examples", len(self.images))
        if self.images is not None:
            _check_sprite(self.images)
        for name, labels in self.labels.items():
            if name not in points:
                raise invalid("labels", f"those of {list(points)}", name)
            if len(labels) != points[name]:
                raise invalid("labels", f"{points[name]} of {name!r}", f"{len(labels)} labels")

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        points = {
            name: keras.ops.convert_to_numpy(layer.embeddings)
            for name, layer in self._tables.items()
        }
        if self._tapped is not None:
            found = self._tapped(self.examples, training=False)
            for name, output in found.items():
                features = keras.ops.convert_to_numpy(keras.ops.cast(output, "float32"))
                points[name] = features.reshape(len(features), -1)
        self._write(points)

    def _write(self, points):
        """Write tables, labels and pictures, and at last the list that refers to them."""
        from tensorboard.compat.proto.event_pb2 import Event

        directory = os.path.join(self.log_dir, "projector")
        if not os.path.isdir(directory):  # an event makes it a run
            file = EventFile(directory)
            file.write(Event(step=0))
            file.close()
        listed = []
        for name, rows in points.items():
            stem = name.replace("/", "_")
            np.savetxt(os.path.join(directory, f"{stem}.tsv"), rows, "%.6g", "\t")
            lines = [f'tensor_name: "{name}"', f'tensor_path: "{stem}.tsv"']
            if name in self.labels:
                words = [str(label) for label in self.labels[name]]
                with open(os.path.join(directory, f"{stem}_labels.tsv"), "w") as file:
                    file.writelines(f"{word.split(chr(10))[0]}\n" for word in words)
                lines.append(f'metadata_path: "{stem}_labels.tsv"')
            if self.images is not None and name not in self._tables:
                height, width = _sprite(self.images, os.path.join(directory, f"{stem}.png"))
                sizes = f"single_image_dim: {width} single_image_dim: {height}"
                lines.append(f'sprite {{ image_path: "{stem}.png" {sizes} }}')
            listed.append("embeddings {\n  " + "\n  ".join(lines) + "\n}\n")
        path = os.path.join(directory, "projector_config.pbtxt")
        with open(f"{path}.new", "w") as file:
            file.writelines(listed)
        os.replace(f"{path}.new", path)


def _layers_of(owner, prefix=""):
    """Yield all layers inside a layer, under the names of those around them."""
    inner = owner.layers if isinstance(owner, keras.Model) else owner._layers
    for layer in inner:
        yield f"{prefix}{layer.name}", layer
        yield from _layers_of(layer, f"{prefix}{layer.name}/")


def _output(layer):
    """Return what a layer puts out, if that is one tensor of a graph."""
    try:
        output = layer.output
    except (AttributeError, ValueError) as error:  # called by no graph
        message = "layers of a model with fixed inputs, or embeddings"
        raise invalid("layers", message, layer.name) from error
    if not isinstance(output, keras.KerasTensor):
        raise invalid("layers", "layers with one output", layer.name)
    return output


def _check_sprite(images):
    height, width = np.shape(images)[1:3]
    if math.ceil(math.sqrt(len(images))) * max(height, width) > SPRITE:
        raise invalid("images", f"a square of at most {SPRITE} pixels", np.shape(images))


def _sprite(images, path):
    """Write images side by side, row by row; returns the size of one."""
    from PIL import Image

    images = np.asarray(images, "float32")
    images = images[..., None] if images.ndim == 3 else images
    images = np.broadcast_to(images, (*images.shape[:3], 3))
    side = math.ceil(math.sqrt(len(images)))
    height, width = images.shape[1:3]
    page = np.ones((side * side, height, width, 3), "float32")
    page[: len(images)] = images
    page = page.reshape(side, side, height, width, 3).swapaxes(1, 2)
    page = page.reshape(side * height, side * width, 3)
    Image.fromarray((255 * np.clip(page, 0, 1)).round().astype("uint8")).save(path)
    return height, width
