"""Give a command of this folder its Python: `.venv` beside it, with the checkout installed.

Runs on any Python 3, with nothing installed: the first line of every command here.
"""

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
OLDEST, NEWEST = (3, 11), (3, 13)


def enter(script, extras=()):
    """Run ``script`` on the Python of ``.venv``; makes it, or completes it, where needed.

    Args:
        script: Path of the command, which calls this first.
        extras: Names of extras of ``setup.cfg`` that it needs.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # of TensorFlow's start, only errors
    python = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = VENV / "installed"  # written last, so that a killed installation is repeated
    if not (python.exists() and stamp.exists() and _covers(stamp.read_text(), extras)):
        _install(python, stamp, extras)
    if pathlib.Path(sys.prefix).resolve() != VENV.resolve():
        sys.exit(subprocess.call([str(python), str(script), *sys.argv[1:]]))


def _wanted():
    files = (ROOT / name for name in ("setup.cfg", "pyproject.toml"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def _covers(stamp, extras):
    made_for, *installed = stamp.split()
    return made_for == _wanted() and set(extras) <= set(installed)


def _install(python, stamp, extras):
    extras = sorted({*extras, *(stamp.read_text().split()[1:] if stamp.exists() else ())})
    what = f"{ROOT}[{','.join(extras)}]" if extras else str(ROOT)
    uv = shutil.which("uv")
    stamp.unlink(missing_ok=True)
    print(f"Installing keras_arch into {VENV} with {'uv' if uv else 'pip'} ...", flush=True)
    if not python.exists():
        make = [uv, "venv", "--clear", "--python"] if uv else [_python(), "-m", "venv", "--clear"]
        _run([*make, *([_python()] if uv else []), str(VENV)])
    pip = (
        [uv, "pip", "install", "--python", str(python)]
        if uv
        else [str(python), "-m", "pip", "install"]
    )
    _run([*pip, "--quiet", "--editable", what])
    stamp.write_text(" ".join([_wanted(), *extras]))


def _python():
    """This Python if it is one of ours, else another one on the path."""
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        return sys.executable
    names = [f"python3.{minor}" for minor in range(NEWEST[1], OLDEST[1] - 1, -1)]
    for name in names:
        found = shutil.which(name)
        if found and subprocess.call([found, "-c", ""], stderr=subprocess.DEVNULL) == 0:
            return found
    if shutil.which("uv"):
        return f"{NEWEST[0]}.{NEWEST[1]}"  # it brings one
    sys.exit(f"keras_arch needs Python 3.11, 3.12 or 3.13, this is {sys.version.split()[0]}")


def _run(command):
    if subprocess.call(command) != 0:
        sys.exit(f"Failed: {' '.join(command)}\nRun the command again when it is mended.")
