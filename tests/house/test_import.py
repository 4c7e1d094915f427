"""What ``import keras_arch`` loads, reaches and writes."""

import os
import subprocess
import sys

import pytest

GUARD = """
import builtins, socket, sys
written = set()
def audit(event, arguments):
    if event == "open" and isinstance(arguments[0], str) and set(arguments[1] or "") & set("wax+"):
        written.add(arguments[0])
    if event in ("socket.connect", "socket.getaddrinfo", "socket.bind"):
        raise OSError(f"the import reached for the network: {arguments}")
sys.addaudithook(audit)
import keras, numpy
before, files = set(sys.modules), set(written)
import keras_arch
new = {name.split(".")[0] for name in set(sys.modules) - before}
print(sorted(new - set(sys.stdlib_module_names) - {"keras", "numpy"}))
print(sorted(name for name in written - files if not name.endswith(".pyc")))
print("tensorflow" in sys.modules)
"""


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_import_is_light_and_silent(backend, tmp_path):
    environment = {
        **os.environ,
        "KERAS_BACKEND": backend,
        "HOME": str(tmp_path),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    ran = subprocess.run(
        [sys.executable, "-c", GUARD], env=environment, cwd=tmp_path, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    new, files, tensorflow = map(eval, ran.stdout.splitlines())
    assert {name for name in new if not name.startswith("__editable__")} == {"keras_arch"}
    assert files == []
    assert tensorflow == (backend == "tensorflow")


def test_the_guard_sees_what_it_should(tmp_path):
    for line, seen in [
        ("import socket; socket.create_connection(('127.0.0.1', 9))", "reached for the network"),
        ("open('written', 'w')", "'written'"),
        ("import networkx", "'networkx'"),
    ]:
        code = GUARD.replace("import keras_arch\n", f"{line}\n")
        ran = subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True
        )
        assert seen in ran.stdout + ran.stderr
