"""A SavedModel that TF-Serving, and our own server, serve as it lies on disk.

    model -> folded, bfloat16 -> signatures -> SavedModel + warm-up + manifest -> version

A version is written aside, under a name that no server takes for a version, and appears by
one rename: whoever sees it sees all of it.
"""

import functools
import os
import pathlib
import shutil
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import keras

from keras_arch import registry
from keras_arch.errors import invalid, require_backend
from keras_arch.export import batches, entrances, exits, optimization, versions
from keras_arch.export import signatures as every
from keras_arch.export import warmup as warmups
from keras_arch.export.served import served

_LARGEST = 2**63 - 1  # TF-Serving reads versions as int64


def export(
    model: keras.Model,
    directory: str | os.PathLike[str],
    version: int | None = None,
    *,
    signatures: Collection[str] | Mapping[str, keras.Model | None] | None = None,
    optimize: str = "none",
    batch_sizes: Collection[int] = (),
    warmup: Any = None,
    preprocess: Callable[[Any], Any] | None = None,
    class_names: Sequence[str] | None = None,
    top: int = 5,
    calibration: Any = None,
    catalogue: str | None = None,
) -> pathlib.Path:
    """Write a model as the next version of a servable.

    The signature ``serving_default`` takes and gives named tensors: the names of the model's
    inputs, and of the layers that its outputs come from (a dictionary keeps its keys). A
    name that Keras made up counts the layers of the process, so it would change from run to
    run: ``inputs`` and ``outputs`` stand in for it, numbered where there are several. What no
    identifier may hold becomes ``_``. Of a classifier with auxiliary heads (outputs ``head``,
    ``aux1``, ``aux2``, ...), only the head is exported, and what it needs.

    Further signatures, by name:

    - ``serving_bytes`` takes what people keep: for a model of one image of known size, with 1,
      3 or 4 channels, encoded images (PNG, JPEG, ...; with 4 channels PNG only) as
      ``<input>_bytes``, which are decoded, resized and normalised in the graph; for a model of
      one tensor of integers and with `preprocess`, ``text``.
    - ``top_k`` and ``top_k_bytes``, of the same inputs as the two, answer ``classes`` and
      ``scores`` of the likeliest classes, the best first.
    - ``classify`` and ``regress`` are TF-Serving's: they take ``tf.Example`` protos, whose
      features are the inputs of ``serving_bytes`` where the model can have it, else those of
      ``serving_default``. ``regress`` is for one output of one number.
    - ``stateful`` is for models with recurrent layers (``keras.layers.RNN``): beside the inputs
      it takes the states that a sequence goes on from, and beside the outputs it gives those
      after it: ``<layer>_state``, or ``<layer>_state_0`` and so on. A sequence begins with
      zeros, or what else the layer begins with.

    Args:
        model: A functional or built Sequential model, or one of a class of its own that has
            been called. Of a training algorithm, the part that is served, such as
            ``gan.generator``.
        directory: The servable's base path, which holds the numbered versions.
        version: Number of the version; by default one more than the highest there.
        signatures: Names of those beside ``serving_default``. By default ``serving_bytes``
            where the model can have it and, with `class_names`, those that name classes. In a
            dictionary, a name of your own has a model that shares weights with this one, such
            as a decoder's step with its cache as inputs and outputs; the others have ``None``.
        optimize: ``"none"``; ``"fold"``, which folds BatchNormalization into the layers before
            it and makes constants of the weights; or ``"fold+bf16"``, which also computes in
            bfloat16 all but the last layers, which pays on processors that know it. The
            outputs are the same up to round-off; in bfloat16 the likeliest class is the same
            for at least 98 % of `calibration`.
        batch_sizes: Sizes of batches that have a signature ``serving_default_batch_<size>`` of
            that very shape, and are warmed up in ``serving_default``, which takes any.
        warmup: An example batch in the structure of the model's inputs, with which a server
            warms up. By default zeros, with 32 for a dimension of any size.
        preprocess: Function or layer from float32 images in ``[0, 255]``,
            ``(B, H, W, C) -> (B, H, W, C)``, to what the model takes, by default they are
            scaled to ``[0, 1]``; or from text, ``(B,)``, to integers, such as
            ``keras.layers.TextVectorization``.
        class_names: Names of the classes, in their order; by default their numbers.
        top: How many classes are named.
        calibration: For ``"fold+bf16"``, inputs as they will come, with at least 50 answers.
        catalogue: Name that ``keras_arch.create`` knows the model by, for the manifest.

    Returns:
        Path of the new version.

    Raises:
        ValueError: If an argument does not fit, the model cannot run on `warmup`, or bfloat16
            changes too many answers.
        FileExistsError: If the version exists.
        RuntimeError: If Keras runs on a backend other than TensorFlow.

    Example:

    >>> import tempfile
    >>> image = keras.Input((8, 8, 1), name="image")
    >>> head = keras.layers.Dense(2, name="head")(keras.layers.Flatten(name="flat")(image))
    >>> with tempfile.TemporaryDirectory() as base:
    ...     path = export(keras.Model(image, head), base)
    ...     print(path.name, sorted(p.name for p in path.iterdir()))
    1 ['assets', 'assets.extra', 'fingerprint.pb', 'saved_model.pb', 'variables']
    """
    require_backend("`export`", "tensorflow")
    if version is not None and (type(version) is not int or not 0 <= version <= _LARGEST):
        raise invalid("version", "an integer from 0 to 2**63 - 1, or None", version)
    if catalogue is not None:
        registry.get(catalogue)
    directory = pathlib.Path(directory)
    versions.refuse_existing(directory, version)
    optimization.require_optimizable(model, optimize, calibration)
    sizes = _sizes(batch_sizes)
    model = served(model, warmup)
    arrays = batches.examples(model, warmup)
    way_in = entrances.encoded(model, preprocess)
    wanted = every.chosen(signatures, way_in, class_names)
    others = _others(signatures, optimize)
    likeliest = _likeliest(model, wanted, class_names, top)

    # A step with states is a graph of its own: as constants, its weights would be there twice.
    freeze = every.STATEFUL not in wanted
    fast, run, facts = optimization.optimized(model, optimize, calibration, freeze)
    made = every.build(model, fast, run, wanted, arrays, way_in, sizes, likeliest)
    for name, other in others.items():
        made |= every.own(name, other)
    warmups.try_out(made)

    facts = {"catalogue": catalogue, **facts, "signatures": sorted(made)}
    return _written(made, model, facts, [preprocess], directory, version)


def _sizes(batch_sizes):
    sizes = list(batch_sizes)
    if any(type(size) is not int or size < 1 for size in sizes) or len(set(sizes)) < len(sizes):
        raise invalid("batch_sizes", "different positive integers", batch_sizes)
    return sizes


def _others(signatures, optimize):
    """The models among the signatures."""
    if not isinstance(signatures, Mapping):
        return {}
    others = {name: other for name, other in signatures.items() if other is not None}
    if others and optimize != "none":
        raise invalid("optimize", "'none' beside models that share its weights", optimize)
    return {name: served(other) for name, other in others.items()}


def _likeliest(model, wanted, class_names, top):
    """From scores to the answer of the signatures that name classes, if there is one."""
    if type(top) is not int or top < 1:
        raise invalid("top", "a positive integer", top)
    if not set(wanted) & set(every.CLASSES):
        if class_names is not None:
            raise invalid("class_names", f"None without one of {every.CLASSES}", class_names)
        return dict
    labels = exits.labels(model, class_names)
    return functools.partial(exits.likeliest, class_names=labels, top=top)


def _written(made, model, facts, resources, directory, version):
    directory.mkdir(parents=True, exist_ok=True)
    versions.sweep(directory)
    staging = directory / f"{versions.STAGING}{uuid.uuid4().hex}"
    try:
        versions.save(made, resources, staging)
        warmups.write(made, model.name, staging / warmups.PATH)
        versions.write_manifest(model, facts, staging)
        versions.flush(staging)
        return versions.publish(staging, directory, version)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
