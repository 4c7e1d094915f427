"""docs/coverage.csv maps a lecture's topics to code: what it calls done is there."""

import csv
import importlib
import pathlib

import keras
import pytest

ROOT = pathlib.Path(__file__).parents[1]
with (ROOT / "docs" / "coverage.csv").open(newline="", encoding="utf-8") as file:
    ROWS = {row["id"]: row for row in csv.DictReader(file)}
FILLED = [row for row in ROWS.values() if row["state"] != "open"]


def resolve(name):
    """``models.VGG`` of ours, ``keras:layers.Conv2D`` of Keras, ``recipe:room.name``."""
    if name.startswith("recipe:"):
        return next((ROOT / "recipes").rglob(f"{name.removeprefix('recipe:')}.py"))
    if name.startswith("keras:"):
        found = keras
        for part in name.removeprefix("keras:").split("."):
            found = getattr(found, part)
        return found
    room, *parts = name.split(".")
    found = importlib.import_module(f"keras_arch.{room}")
    for part in parts:
        found = getattr(found, part)
    return found


def test_the_table_is_whole():
    assert len(ROWS) == 300
    assert {row["state"] for row in ROWS.values()} <= {"open", "done", "elsewhere"}
    assert FILLED


@pytest.mark.parametrize("row", FILLED, ids=lambda row: row["id"])
def test_what_is_not_open_is_there(row):
    names = row["names"].split()
    if names[0].startswith("see:"):
        named = {ROWS[name.removeprefix("see:")]["state"] for name in names}
        assert row["state"] in named
        assert "open" not in named
        return
    assert all(resolve(name) is not None for name in names)
    if row["state"] == "elsewhere":
        assert all(name.startswith("keras:") for name in names)
        return
    assert row["test"], "a part that is done has a test"
    for path in (*row["test"].split(), *row["recipe"].split()):
        file, _, test = path.partition("::")
        assert (ROOT / file).is_file(), path
        assert f"def {test}" in (ROOT / file).read_text(encoding="utf-8"), path


@pytest.mark.parametrize(
    "row", [r for r in ROWS.values() if r["state"] == "open"], ids=lambda r: r["id"]
)
def test_an_open_row_of_done_rows_is_not_open(row):
    names = row["names"].split()
    if names[0].startswith("see:"):
        states = {ROWS[name.removeprefix("see:")]["state"] for name in names}
        assert "open" in states


@pytest.mark.parametrize(
    "name", ["models.NoSuchNet", "keras:layers.NoSuchLayer", "no_such_room.Net"]
)
def test_a_name_that_is_not_there_is_noticed(name):
    with pytest.raises((AttributeError, ImportError)):
        resolve(name)
