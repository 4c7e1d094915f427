"""The same builds in another process, perhaps on another backend: ``elsewhere.py out.npz [saved]``.

Writes, by ``<entry>-<label>``, what each model answers with weights by formula, and from
its own initializers under a seed; the answers of layers; and those of saved models.
"""

import pathlib
import sys

import keras
import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from conformance.probe import LAYERS, MODELS, array, as_logits, build, inputs, wrapped
from formula import fill_keras


def answers():
    backend = keras.backend.backend()
    for builds, make in ((MODELS, build), (LAYERS, wrapped)):
        for entry, label in builds:
            if backend in entry.xfail:
                continue
            keras.utils.set_random_seed(0)
            model = make(entry, label, **as_logits(entry)) if make is build else make(entry, label)
            x, name = inputs(model), f"{entry.room}/{entry.name}-{label}"
            if backend == "tensorflow":
                yield f"seeded/{name}", array(model(x))
                yield f"formula/{name}", array(fill_keras(model)(x))
            else:  # compiled, which is faster there than one operation after the other
                yield f"formula/{name}", array(fill_keras(model).predict(x, verbose=0))


def reloaded(directory):
    import keras_arch  # noqa: F401  (registers what the files hold)

    for path in sorted(pathlib.Path(directory).glob("*.keras")):
        model = keras.models.load_model(path)
        yield f"reloaded/{path.stem}", array(model(inputs(model)))


if __name__ == "__main__":
    out, *saved = sys.argv[1:]
    found = dict(answers()) if not saved else dict(reloaded(saved[0]))
    np.savez(out, **found)
