"""The catalogue: who published each thing, how to build it, how big it is.

The catalogue builds nothing. A factory is an ordinary function, and
``keras_arch.models.DenseNet`` is that function. What is kept here are the facts that
tests, recipes, server, command line and docs all need, so that none of them holds a
list of its own.
"""

import dataclasses
import difflib
import fnmatch
import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any

import keras

from keras_arch.errors import invalid

_ENTRIES: dict[tuple[str, str], "Entry"] = {}  # by room and name


@dataclasses.dataclass(frozen=True, kw_only=True)
class Entry:
    """One public class or function, as its decorator described it (see ``register``)."""

    target: Callable[..., Any]
    paper: str
    authors: str
    year: int
    url: str
    venue: str = ""
    journal: str = ""
    task: str = ""
    reference: str = ""
    serves: str = ""
    presets: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)
    publications: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)
    parameters: Mapping[str, int] = dataclasses.field(default_factory=dict)
    rename: Mapping[str, str] = dataclasses.field(default_factory=dict)
    tiny: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)
    inputs: tuple[keras.layers.InputSpec, ...] = ()
    xfail: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name of the class or factory."""
        return self.target.__name__

    @property
    def path(self) -> list[str]:
        """Where it lives: ``["models", "vision"]``, ``["layers"]``, ..."""
        package, *rooms, _ = self.target.__module__.split(".")
        return rooms if package == "keras_arch" else ["models", "yours"]

    @property
    def room(self) -> str:
        """Subpackage it lives in: ``models``, ``layers``, ``initializers``, ..."""
        return self.path[0]

    def arguments(self, name: str, /, **overrides: Any) -> dict[str, Any]:
        """What a name of this entry stands for: a preset's arguments and its own name.

        Args:
            name: Of the entry or one of its presets.
            **overrides: Arguments that beat the preset's; an ``input_tensor`` has a shape of
                its own, and takes that of the preset away.
        """
        values = {**self.presets[name], "name": name.lower()} if name in self.presets else {}
        if overrides.get("input_tensor") is not None:
            values.pop("input_shape", None)
        return {**values, **overrides}


def register(**facts: Any) -> Callable[[Any], Any]:
    """Enter a factory or class in the catalogue; returns it unchanged.

    A factory of your own enters among the models, in the room ``yours``, and is then
    found by ``create``, ``list_models`` and the command line as ours are.

    Args:
        paper: Title of the publication.
        authors: Surnames, comma separated.
        year: Year of publication.
        url: Address of the publication.
        venue: Where it was published, e.g. ``"CVPR"``.
        journal: The journal, where it was published in one.
        task: What it is for, e.g. ``"image-classification"``.
        reference: Who else has it, and was compared: ``"keras.applications"``, ...
        serves: The part that is exported, where that is not the whole (``"generator"``).
        presets: Published variants, ``{"DenseNet121": {"depths": ...}}``.
        publications: Facts (``paper``, ``authors``, ...) of presets that have a publication
            of their own, ``{"SEVGG16": {"paper": ...}}``.
        parameters: ``count_params()`` of presets, each tested.
        rename: Regular expressions, applied in order, that turn the layer names of
            ``keras.applications`` into ours.
        tiny: Builds of well under a second, ``{"plain": {...}}``; used by every test.
        inputs: For a layer or a loss, what its tiny builds are called with; for an
            initializer, the shape it serves where that is not the kernel of a 2-D convolution.
        xfail: Conformance checks it cannot pass, ``{"check": "reason"}``, or one of its tiny
            builds cannot, ``{"check-build": "reason"}``.

    Raises:
        ValueError: If a name is already in the catalogue.
    """

    def enter(target: Any) -> Any:
        entry = Entry(target=target, **facts)
        names = (entry.name, *entry.presets)
        for name in names:
            if (entry.room, name) in _ENTRIES:
                raise ValueError(f"{entry.room}.{name} is already in the catalogue")
        _ENTRIES.update({(entry.room, name): entry for name in names})
        if inspect.isclass(target):
            keras.saving.register_keras_serializable(f"keras_arch.{entry.room}")(target)
        return target

    return enter


def get(name: str, room: str = "models") -> Entry:
    """Return the entry of a family (``"DenseNet"``) or preset (``"DenseNet121"``).

    Raises:
        ValueError: If the room has no such name; says the nearest ones.
    """
    if (room, name) not in _ENTRIES:
        names = {known.lower(): known for at, known in _ENTRIES if at == room}
        close = [names[low] for low in difflib.get_close_matches(str(name).lower(), names)]
        expected = f"a name in keras_arch.{room}"
        expected += (
            f", such as one of {close}" if close else " (`keras-arch list` knows all models)"
        )
        raise invalid("name", expected, name)
    return _ENTRIES[room, name]


def published(name: str, room: str = "models") -> Entry:
    """Return the entry with the publication of this very preset."""
    entry = get(name, room)
    return dataclasses.replace(entry, **entry.publications.get(name, {}))


def create(name: str, **overrides: Any) -> keras.Model:
    """Build a model by name: ``create("DenseNet121", classes=10)``.

    Args:
        name: A family or a preset; ``list_models`` knows all.
        **overrides: Arguments of the factory; they beat the preset's.

    Raises:
        ValueError: If there is no such name; says the nearest ones.
        TypeError: If the factory has no such argument.
    """
    entry = get(name)
    return entry.target(**entry.arguments(name, **overrides))


def list_models(filter: str = "*", task: str | None = None, room: str | None = None) -> list[str]:
    """List every name that ``create`` takes, families and presets, sorted.

    Args:
        filter: Wildcards, e.g. ``"DenseNet*"``; upper and lower case are one.
        task: Only models for it, e.g. ``"image-classification"``.
        room: Only models of it, e.g. ``"vision"``.

    Example:

    >>> keras_arch.list_models("DenseNet1?1")
    ['DenseNet121', 'DenseNet161']
    """
    return sorted(
        name
        for (at, name), entry in _ENTRIES.items()
        if at == "models"
        and fnmatch.fnmatchcase(name.lower(), filter.lower())
        and task in (None, entry.task)
        and room in (None, *entry.path[1:])
    )


def entries(room: str | None = None, task: str | None = None) -> list[Entry]:
    """List entries of all rooms, one per family, sorted by name."""
    unique = {(entry.name, entry.room): entry for entry in _ENTRIES.values()}
    return [
        entry
        for _, entry in sorted(unique.items())
        if room in (None, entry.room) and task in (None, entry.task)
    ]


def info(name: str, room: str = "models") -> dict[str, Any]:
    """Return the facts of a family or preset, without building it.

    Returns:
        A dictionary: ``name``, ``family``, ``room``, ``tasks``, ``paper``, ``authors``,
        ``venue``, ``year``, ``url``, ``citation``, ``parameters`` (tested counts by
        preset) and ``presets`` (their arguments).

    Example:

    >>> keras_arch.info("DenseNet121")["parameters"]
    {'DenseNet121': 8062504}
    """
    entry = published(name, room)
    presets = {name: entry.presets[name]} if name in entry.presets else entry.presets
    return {
        "name": name,
        "family": entry.name,
        "room": ".".join(entry.path),
        "tasks": [entry.task] if entry.task else [],
        "paper": entry.paper,
        "authors": entry.authors,
        "venue": entry.venue or entry.journal,
        "year": entry.year,
        "url": entry.url,
        "citation": cite(name, room),
        "parameters": {p: n for p, n in entry.parameters.items() if p in (name, *presets)},
        "presets": {preset: dict(values) for preset, values in presets.items()},
    }


def cite(name: str, room: str = "models") -> str:
    """Return the publication as a BibTeX entry."""
    entry = published(name, room)
    words = [word.lower() for word in re.findall(r"\w+", entry.paper)]
    first = re.sub(r"\W", "", entry.authors.split(",")[0]).lower()
    key = f"{first}{entry.year}{next(word for word in words if len(word) > 3)}"
    fields = {
        "title": f"{{{entry.paper}}}",
        "author": " and ".join(entry.authors.split(", ")),
        "booktitle": entry.venue,
        "journal": entry.journal,
        "year": str(entry.year),
        "url": entry.url,
    }
    lines = [f"  {field} = {{{value}}}" for field, value in fields.items() if value]
    kind = "inproceedings" if entry.venue else "article" if entry.journal else "misc"
    return f"@{kind}{{{key},\n" + ",\n".join(lines) + "\n}"
