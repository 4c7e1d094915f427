"""What holds in one process holds in another, and on JAX."""

import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest
from conformance.elsewhere import answers
from conformance.probe import LAYERS, MODELS, PARTS, array, build, draws, inputs

pytestmark = [
    pytest.mark.xdist_group("elsewhere"),  # one worker: each process starts once
    pytest.mark.timeout(1800),  # and takes minutes for all builds
]
SCRIPT = pathlib.Path(__file__).with_name("elsewhere.py")
DRAWN = {f"formula/{entry.room}/{entry.name}-{label}" for entry, label in PARTS if draws(entry)}
SAMPLE = {entry.path[-1]: (entry, label) for entry, label in MODELS}  # one of each room


def run(out, backend, kind):
    # What JAX compiles runs once: without optimizations that takes a quarter of the time.
    settings = {"KERAS_BACKEND": backend, "JAX_DISABLE_MOST_OPTIMIZATIONS": "1"}
    environment = {**os.environ, **settings}
    subprocess.run([sys.executable, SCRIPT, out, kind], check=True, env=environment)
    return dict(np.load(out))


@pytest.fixture(scope="module")
def here():
    return dict(answers("seeded", "formula"))


@pytest.fixture(scope="module")
def on_jax(tmp_path_factory):
    return run(tmp_path_factory.mktemp("jax") / "jax.npz", "jax", "formula")


@pytest.fixture(scope="module")
def again(tmp_path_factory):
    return run(tmp_path_factory.mktemp("again") / "again.npz", "tensorflow", "seeded")


def names(kind):
    return [
        pytest.param(
            f"{kind}/{entry.room}/{entry.name}-{label}",
            id=f"{entry.name}-{label}",
            marks=[pytest.mark.xfail(reason=entry.xfail["jax"], strict=True, raises=KeyError)]
            if "jax" in entry.xfail and kind == "formula"
            else [],
        )
        for entry, label in (*MODELS, *LAYERS, *PARTS)
    ]


@pytest.mark.parametrize("name", names("formula"))
def test_jax_answers_alike(here, on_jax, name):
    expected, found = here[name], on_jax[name]
    if name in DRAWN:  # a seed is another draw there, of the same law
        assert found.shape == expected.shape
        spread = np.sqrt(np.mean(expected**2))
        np.testing.assert_allclose(np.sqrt(np.mean(found**2)), spread, rtol=0.15)
        return
    scale = np.abs(expected).max()
    np.testing.assert_allclose(found, expected, atol=1e-4 * scale, rtol=0)


@pytest.mark.parametrize("name", names("seeded"))
def test_a_seed_decides_everything(here, again, name):
    np.testing.assert_array_equal(again[name], here[name])


def test_a_file_opens_in_a_fresh_process(tmp_path):
    expected = {}
    for entry, label in SAMPLE.values():
        keras.utils.set_random_seed(1)
        model = build(entry, label)
        model.save(tmp_path / f"{entry.name}-{label}.keras")
        expected[f"reloaded/{entry.name}-{label}"] = array(model(inputs(model)))
    found = run(tmp_path / "reloaded.npz", "tensorflow", tmp_path)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value)
