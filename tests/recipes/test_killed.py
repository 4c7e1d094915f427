"""A recipe that is killed and started again ends with the same bits."""

import json
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import keras_arch  # noqa: F401 - makes its layers known to load_model

RECIPE = "keras_arch.recipes.sequence.minimal_rnn_adding"  # the lightest
# A checkpoint comes every 100 steps: the 60 after it leave time to kill.
COMMAND = [sys.executable, "-m", RECIPE, "--deterministic", "--steps", "160", "--output"]


def start(folder):
    return subprocess.Popen(
        [*COMMAND, str(folder)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def end(process):
    said, _ = process.communicate(timeout=200)
    assert process.returncode == 0, said


def kill_after_a_checkpoint(folder):
    process = start(folder)
    checkpoint = folder / "checkpoints" / "training.npz"
    try:
        while not checkpoint.exists():
            assert process.poll() is None, process.communicate()[0]
            time.sleep(0.01)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == -signal.SIGKILL


def gradients(folder):
    events = EventAccumulator(str(folder / "logs" / "gradient_flow"), {"scalars": 0})
    events.Reload()
    return {tag: events.Scalars(tag) for tag in events.Tags()["scalars"]}


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no SIGKILL")
def test_killed_and_started_again(tmp_path):
    alone, killed = tmp_path / "alone", tmp_path / "killed"
    undisturbed = start(alone)
    try:
        kill_after_a_checkpoint(killed)
        assert json.loads((killed / "run.json").read_text())["status"] == "running"
        assert not (killed / "model.keras").exists()
        restarted = time.time()
        end(start(killed))
        end(undisturbed)
    finally:
        undisturbed.kill()
        undisturbed.wait()
    one, other = (
        keras.models.load_model(folder / "model.keras", compile=False).get_weights()
        for folder in (alone, killed)
    )
    for array, same in zip(one, other, strict=True):
        np.testing.assert_array_equal(array, same)
    numbers = [json.loads((f / "run.json").read_text())["numbers"] for f in (alone, killed)]
    assert numbers[0] == numbers[1]
    # It went on: what was logged before the checkpoint still stands, once, and the rest is new.
    logged, expected = gradients(killed), gradients(alone)
    assert logged.keys() == expected.keys()
    for tag, events in logged.items():
        assert [(e.step, e.value) for e in events] == [(e.step, e.value) for e in expected[tag]]
        assert [e.wall_time < restarted for e in events] == [e.step < 100 for e in events]
