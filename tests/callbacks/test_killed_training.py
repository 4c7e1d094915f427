"""ExactResume under SIGKILL: the killed run and the one left alone end bit for bit alike."""

import json
import os
import pathlib
import random
import subprocess
import sys

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util import tensor_util

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[1]

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="starts are forks of one process")


def train(directory, kills):
    """Train alone, and killed as told; return how the starts of the latter ended."""
    alone, killed = str(directory / "alone"), str(directory / "killed")
    done = subprocess.run(
        [sys.executable, HERE / "killed_training.py", json.dumps({alone: [], killed: kills})],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    ends = json.loads(done.stdout)
    assert ends[alone] == ["done"], done.stderr
    return ends[killed]


def scalars(directory):
    """Every tag of a run with its steps and values, in the order of the files."""
    events = EventAccumulator(str(directory), {"tensors": 0, "scalars": 0})
    events.Reload()
    tags = events.Tags()
    found = {tag: [(e.step, e.value) for e in events.Scalars(tag)] for tag in tags["scalars"]}
    for tag in tags["tensors"]:
        if tag.startswith(("epoch_", "batch_", "evaluation_")):
            values = [
                (e.step, tensor_util.make_ndarray(e.tensor_proto)) for e in events.Tensors(tag)
            ]
            found[tag] = [(step, float(value)) for step, value in values]
    return found


def assert_same(directory):
    alone, killed = directory / "alone", directory / "killed"
    one, other = np.load(alone / "result.npz"), np.load(killed / "result.npz")
    assert one.files == other.files
    assert [name for name in one.files if not np.array_equal(one[name], other[name])] == []
    for name in ("result.json", "log.csv"):
        assert (killed / name).read_text() == (alone / name).read_text()
    for run in ("train", "validation", "gradient_flow"):
        logged = scalars(alone / "logs" / run)
        assert logged
        assert scalars(killed / "logs" / run) == logged


def test_killed_at_every_kind_of_moment(tmp_path):
    kills = [
        ["step", 3],  # in the middle of the first epoch
        ["epoch_end", 0],  # validated for the first time, and not yet saved
        ["half", 3],  # with half of a checkpoint written
        ["before", 4],  # written, and not yet in place
        ["after", 2],  # just in place
        None,  # and once more, after the end
    ]
    assert train(tmp_path, kills) == ["SIGKILL"] * 5 + ["done"] * 2

    result = json.loads((tmp_path / "alone" / "result.json").read_text())
    assert result["epochs"] == [0, 1, 2, 3, 4, 5, 6]  # of nine: it was stopped early
    assert result["stopping"][3] == 6
    falls = np.diff(np.log(result["history"]["learning_rate"])).round(3)
    assert len(set(falls)) > 1  # a plateau was met
    logged = scalars(tmp_path / "alone" / "logs" / "train")
    assert [step for step, _ in logged["batch_loss"]] == list(range(1, 43))
    assert [step for step, _ in logged["epoch_loss"]] == list(range(7))
    assert_same(tmp_path)


def test_killed_at_random_moments(tmp_path):
    delays = random.Random(0)
    kills = [["seconds", delays.uniform(0, 0.4)] for _ in range(3)]
    ends = train(tmp_path, [*kills, ["epoch_end", 6]])
    assert ends[0] == "SIGKILL"
    assert set(ends[:-1]) <= {"SIGKILL", "done"}
    assert_same(tmp_path)
