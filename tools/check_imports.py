"""Imports only point down, nothing third-party but keras and numpy loads with the package.

Prints each line that does not hold; the exit status says whether there was one.
"""

import ast
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FLOORS = [  # a room may import those of lower floors, and no room of its own floor
    ["errors"],
    ["registry", "weights", "taps"],
    ["initializers", "losses", "activations", "regularizers"],
    ["layers"],
    ["training"],
    ["models"],
    ["search"],
]
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
BESIDE = {"data", "callbacks", "analysis", "compress", "export"}  # know keras.Model, not ours
ALLOWED_BESIDE = {"registry", "errors", "weights", "taps"}
OUTSIDE = {"__main__", "cli", "recipes", "serving"}  # import the public package
EAGER = set(FLOOR) - {"search"}  # loaded by `import keras_arch`: keras and numpy only
NAMES = {"utils", "common", "base", "misc", "helpers"}  # one obvious place for each thing


def imports(tree):
    """Yield ``(module, line, at the top level)`` of every import, types aside."""
    top = {id(node) for node in tree.body}
    hidden = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            hidden |= {id(inner) for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) in hidden:
            continue
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno, id(node) in top
        elif isinstance(node, ast.ImportFrom):
            if node.module == "keras_arch":
                for alias in node.names:
                    yield f"keras_arch.{alias.name}", node.lineno, id(node) in top
            else:
                yield node.module or ".", node.lineno, id(node) in top


def complaints(room, module, at_top):
    """Yield what is wrong with an import of ``module`` in a file of ``room``."""
    package, *rest = module.split(".")
    if at_top and room not in OUTSIDE:
        if package == "tensorflow":
            yield "tensorflow at the top of a module: import it in the function"
        elif room in EAGER and package not in {
            "keras",
            "keras_arch",
            "numpy",
            *sys.stdlib_module_names,
        }:
            yield f"{package} loads with `import keras_arch`: import it in the function"
    if package != "keras_arch" or not rest or room in OUTSIDE:
        return
    target = rest[0]
    if target in OUTSIDE:
        yield f"{target} stands outside: nothing here imports it"
    elif room in BESIDE:
        if target not in {*ALLOWED_BESIDE, room}:
            yield f"{room} knows keras.Model and the registry, not {target}"
    elif target in BESIDE:
        yield f"{target} stands beside: {room} does not import it"
    elif target in FLOOR and target != room and FLOOR[target] >= FLOOR[room]:
        yield f"{room} may not import {target}: imports only point down"
    elif room == target == "models" and len(rest) > 1:
        yield "a family imports no other family: reuse goes down into layers"


def main():
    """Check every file of the package; return the number of complaints."""
    found = 0
    for path in sorted((ROOT / "keras_arch").rglob("*.py")):
        parts = path.relative_to(ROOT / "keras_arch").with_suffix("").parts
        room = parts[0]
        if path.stem in NAMES:
            print(f"{path.relative_to(ROOT)}: a file is named after what it holds")
            found += 1
        if path.name == "__init__.py" and len(parts) <= 2:
            continue  # a table of contents
        if room not in {*FLOOR, *BESIDE, *OUTSIDE}:
            print(
                f"{path.relative_to(ROOT)}: no such room; add it to {pathlib.Path(__file__).name}"
            )
            found += 1
            continue
        for module, line, at_top in imports(ast.parse(path.read_text())):
            for complaint in complaints(room, module, at_top):
                print(f"{path.relative_to(ROOT)}:{line}: {complaint}")
                found += 1
    return found


if __name__ == "__main__":
    sys.exit(main() > 0)
