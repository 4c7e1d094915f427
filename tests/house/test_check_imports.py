"""The import check passes the house, and sees what it should."""

import importlib.util
import pathlib

import pytest

PATH = pathlib.Path(__file__).parents[2] / "tools" / "check_imports.py"
spec = importlib.util.spec_from_file_location("check_imports", PATH)
check_imports = importlib.util.module_from_spec(spec)
spec.loader.exec_module(check_imports)


def test_the_house_is_in_order():
    assert check_imports.main() == 0


@pytest.mark.parametrize(
    ("room", "module", "at_top", "wrong"),
    [
        ("layers", "tensorflow", True, True),
        ("layers", "tensorflow", False, False),
        ("layers", "keras_arch.models.vision.vgg", True, True),
        ("layers", "keras_arch.initializers", True, False),
        ("layers", "keras_arch.layers.stem", True, False),
        ("models", "keras_arch.layers", True, False),
        ("models", "keras_arch.models.vision.vgg", True, True),
        ("models", "keras_arch.data", False, True),
        ("initializers", "keras_arch.losses", True, True),
        ("callbacks", "keras_arch.models", True, True),
        ("callbacks", "tensorboard", True, False),
        ("training", "sklearn", True, True),
        ("training", "math", True, False),
        ("data", "keras_arch.recipes", False, True),
        ("cli", "keras_arch.recipes", False, False),
    ],
)
def test_what_it_sees(room, module, at_top, wrong):
    assert bool(list(check_imports.complaints(room, module, at_top))) == wrong
