"""docs/coverage.csv maps a lecture's topics to code: what it calls done is there."""

import csv
import importlib
import pathlib
import re

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


def check_paths(row, root):
    """The row's tests and recipe are there, and a test speaks of what the row names."""
    assert row["test"], "a part that is done has a test"
    texts = {}
    for path in (*row["test"].split(), *row["recipe"].split()):
        file, _, test = path.partition("::")
        assert (root / file).is_file(), path
        texts[path] = (root / file).read_text(encoding="utf-8")
        if test:
            assert re.search(rf"^\s*def {re.escape(test)}\(", texts[path], re.MULTILINE), path
    words = {word for path in row["test"].split() for word in re.findall(r"\w+", texts[path])}
    lasts = {re.split(r"[.:]", name)[-1] for name in row["names"].split()}
    assert words & lasts, f"none of {sorted(lasts)} in {row['test']}"


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
    check_paths(row, ROOT)


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


@pytest.mark.parametrize(
    ("names", "test", "good"),
    [
        ("layers.Right", "test_it.py", True),
        ("layers.Other layers.Right", "test_it.py::test_right", True),
        ("recipe:room.Right", "test_it.py", True),
        ("layers.Right", "test_it.py::test_method", True),
        ("layers.Right", "test_it.py::test_rig", False),  # the beginning of another
        ("layers.Right", "test_it.py::right", False),
        ("layers.Right", "test_that.py", False),
        ("layers.Righ", "test_it.py", False),
        ("layers.Other", "test_it.py", False),  # the file of something else
        ("layers.Right", "", False),
    ],
)
def test_wrong_paths_are_noticed(names, test, good, tmp_path):
    (tmp_path / "test_it.py").write_text(
        "def test_right():\n    Right()\n\nclass A:\n    def test_method(self): ..."
    )
    row = {"names": names, "test": test, "recipe": ""}
    if good:
        check_paths(row, tmp_path)
    else:
        with pytest.raises(AssertionError):
            check_paths(row, tmp_path)
