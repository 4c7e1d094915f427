"""A SavedModel that TF-Serving, and our own server, serve as it lies on disk.

    model -> signatures (tensors; encoded images) -> SavedModel + warm-up + manifest -> version

A version is written aside, under a name that no server takes for a version, and appears by
one rename: whoever sees it sees all of it.
"""

import os
import pathlib
import shutil
import uuid
from collections.abc import Callable
from typing import Any

import keras

from keras_arch import registry
from keras_arch.errors import invalid, require_backend
from keras_arch.export import signatures, versions
from keras_arch.export import warmup as warmups

TENSORS, IMAGES = "serving_default", "serving_bytes"  # names of the signatures
_LARGEST = 2**63 - 1  # TF-Serving reads versions as int64


def export(
    model: keras.Model,
    directory: str | os.PathLike[str],
    version: int | None = None,
    *,
    preprocess: Callable[[Any], Any] | None = None,
    warmup: Any = None,
    catalogue: str | None = None,
) -> pathlib.Path:
    """Write a model as the next version of a servable.

    The signature ``serving_default`` takes and gives named tensors: the names of the model's
    inputs, and of the layers that its outputs come from (a dictionary keeps its keys). A
    name that Keras made up counts the layers of the process, so it would change from run to
    run: ``inputs`` and ``outputs`` stand in for it, numbered where there are several. What no
    identifier may hold becomes ``_``. Of a classifier with auxiliary heads (outputs ``head``,
    ``aux1``, ``aux2``, ...), only the head is exported, and what it needs.

    A model of one image of known size, with 1, 3 or 4 channels, also gets ``serving_bytes``,
    which takes encoded images (PNG, JPEG, ...; with 4 channels PNG only) as
    ``<input>_bytes``, and decodes, resizes and normalises them in the graph.

    Args:
        model: A functional or built Sequential model. Of a training algorithm, the part that
            is served, such as ``gan.generator``.
        directory: The servable's base path, which holds the numbered versions.
        version: Number of the version; by default one more than the highest there.
        preprocess: Function or layer from float32 images in ``[0, 255]``,
            ``(B, H, W, C) -> (B, H, W, C)``, to what the model takes; by default they are
            scaled to ``[0, 1]``.
        warmup: An example batch in the structure of the model's inputs, with which a server
            warms up. By default zeros, with 32 for a dimension of any size.
        catalogue: Name that ``keras_arch.create`` knows the model by, for the manifest.

    Returns:
        Path of the new version.

    Raises:
        ValueError: If an argument does not fit, or the model cannot run on `warmup`.
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
    if not isinstance(getattr(model, "inputs", None), list):
        expected = "a functional or built Sequential model (the part to serve: `gan.generator`)"
        raise invalid("model", expected, model)
    if version is not None and (type(version) is not int or not 0 <= version <= _LARGEST):
        raise invalid("version", "an integer from 0 to 2**63 - 1, or None", version)
    if catalogue is not None:
        registry.get(catalogue)
    model = signatures.without_auxiliary_heads(model)
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    versions.refuse_existing(directory, version)
    versions.sweep(directory)

    requests = {TENSORS: warmups.examples(model, warmup)}
    functions = {TENSORS: signatures.from_tensors(model)}
    if signatures.takes_images(model):
        requests[IMAGES] = warmups.encoded_examples(model)
        functions[IMAGES] = signatures.from_images(model, preprocess)
    elif preprocess is not None:
        raise invalid("preprocess", "None for a model that takes no image", preprocess)
    warmups.try_out(functions, requests)

    staging = directory / f"{versions.STAGING}{uuid.uuid4().hex}"
    try:
        versions.save(functions, staging)
        warmups.write(requests, model.name, staging / warmups.PATH)
        versions.write_manifest(model, catalogue, staging)
        versions.flush(staging)
        return versions.publish(staging, directory, version)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
