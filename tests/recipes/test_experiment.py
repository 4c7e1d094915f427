"""How a run shows its progress."""

import argparse
import io

import pytest

from keras_arch.recipes.experiment import Experiment


class Stdout(io.StringIO):
    def __init__(self, terminal):
        super().__init__()
        self.terminal = terminal

    def isatty(self):
        return self.terminal


@pytest.mark.parametrize(
    ("terminal", "no_color", "verbose"),
    [(True, False, 1), (True, True, 2), (False, False, 2), (False, True, 2)],
)
def test_a_bar_is_for_terminals_with_colour(terminal, no_color, verbose, tmp_path, monkeypatch):
    options = argparse.Namespace(seed=0, quick=False, steps=None, output=str(tmp_path))
    experiment = Experiment("room.name", options, {})
    monkeypatch.delenv("NO_COLOR", raising=False)
    if no_color:
        monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr("sys.stdout", Stdout(terminal))
    assert experiment.verbose == verbose
