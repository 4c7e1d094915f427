"""Stored sets: those of TFDS, and our own, which are prepared where they are first used.

    name -> builder -> prepared files -> records of a split, in stored order

Only ``prepare`` downloads. ``load`` of a set that is not there fails at once, and names the
command that prepares it.
"""

import difflib
import io
import logging
import os
import random
import shlex
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any

from keras_arch.data import bundled, made
from keras_arch.errors import invalid

logger = logging.getLogger(__name__)


def prepare(name: str, *, data_dir: str | os.PathLike | None = None, **options: Any) -> str:
    """Prepare a set, so that ``load`` finds it; nothing happens where it is prepared.

    Our own sets need no call, ``load`` prepares them; a set of TFDS is downloaded.

    Args:
        name: Name of a stored set: ``"digits"``, ``"cifar10"``, ``"glue/cola"``.
        data_dir: Where sets are stored; by default ``TFDS_DATA_DIR``, else TFDS's own.
        **options: What our own set takes (``length`` of ``"text"``).

    Returns:
        The directory of the prepared set.

    Raises:
        ValueError: If there is no such set, with the nearest names.
        ImportError: If the set ships with an optional dependency that is not installed.
    """
    builder = builder_of(name, data_dir, **options)
    builder.download_and_prepare()
    return builder.data_dir


def builder_of(name: str, data_dir: str | os.PathLike | None = None, **options: Any) -> Any:
    """Return the TFDS builder of a stored set; our own sets come prepared."""
    root = None if data_dir is None else os.path.expanduser(os.fspath(data_dir))
    if name in bundled.SETS:
        return bundled_builder(name, root, **options)
    if options:
        raise invalid("options", f"none, since {name} is no set of keras_arch", options)

    import tensorflow_datasets as tfds

    try:
        parsed, _ = tfds.core.naming.parse_builder_name_kwargs(name)
        if parsed.namespace:  # TFDS would look it up in the network, for minutes if there is none
            raise invalid("name", "a set without a namespace", name)
        return tfds.builder(name, data_dir=root)
    except tfds.core.DatasetNotFoundError as error:
        known = [*bundled.SETS, *made.TASKS, *tfds.list_builders(with_community_datasets=False)]
        close = difflib.get_close_matches(name, known)
        nearest = f", such as {close}" if close else ""
        raise invalid("name", f"a set of keras_arch or TFDS{nearest}", name) from error


def bundled_builder(name: str, data_dir: str | None, **options: Any) -> Any:
    """Return the builder of one of our own sets, prepared in one move.

    It is written beside its place and renamed, so that what stands in its place is whole;
    where two processes do this at once, one of them is first and both read its files.
    """
    make = bundled.SETS[name]
    builder = make(data_dir=data_dir, **options)
    if builder.data_path.exists():
        return builder
    logger.info("Preparing the set %s in %s", name, builder.data_dir)
    aside = builder.data_dir_root / f"{name}.incomplete.{uuid.uuid4().hex}"
    place = builder.data_path
    try:
        written = make(data_dir=aside, **options)
        # TFDS prints that it downloads, which is untrue of these sets.
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()), same_random_state():
            written.download_and_prepare()
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            written.data_path.rename(place)
        except OSError:
            if not place.exists():
                raise
    finally:
        aside.rmtree(missing_ok=True)
    return make(data_dir=data_dir, **options)


@contextmanager
def same_random_state() -> Iterator[None]:
    """Leave Python's random state as it was.

    TFDS draws from it to name its temporary directory. Keras draws its default seeds from
    it, so the first run of a program would otherwise start from other weights than the next.
    """
    state = random.getstate()
    try:
        yield
    finally:
        random.setstate(state)


def read(builder: Any, name: str, split: str, encoded: str | None) -> Any:
    """Return a ``tf.data.Dataset`` of the records of a split, in stored order.

    Args:
        builder: Builder of the set.
        name: The name that the user gave.
        split: Split or slice of it, ``"train[:80%]"``.
        encoded: Name of an image that stays encoded.
    """
    import tensorflow_datasets as tfds

    try:
        return builder.as_dataset(
            split=split,
            decoders={encoded: tfds.decode.SkipDecoding()} if encoded else None,
            read_config=tfds.ReadConfig(interleave_cycle_length=1, skip_prefetch=True),
        )
    except AssertionError as error:  # how TFDS says that there are no files
        if builder.data_path.exists():
            raise
        raise unprepared(builder, name) from error


def unprepared(builder: Any, name: str) -> ValueError:
    """Return the error to raise, with the command that prepares the set."""
    root = str(builder.data_dir_root)
    # Not `tfds build`, which needs Apache Beam, even for a set that does not.
    command = (sys.executable, "-m", "keras_arch", "prepare", name, "--data_dir", root)
    return invalid(
        "name",
        f"a set that is prepared in {root} (this prepares it: `{shlex.join(command)}`)",
        name,
    )
