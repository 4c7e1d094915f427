"""The same builds in another process, perhaps on another backend: ``elsewhere.py out.npz KIND``.

Writes, by ``<entry>-<label>``, what each model and each layer answers: from its own initializers
under a seed (``seeded``), with weights by formula (``formula``), or read from the files of a
folder, if ``KIND`` is its path. What losses, regularizers and initializers give is there, too.
"""

import pathlib
import sys

import keras
import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from conformance.probe import (
    LAYERS,
    MODELS,
    PARTS,
    array,
    as_logits,
    build,
    inputs,
    part_answer,
    wrapped,
)
from formula import fill_keras


def answers(*kinds):
    backend = keras.backend.backend()
    for builds, make in ((MODELS, build), (LAYERS, wrapped)):
        for entry, label in builds:
            if backend in entry.xfail:
                continue
            keras.utils.set_random_seed(0)
            model = make(entry, label, **as_logits(entry)) if make is build else make(entry, label)
            x, name = inputs(model), f"{entry.room}/{entry.name}-{label}"
            if "seeded" in kinds:
                yield f"seeded/{name}", array(model(x))
            if "formula" in kinds:
                fill_keras(model)
                # compiled is faster on JAX than one operation after the other
                y = model(x) if backend == "tensorflow" else model.predict(x, verbose=0)
                yield f"formula/{name}", array(y)

    for entry, label in PARTS:
        keras.utils.set_random_seed(0)
        for kind in kinds:
            yield f"{kind}/{entry.room}/{entry.name}-{label}", part_answer(entry, label)


def reloaded(directory):
    import keras_arch  # noqa: F401  (registers what the files hold)

    for path in sorted(pathlib.Path(directory).glob("*.keras")):
        model = keras.models.load_model(path)
        yield f"reloaded/{path.stem}", array(model(inputs(model)))


if __name__ == "__main__":
    out, kind = sys.argv[1:]
    found = answers(kind) if kind in ("seeded", "formula") else reloaded(kind)
    np.savez(out, **dict(found))
