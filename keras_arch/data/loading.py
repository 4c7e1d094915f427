"""Load: any set by name, as a ``tf.data.Dataset`` that can start anywhere."""

import dataclasses
import math
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_arch.data import made, stored
from keras_arch.data.augment import Augmentation
from keras_arch.data.order import ordered, whole
from keras_arch.errors import invalid

if TYPE_CHECKING:
    import tensorflow as tf

SHUFFLE_BYTES = 2**28  # of records as they are stored: images are still encoded


@dataclasses.dataclass(frozen=True)
class Source:
    """A split in stored order, and how a record of it is read."""

    records: "tf.data.Dataset"
    supervised: Any  # names of input, target and weight, nested as Keras takes them
    buffer: int  # records to shuffle among
    image: str | None = None  # name of the image that is the input
    decode: Callable[[Any], Any] | None = None  # that image, encoded -> pixels


@dataclasses.dataclass(frozen=True)
class Info:
    """What is known of a set before it is read.

    Attributes:
        splits: Examples of each split.
        features: ``tf.TensorSpec`` of each feature, as ``load(as_supervised=False)`` gives it.
        classes: Names of the classes, where the target is a class.
        vocabulary: Characters by token, where the set is text.
    """

    splits: Mapping[str, int]
    features: Mapping[str, Any]
    classes: tuple[str, ...] | None = None
    vocabulary: str | None = None


def load(
    name: str,
    split: str = "train",
    *,
    batch_size: int | None = None,
    seed: int | None = None,
    epochs: int = 1,
    start: tuple[int, int] = (0, 0),
    as_supervised: bool = True,
    image_size: tuple[int, int] | int | None = None,
    augment: Augmentation | None = None,
    drop_remainder: bool = False,
    data_dir: str | os.PathLike | None = None,
    **options: Any,
) -> "tf.data.Dataset":
    """Load a set by name: one of ours, a made task, or any set of TFDS.

    What stands at (epoch, step) depends on ``seed`` and on nothing else: not on what was
    read before, the global seed, the process or the number of threads. So
    ``load(..., epochs=3, start=(1, 2))`` is ``load(..., epochs=3)`` without its first epoch
    and two more steps. A split whose records take more than 256 MiB is shuffled through a
    buffer of that size. ``len(load(name, split, batch_size=...))`` is the steps of an epoch.

    The image that is the input comes as float32 in [0, 1]; any other feature as it is stored.

    Args:
        name: ``"digits"``, ``"faces"``, ``"karate"``, ``"text"``, a made task such as
            ``"adding"``, or a name of TFDS, such as ``"cifar10"``.
        split: A split, or a slice of a stored one: ``"train[:80%]"``. Every made task has
            ``"train"``, ``"validation"`` and ``"test"``.
        batch_size: Examples of a batch, or ``None`` for single examples.
        seed: Which permutations; every epoch has its own. ``None`` is the stored order.
        epochs: Passes over the split.
        start: ``(epoch, step)`` to begin at, both counted from 0.
        as_supervised: Whether to give ``(input, target)``, or ``(input, target, weight)``
            where the set has one, rather than a dictionary of all features.
        image_size: ``(height, width)``, or one number for both; the image is resized by
            bilinear interpolation, and low-pass filtered first where it shrinks.
        augment: What changes the image by chance, such as ``shift_and_mirror()``: a function
            ``(image, key) -> image``, where each (seed, epoch, place) has a key of its own.
        drop_remainder: Whether to drop a last batch that is not full.
        data_dir: Where sets are stored; by default ``TFDS_DATA_DIR``, else TFDS's own.
        **options: What our own set or task takes: ``length`` of ``"text"``; the arguments of
            a made task (but ``seed``), and ``task_seed``, which alone decides its content.

    Returns:
        A ``tf.data.Dataset`` of known cardinality.

    Raises:
        ValueError: If there is no such set, with the nearest names; if it is not prepared,
            with the command that does it; or if an argument does not fit the set.
        ImportError: If the set ships with an optional dependency that is not installed.

    Example:

    >>> dataset = load("adding", batch_size=50, seed=0, examples=100, length=20)
    >>> len(dataset)
    2
    >>> dataset.element_spec[0].shape
    TensorShape([None, 20, 2])
    """
    source = source_of(name, split, data_dir, **options)
    if as_supervised and source.supervised is None:
        raise invalid("as_supervised", f"False, since {name} names no target", as_supervised)
    size = None if image_size is None else sides(image_size)
    if size and source.image is None:
        raise invalid("image_size", f"None, since the input of {name} is no image", image_size)
    if augment and source.image is None:
        raise invalid("augment", f"None, since the input of {name} is no image", augment)
    if augment and seed is None:
        raise invalid("seed", "a whole number, which decides what `augment` does", seed)

    def finish(record):
        import tensorflow as tf

        if source.image:
            image = source.decode(record[source.image])
            image = tf.image.convert_image_dtype(image, tf.float32)
            if size:
                image = tf.image.resize(image, size, antialias=True)
            record = {**record, source.image: image}
        if not as_supervised:
            return record
        return tf.nest.map_structure(lambda key: record[key], source.supervised)

    def vary(example, key):
        if as_supervised:
            image, *rest = example
            return augment(image, key), *rest
        return {**example, source.image: augment(example[source.image], key)}

    return ordered(
        source.records,
        finish,
        batch_size=batch_size,
        seed=seed,
        epochs=epochs,
        start=start,
        drop_remainder=drop_remainder,
        buffer=source.buffer,
        vary=vary if augment else None,
    )


def info(name: str, *, data_dir: str | os.PathLike | None = None, **options: Any) -> Info:
    """Tell splits, features, classes and vocabulary of a set.

    Args:
        name: Name of a set, as ``load`` takes it; one of TFDS must be prepared.
        data_dir: Where sets are stored.
        **options: What our own set or task takes.

    Example:

    >>> info("gaussian_ring", examples=5).splits
    {'train': 5, 'validation': 5, 'test': 5}
    """
    if name in made.TASKS:
        features = load(name, as_supervised=False, **options)
        return Info(dict.fromkeys(made.SPLITS, len(features)), features.element_spec)
    builder = stored.builder_of(name, data_dir, **options)
    splits = {split: about.num_examples for split, about in builder.info.splits.items()}
    if not splits:
        raise stored.unprepared(builder, name)
    record = load(name, next(iter(splits)), as_supervised=False, data_dir=data_dir, **options)
    target = (builder.info.supervised_keys or (None, None))[1]
    classes = getattr(dict(builder.info.features.items()).get(target), "names", None)
    return Info(
        splits,
        record.element_spec,
        classes and tuple(classes),
        (builder.info.metadata or {}).get("vocabulary"),
    )


def sides(image_size: Any) -> tuple[int, int]:
    """Return height and width of an image size."""
    try:
        height, width = (image_size, image_size) if np.ndim(image_size) == 0 else image_size
        whole("image_size", height, 1)
        whole("image_size", width, 1)
    except ValueError as error:
        raise invalid("image_size", "(height, width), or a number", image_size) from error
    return height, width


def source_of(name: str, split: str, data_dir: str | os.PathLike | None, **options: Any) -> Source:
    """Find a set by name, and open a split of it."""
    if not isinstance(name, str):
        raise invalid("name", "a string", name)
    if not isinstance(split, str):
        raise invalid("split", "a string", split)
    if name in made.TASKS:
        return made_source(name, split, **options)
    return stored_source(name, split, data_dir, **options)


def made_source(name: str, split: str, **options: Any) -> Source:
    """Make a split of a task."""
    import tensorflow as tf

    task = made.TASKS[name]
    if split not in made.SPLITS:
        raise invalid("split", f"one of {made.SPLITS}", split)
    examples = task.split(split, **options)
    first = next(iter(examples))
    spec = {name: tf.TensorSpec((None, *array.shape), array.dtype) for name, array in first.items()}
    record_bytes = sum(array.nbytes for array in first.values())
    records = tf.data.Dataset.from_generator(examples.blocks, output_signature=spec).unbatch()
    records = records.apply(tf.data.experimental.assert_cardinality(len(examples)))
    return Source(records, task.supervised, max(1, SHUFFLE_BYTES // record_bytes))


def stored_source(
    name: str, split: str, data_dir: str | os.PathLike | None, **options: Any
) -> Source:
    """Open a split of a stored set; its input image stays encoded until it has its place."""
    import tensorflow_datasets as tfds

    builder = stored.builder_of(name, data_dir, **options)
    features, supervised = dict(builder.info.features.items()), builder.info.supervised_keys
    image = supervised[0] if supervised else "image"
    if not (isinstance(image, str) and isinstance(features.get(image), tfds.features.Image)):
        image = None
    records = stored.read(builder, name, split, encoded=image)
    examples = max(1, builder.info.splits.total_num_examples)
    record_bytes = max(1, math.ceil(builder.info.dataset_size / examples))
    return Source(
        records,
        supervised,
        max(1, SHUFFLE_BYTES // record_bytes),
        image,
        features[image].decode_example if image else None,
    )
