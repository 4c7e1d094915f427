"""Imports only point down, nothing third-party but keras and numpy loads with the package.

Prints each line that does not hold; the exit status says whether there was one.
"""

import ast
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FLOORS = [  # a room may import those of lower floors, and no room of its own floor
    ["disk", "errors", "replaced"],
    ["registry", "weight_file", "taps"],
    ["weights"],
    ["initializers", "losses", "activations", "regularizers"],
    ["layers"],
    ["training"],
    ["models"],
    ["search"],
]
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
BESIDE = {  # know keras.Model, not ours; the plugin of TensorBoard knows not even that
    *("data", "callbacks", "analysis", "compress", "export", "tensorboard_plugin"),
}
ALLOWED_BESIDE = {"registry", "disk", "errors", "replaced", "weights", "taps"}
OUTSIDE = {"__main__", "cli", "recipes", "serving"}  # import the public package
EAGER = set(FLOOR) - {"search"}  # loaded by `import keras_arch`: keras and numpy only
TYPES = {"TYPE_CHECKING", "typing.TYPE_CHECKING"}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
NAMES = {"utils", "common", "base", "misc", "helpers"}  # one obvious place for each thing


def imports(node, at_top=True):
    """Yield ``(module, line, whether it loads with the file)`` of every import, types aside."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield alias.name, child.lineno, at_top
        elif isinstance(child, ast.ImportFrom):
            if (child.level, child.module) == (0, "keras_arch"):
                for alias in child.names:
                    yield f"keras_arch.{alias.name}", child.lineno, at_top
            else:
                yield "." * child.level + (child.module or ""), child.lineno, at_top
        elif isinstance(child, ast.If) and ast.unparse(child.test) in TYPES:
            yield from imports(ast.Module(child.orelse, []), at_top)
        else:
            yield from imports(child, at_top and not isinstance(child, FUNCTIONS))


def complaints(room, module, at_top, contents=False):
    """Yield what is wrong with an import of ``module`` in a file of ``room``.

    ``contents`` says that the file is the room's ``__init__``, its table of contents.
    """
    if module.startswith("."):
        yield "a relative import: write it absolutely"
        return
    package, *rest = module.split(".")
    if package == "keras_arch_client" and room != "cli":
        yield "serving and its client stand outside: only cli imports the client"
        return
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
    elif room == target == "models" and len(rest) > 1 and not contents:
        yield "a family imports no other family: reuse goes down into layers"


def faults(root):
    """Yield every fault of a checkout, as a line."""
    for path in sorted((root / "keras_arch").rglob("*.py")):
        place = path.relative_to(root)
        room, *rest = path.relative_to(root / "keras_arch").with_suffix("").parts
        if NAMES & {room, *rest}:
            yield f"{place}: files and folders are named after what they hold"
        if place.parts == ("keras_arch", "__init__.py"):
            continue  # the public package, above all floors
        if room not in {*FLOOR, *BESIDE, *OUTSIDE}:
            yield f"{place}: no such room; add it to {pathlib.Path(__file__).name}"
            continue
        for module, line, at_top in imports(ast.parse(path.read_text(encoding="utf-8"))):
            for complaint in complaints(room, module, at_top, contents=rest == ["__init__"]):
                yield f"{place}:{line}: {complaint}"
    for room in ("recipes", "serving"):
        for path in sorted((root / room).rglob("*.py")):
            for module, line, _ in imports(ast.parse(path.read_text(encoding="utf-8"))):
                if module.split(".")[0] == "tests":
                    yield f"{path.relative_to(root)}:{line}: {room} does not import tests"


def main(root=ROOT):
    """Print every fault of a checkout; returns their number."""
    found = list(faults(root))
    for fault in found:
        print(fault)
    return len(found)


if __name__ == "__main__":
    sys.exit(main() > 0)
