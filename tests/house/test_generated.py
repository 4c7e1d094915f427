"""What is generated is current, and the public API changes only on purpose."""

import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).parents[2]


def test_readme_and_public_names_are_current():
    """After a change on purpose: ``./tools/catalogue``, and read the difference."""
    command = [sys.executable, ROOT / "tools" / "catalogue", "--check"]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
