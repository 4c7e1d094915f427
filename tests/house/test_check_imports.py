"""The import check passes the house, and sees what it should."""

import ast
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
        ("cli", "keras_arch_client", False, False),
        ("export", "keras_arch_client", False, True),
        ("layers", "keras_arch_client.tensors", False, True),
        ("layers", ".stem", True, True),
        ("cli", "..serving", False, True),
    ],
)
def test_what_it_sees(room, module, at_top, wrong):
    assert bool(list(check_imports.complaints(room, module, at_top))) == wrong


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("import a.b, c", [("a.b", 1, True), ("c", 1, True)]),
        ("from a.b import c", [("a.b", 1, True)]),
        ("from keras_arch import a, b", [("keras_arch.a", 1, True), ("keras_arch.b", 1, True)]),
        ("from .a import b", [(".a", 1, True)]),
        ("from .. import b", [("..", 1, True)]),
        ("from .keras_arch import b", [(".keras_arch", 1, True)]),
        ("try:\n import a\nexcept E:\n import b", [("a", 2, True), ("b", 4, True)]),
        ("if x:\n import a\nelse:\n import b", [("a", 2, True), ("b", 4, True)]),
        ("class A:\n import a\n def f(self):\n  import b", [("a", 2, True), ("b", 4, False)]),
        ("with x:\n for y in z:\n  import a", [("a", 3, True)]),
        ("def f():\n import a\n class A:\n  import b", [("a", 2, False), ("b", 4, False)]),
        ("async def f():\n if x:\n  import a", [("a", 3, False)]),
        ("if TYPE_CHECKING:\n import a\nimport b", [("b", 3, True)]),
        ("if typing.TYPE_CHECKING:\n import a\nelse:\n import b", [("b", 4, True)]),
        ("if not TYPE_CHECKING:\n import a", [("a", 2, True)]),
    ],
)
def test_imports(code, found):
    assert list(check_imports.imports(ast.parse(code))) == found


@pytest.mark.parametrize(
    ("path", "code", "said"),
    [
        ("keras_arch/layers/a.py", "import math, keras, numpy", None),
        ("keras_arch/layers/a.py", "try:\n    import torch\nexcept E:\n    pass", "a.py:2: torch"),
        ("keras_arch/layers/a.py", "class A:\n    import tensorflow", "a.py:2: tensorflow"),
        ("keras_arch/layers/a.py", "def f():\n    import tensorflow", None),
        ("keras_arch/layers/a.py", "from .b import c", "a.py:1: a relative import"),
        ("keras_arch/layers/a.py", "def f():\n    import keras_arch_client", "a.py:2: serving"),
        ("keras_arch/cli.py", "def f():\n    import keras_arch_client", None),
        ("keras_arch/__init__.py", "from keras_arch import models, training", None),
        ("keras_arch/layers/__init__.py", "from keras_arch.layers.a import A", None),
        ("keras_arch/layers/__init__.py", "import tensorflow", "__init__.py:1: tensorflow"),
        ("keras_arch/layers/__init__.py", "from keras_arch import models", "may not import models"),
        ("keras_arch/data/made/__init__.py", "from keras_arch import models", "not models"),
        ("keras_arch/models/__init__.py", "from keras_arch.models.vision.vgg import VGG", None),
        (
            "keras_arch/models/vision/__init__.py",
            "from keras_arch.models.vision.vgg import VGG",
            "a family imports no other family",
        ),
        ("keras_arch/kitchen/a.py", "", "no such room"),
        ("keras_arch/layers/utils.py", "", "named after what they hold"),
        ("keras_arch/layers/common/a.py", "", "named after what they hold"),
        ("keras_arch/layers/helpers/__init__.py", "", "named after what they hold"),
        ("recipes/vision/a.py", "import sklearn\nfrom keras_arch import models", None),
        ("recipes/vision/a.py", "def f():\n    from tests import formula", "recipes does not"),
        ("serving/client/a.py", "import tests.formula", "a.py:1: serving does not import tests"),
    ],
)
def test_main(path, code, said, tmp_path, capsys):
    file = tmp_path / path
    file.parent.mkdir(parents=True)
    file.write_text(code)
    assert check_imports.main(tmp_path) == (said is not None)
    assert (said or "") in capsys.readouterr().out
