"""Checkpoint: arrays and facts of a training in one file, which is whole at any moment.

    aside: write, fsync -> os.replace -> fsync of the directory

A kill leaves the previous file or the new one, never half of one. The file is a NumPy
archive without pickles; the facts are JSON, in an array of their own.
"""

import json
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_arch.disk import flush_folder

NAME = "training.npz"
FACTS = "facts.json"
FORM = 1


def write(directory: str, facts: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
    """Replace the checkpoint of a directory."""
    os.makedirs(directory, exist_ok=True)
    path = os.path.join(directory, NAME)
    # NumPy's files know no bfloat16 or float8: such are stored as plain bits.
    foreign = {name: str(array.dtype) for name, array in arrays.items() if array.dtype.kind == "V"}
    members: dict[str, Any] = {
        name: array.view(f"u{array.dtype.itemsize}") if name in foreign else array
        for name, array in arrays.items()
    }
    members[FACTS] = np.array(json.dumps({"form": FORM, "foreign": foreign, **facts}))
    with open(f"{path}.aside", "wb") as file:
        np.savez(file, **members)
        file.flush()
        os.fsync(file.fileno())
    os.replace(f"{path}.aside", path)
    flush_folder(directory)


def read_facts(directory: str) -> dict[str, Any] | None:
    """Return the facts of the checkpoint of a directory, ``None`` where there is none."""
    path = os.path.join(directory, NAME)
    if not os.path.exists(path):
        return None
    with _opened(path) as archive:
        facts = json.loads(str(archive[FACTS]))
    if facts["form"] != FORM:
        raise ValueError(f"{path} has form {facts['form']}; this version reads form {FORM}.")
    return facts


def read_arrays(directory: str) -> dict[str, np.ndarray]:
    """Return the arrays of the checkpoint of a directory."""
    with _opened(os.path.join(directory, NAME)) as archive:
        foreign = json.loads(str(archive[FACTS]))["foreign"]
        arrays = {name: archive[name] for name in archive.files if name != FACTS}
    for name, dtype in foreign.items():
        arrays[name] = arrays[name].view(np.dtype(dtype))
    return arrays


def _opened(path):
    try:
        archive = np.load(path, allow_pickle=False)
        if FACTS in archive.files:
            return archive
        reason = "it is another kind of archive"
    except Exception as error:
        reason = str(error)
    raise ValueError(f"{path} is not a checkpoint of ExactResume: {reason}")
