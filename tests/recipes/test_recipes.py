"""Every recipe runs for three steps and leaves what it promises."""

import importlib
import json
import os
import pathlib
import subprocess

import keras
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from keras_arch import recipes
from keras_arch.recipes import experiment


def train(name, *argv):
    recipe = importlib.import_module(f"keras_arch.recipes.{name}")
    options = getattr(recipe, "options", lambda parser: None)
    return experiment.main(recipe.run, recipe.TARGETS, options, list(argv))


def head():
    """The checkout's commit; ``None`` where the files lie in no checkout."""
    root = pathlib.Path(__file__).parents[2]
    if not (root / ".git").exists():
        return None
    command = ["git", "-C", str(root), "rev-parse", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def tags(folder):
    """What TensorBoard shows of a folder."""
    events = EventAccumulator(str(folder))
    events.Reload()
    found = events.Tags()
    return {*found["scalars"], *found["tensors"]}


@pytest.mark.parametrize("name", recipes.names())
def test_three_steps(name, tmp_path, capsys):
    commit = head()
    small = ["--model", "LeNet5"] if name == "vision.classify" else []
    done = train(name, "--steps", "3", "--output", str(tmp_path / "run"), *small)
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert record["status"] == "finished"
    recipe = importlib.import_module(f"keras_arch.recipes.{name}")
    assert set(recipe.TARGETS) <= set(record["numbers"])
    assert record["versions"]["keras"] == keras.__version__
    assert {"device", "seconds"} <= set(record)
    assert (record["seed"], record["cores"]) == (0, os.cpu_count())
    assert record["commit"] in {commit, head()}  # someone may commit meanwhile
    assert record["command"].strip()
    assert "target" in capsys.readouterr().out
    again = keras.models.load_model(tmp_path / "run" / "model.keras", compile=False)
    assert again.count_params() == done.model.count_params()
    (version,) = (path for path in done.served.iterdir() if path.name.isdigit())
    assert tf.saved_model.contains_saved_model(version)
    logs = tmp_path / "run" / "logs"
    trainings = [path.parent for path in logs.rglob("train")]
    assert trainings
    for training in trainings:
        assert any(tag.startswith("epoch_") for tag in tags(training / "train"))
        flow = tags(training / "gradient_flow")
        assert any(tag.startswith("log10_gradient_norm/") for tag in flow)
    for picture, alt in record.get("pictures", {}).items():
        assert (tmp_path / "run" / picture).stat().st_size > 1000
        assert len(alt) > 20


@pytest.mark.parametrize("name", recipes.names())
def test_header(name):
    header = importlib.import_module(f"keras_arch.recipes.{name}").__doc__
    assert recipes.summary(name) == header.split("\n")[0]
    assert f"keras-arch train {name}" in header
    assert "eaches" in header


class TestTheFolder:
    """Nothing that was trained is written over."""

    NAME = "sequence.minimal_rnn_adding"  # the lightest

    def start(self, folder, *argv):
        return train(self.NAME, "--steps", "1", "--output", str(folder), *argv)

    def test_a_finished_run_stays(self, tmp_path):
        self.start(tmp_path)
        before = (tmp_path / "run.json").read_text()
        with pytest.raises(SystemExit, match="finished run"):
            self.start(tmp_path)
        assert (tmp_path / "run.json").read_text() == before

    def test_other_files_stay(self, tmp_path):
        (tmp_path / "thesis.txt").write_text("mine")
        with pytest.raises(SystemExit, match="other files"):
            self.start(tmp_path)

    def test_an_interrupted_run_goes_on_with_its_options_only(self, tmp_path):
        self.start(tmp_path)
        path = tmp_path / "run.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "status": "running"}))
        with pytest.raises(SystemExit, match="same options"):
            self.start(tmp_path, "--seed", "7")
        self.start(tmp_path)


def test_a_missed_target_is_an_error(tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        experiment.main(missing, {"value": (1.0, None)}, argv=["--output", str(tmp_path)])
    assert stopped.value.code == 1
    assert "missed" in capsys.readouterr().out
    assert json.loads((tmp_path / "run.json").read_text())["numbers"] == {"value": 0.5}


def missing(_):
    return {"value": 0.5}


@pytest.mark.parametrize("steps", ["0", "-1"])
def test_steps_are_positive(steps, tmp_path):
    with pytest.raises(SystemExit):
        train("vision.classify", "--steps", steps, "--output", str(tmp_path))
    assert list(tmp_path.iterdir()) == []
