"""One script an experiment: what it shows, what it costs, the number it reaches.

Each runs by its name, ``keras-arch train vision.classify``, or as a module,
``python -m keras_arch.recipes.vision.classify``.
"""

import importlib.util
import pathlib
import pkgutil

__all__ = ["names", "summary"]


def names() -> list[str]:
    """The recipes by name: ``["generative.gan_ring", "graph.gcn_karate", ...]``."""
    modules = pkgutil.walk_packages(__path__, f"{__name__}.")
    return sorted(
        module.name.removeprefix(f"{__name__}.")
        for module in modules
        if not module.ispkg and module.name.count(".") == __name__.count(".") + 2
    )


def summary(name: str) -> str:
    """The first line of a recipe's header, without importing it."""
    spec = importlib.util.find_spec(f"{__name__}.{name}")
    assert spec is not None
    assert spec.origin is not None
    return pathlib.Path(spec.origin).read_text(encoding="utf-8").split('"""')[1].split("\n")[0]
