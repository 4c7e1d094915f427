"""The wheel holds every package, and works where the checkout is not."""

import configparser
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]
MOVED = {"recipes": "keras_arch.recipes", "serving": "keras_arch.serving"}
ALONE = {  # installed beside keras_arch, so that they bring no TensorFlow
    "keras_arch.serving.client": "keras_arch_client",
    "keras_arch.tensorboard_plugin": "keras_arch_tensorboard",
}


def test_every_package_is_listed():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    found = []
    for top in ("keras_arch", "recipes", "serving"):
        for init in (ROOT / top).rglob("__init__.py"):
            first, *rest = init.parent.relative_to(ROOT).parts
            found.append(".".join([MOVED.get(first, first), *rest]))
    found = [ALONE.get(name, name) for name in found]
    assert config["options"]["packages"].split() == sorted(found)


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    """The ``bin`` of a new environment that holds the wheel and nothing of the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"  # setuptools writes beside the sources
    skip = shutil.ignore_patterns(".*", "*.egg-info", "build", "runs", "__pycache__")
    shutil.copytree(ROOT, source, ignore=skip)
    build = [sys.executable, "-m", "build", "--wheel", "--outdir", folder, source]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    scripts = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
    python = scripts / "python"
    uv = shutil.which("uv")
    pip = [uv, "pip", "install", "--python", python] if uv else [python, "-m", "pip", "install"]
    subprocess.run([*pip, "--quiet", wheel], check=True)
    return scripts


def run(*command, cwd):
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    ran = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.mark.timeout(900)
@pytest.mark.xdist_group("packaging")
class TestTheWheel:
    def test_builds_a_model(self, clean, tmp_path):
        code = (
            "import keras_arch, pathlib; print(pathlib.Path(keras_arch.__file__).parts[-3]);"
            "print(keras_arch.models.DenseNet121(weights=None).count_params())"
        )
        assert run(clean / "python", "-c", code, cwd=tmp_path).split() == [
            "site-packages",
            "8062504",
        ]

    def test_command_line(self, clean, tmp_path):
        listed = run(clean / "keras-arch", "list", "DenseNet*", cwd=tmp_path)
        assert "DenseNet121" in listed.split()

    def test_recipe(self, clean, tmp_path):
        command = (clean / "keras-arch", "train", "graph.gcn_karate", "--quick")
        assert "accuracy" in run(*command, cwd=tmp_path)
        (record,) = (tmp_path / "runs").rglob("run.json")
        assert '"finished"' in record.read_text()

    def test_brings_no_common_names(self, clean):
        (site,) = clean.parent.glob("[Ll]ib/**/site-packages")
        (top,) = site.glob("keras_arch-*.dist-info/top_level.txt")
        assert set(top.read_text().split()) == {"keras_arch", *ALONE.values()}

    def test_tensorboard_finds_its_tab(self, clean, tmp_path):
        code = (
            "import sys; from tensorboard import default;"
            "plugins = [p for p in default.get_dynamic_plugins() if p.__name__ == 'GradientMap'];"
            "from keras_arch_tensorboard.plugin import PAGE;"
            "print(len(plugins), PAGE.is_file(), 'keras' in sys.modules)"
        )
        assert run(clean / "python", "-c", code, cwd=tmp_path).split() == ["1", "True", "False"]
