"""Big models without the time that random kernels take, observers watched, and JAX."""

import inspect
import os
import pathlib
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from models.vision.compare import quick_kernels


@pytest.fixture
def quick(monkeypatch):
    quick_kernels(monkeypatch)


@pytest.fixture
def untouched():
    """Everything of a model that an observer could change, as a value to compare."""

    def state(model):
        layers = list(model._flatten_layers())
        return (
            [variable.numpy().tolist() for variable in model.variables],
            [sorted(set(vars(layer)) - {"_path"}) for layer in layers],
            [(len(x._inbound_nodes), len(x._outbound_nodes), x.built) for x in layers],
            [float(loss) for loss in model.losses],
            str(model.get_config()),
        )

    return state


@pytest.fixture
def on_jax(tmp_path):
    """What a function of a model and a batch gives in another process, on JAX."""

    def run(function, model, batch, imports):
        model.save(tmp_path / "model.keras")
        np.save(tmp_path / "batch.npy", batch)
        script = [
            "import sys, keras, keras_arch, numpy as np",
            imports,
            textwrap.dedent(inspect.getsource(function)),
            f"model = keras.models.load_model({str(tmp_path / 'model.keras')!r})",
            f"batch = np.load({str(tmp_path / 'batch.npy')!r})",
            "assert keras.backend.backend() == 'jax'",
            f"found = {function.__name__}(model, batch)",
            f"np.save({str(tmp_path / 'found.npy')!r}, np.array(found, 'float64'))",
        ]
        subprocess.run(
            [sys.executable, "-c", "\n".join(script)],
            env={**os.environ, "KERAS_BACKEND": "jax"},
            cwd=pathlib.Path(__file__).parents[2],
            check=True,
        )
        return np.load(tmp_path / "found.npy")

    return run
