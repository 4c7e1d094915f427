"""Files of weights, in the formats of Keras 3 and before, read by layer and with distrust.

No link is followed, nothing is unpickled, and nothing is read before its size is known.
"""

import io
import itertools
import os
import zipfile

import numpy as np

_EXPANSION = 64  # weights hardly compress: what unpacks to more than this is a trap


def read(path: str | os.PathLike) -> dict[str, list[np.ndarray]]:
    """Read the weights of each layer of a ``.keras``, ``.weights.h5`` or ``.h5`` file.

    Raises:
        OSError: If it is no such file, or is damaged.
        ValueError: If it leads to other files, or declares far more than it holds.
    """
    import h5py  # of Keras

    with h5py.File(_stored(path)) as file:
        _refuse_links(file)
        file = file.get("model_weights", file)  # of a whole model in the old format
        legacy = any(name.startswith("layer_names") for name in file.attrs)
        datasets = _legacy(file) if legacy else _current(file)
        _refuse_traps(datasets, os.path.getsize(path))
        return {layer: [array[()] for array in arrays] for layer, arrays in datasets.items()}


def _stored(source):
    """The weights inside a `.keras` file, without building its model; other files as such."""
    if not str(source).endswith(".keras"):
        return source
    with zipfile.ZipFile(source) as archive:
        declared = archive.getinfo("model.weights.h5").file_size
        _refuse_bomb(declared, os.path.getsize(source))
        return io.BytesIO(archive.read("model.weights.h5"))


def _refuse_links(file):
    """A file of weights is whole: a link could pull in any file that we may read."""
    import h5py

    def found(name, link):
        return None if isinstance(link, h5py.HardLink) else f"{type(link).__name__} {name!r}"

    if link := file.visititems_links(found):
        raise ValueError(f"links are not followed, it has the {link}")


def _refuse_traps(datasets, size):
    declared = 0
    for dataset in itertools.chain.from_iterable(datasets.values()):
        if not hasattr(dataset, "nbytes"):
            raise ValueError(f"{dataset.name!r} is a group, not an array")
        if dataset.is_virtual:
            raise ValueError(f"{dataset.name!r} is a virtual dataset, of other files")
        if dataset.external:
            raise ValueError(f"{dataset.name!r} has external storage: {dataset.external}")
        declared += dataset.nbytes
    _refuse_bomb(declared, size)


def _refuse_bomb(declared, size):
    if declared > _EXPANSION * size:
        raise ValueError(f"it declares {declared} bytes of weights, in a file of {size}")


def _legacy(file):
    """The old format lists the weights of each layer of the model, parts included."""
    found: dict[str, list] = {}
    for layer in _attribute(file, "layer_names"):
        for name in _attribute(file[layer], "weight_names"):
            place = name.rpartition("/")[0]
            part = place if place.startswith(f"{layer}/") else layer
            found.setdefault(part, []).append(file[layer][name])
    return found


def _attribute(group, key):
    """A list of names; long ones stand in parts, old ones are bytes."""
    parts = [key] if key in group.attrs else [f"{key}{i}" for i in range(len(group.attrs))]
    names = [name for part in parts for name in group.attrs.get(part, ())]
    return [name.decode() if isinstance(name, bytes) else str(name) for name in names]


def _current(file):
    """Keras 3 keys its file by class and order, but notes each layer's name."""
    found = {}

    def visit(group, names):
        for key, child in group.items():
            if key == "vars":
                if len(child):
                    found["/".join(names)] = [child[str(i)] for i in range(len(child))]
            elif hasattr(child, "items") and key != "optimizer":
                name = child["vars"].attrs.get("name") if "vars" in child else None
                visit(child, [*names, name] if name else names)

    visit(file, [])
    return found
