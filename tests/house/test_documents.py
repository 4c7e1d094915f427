"""What the documents point at is there."""

import ast
import os
import pathlib
import re
import textwrap

import pytest

from keras_arch import recipes

ROOT = pathlib.Path(__file__).parents[2]
DOCUMENTS = ["README.md", "CONTRIBUTING.md", "docs/gradient_flow.md"]
RECIPES = sorted(path.relative_to(ROOT) for path in (ROOT / "recipes").rglob("*.py"))


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def links(text):
    """The targets of links and pictures that are files: no address, no anchor."""
    found = re.findall(r"\]\(<?([^)\s>]+)", text) + re.findall(r"(?:src|href)=\"([^\"]+)\"", text)
    files = [target.partition("#")[0] for target in found if not re.match(r"\w+:", target)]
    return [file for file in files if file]


def blocks(text):
    """The Python blocks."""
    return [textwrap.dedent(code) for code in re.findall(r"```python\n(.*?)```", text, re.DOTALL)]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links(name):
    folder = (ROOT / name).parent
    missing = [link for link in links(read(name)) if not (folder / link).exists()]
    assert missing == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_tools(name):
    tools = {ROOT / tool for tool in re.findall(r"\./(tools/[\w.-]*\w)", read(name))}
    assert tools or name.startswith("docs/")
    assert [tool for tool in tools if not (tool.is_file() and os.access(tool, os.X_OK))] == []


@pytest.mark.parametrize("name", ["README.md", "docs/gradient_flow.md"])
def test_python_blocks(name):
    found = blocks(read(name))
    assert found
    for code in found:
        ast.parse(code)


@pytest.mark.parametrize("path", RECIPES, ids=str)
def test_no_number_is_missing_from_a_recipe(path):
    assert not re.search(r"\bRESULT\b", read(path)), "measure it, and write it down"


@pytest.mark.parametrize("name", recipes.names())
def test_every_recipe_has_a_result(name):
    assert f"| `keras-arch train {name}" in read("docs/results/recipes.md"), "see tools/results"


def test_what_is_looked_for():
    text = '![a](docs/a.png) [b](b.md#c) [web](https://x.y) [here](#top) <img src="d.png">'
    assert links(text) == ["docs/a.png", "b.md", "d.png"]
    assert blocks("```python\nx = 1\n```\n\n    ./tools/test\n\n```python\ny\n```") == [
        "x = 1\n",
        "y\n",
    ]
