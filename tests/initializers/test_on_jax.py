"""Some of the facts hold on JAX: these files run once more, in a process of that backend."""

import os
import pathlib
import subprocess
import sys

import keras
import pytest

TESTS = pathlib.Path(__file__).parents[1]
FILES = [
    "initializers/test_chrono.py",
    "initializers/test_conv_orthogonal_2d.py",
    "initializers/test_dirac.py",
]


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="this is the other process")
def test_the_facts_hold_on_jax():
    command = [sys.executable, "-m", "pytest", *(str(TESTS / file) for file in FILES)]
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    environment.pop("PYTEST_XDIST_WORKER", None)
    ran = subprocess.run(command, cwd=TESTS.parent, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout[-5000:]
    assert "skipped" not in ran.stdout
