"""A SavedModel that TF-Serving, and our own server, serve as it lies on disk.

    model -> signatures (tensors; encoded images) -> SavedModel + warm-up + manifest -> version

A version is written aside, under a name that no server takes for a version, and appears by
one rename: whoever sees it sees all of it.
"""

import hashlib
import json
import os
import pathlib
import platform
import re
import shutil
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np

from keras_arch import registry
from keras_arch.errors import invalid

TENSORS, IMAGES = "serving_default", "serving_bytes"  # names of the signatures
MANIFEST = "assets.extra/manifest.json"  # TF-Serving reads only the warm-up from assets.extra
WARMUP = "assets.extra/tf_serving_warmup_requests"
_STAGING = ".exporting-"
_ABANDONED = 86_400  # seconds after which the leftover of a killed export is removed
_FREE = 32  # size that a warm-up gives to a dimension of any size
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
    identifier may hold becomes ``_``.

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
    if keras.backend.backend() != "tensorflow":
        raise RuntimeError(
            "A SavedModel is written by the TensorFlow backend. Save the model as `.keras`, and "
            f"load and export it under KERAS_BACKEND=tensorflow. Received: "
            f"KERAS_BACKEND={keras.backend.backend()}"
        )
    if not isinstance(getattr(model, "inputs", None), list):
        expected = "a functional or built Sequential model (the part to serve: `gan.generator`)"
        raise invalid("model", expected, model)
    if version is not None and (type(version) is not int or not 0 <= version <= _LARGEST):
        raise invalid("version", "an integer from 0 to 2**63 - 1, or None", version)
    if catalogue is not None:
        registry.get(catalogue)
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    _refuse_existing(directory, version)
    _sweep(directory)

    requests = {TENSORS: _examples(model, warmup)}
    functions = {TENSORS: _from_tensors(model)}
    if _takes_images(model):
        requests[IMAGES] = _encoded_examples(model)
        functions[IMAGES] = _from_images(model, preprocess)
    elif preprocess is not None:
        raise invalid("preprocess", "None for a model that takes no image", preprocess)
    _try_out(functions, requests)

    staging = directory / f"{_STAGING}{uuid.uuid4().hex}"
    try:
        _save(functions, staging)
        _write_warmup(requests, model.name, staging / WARMUP)
        _write_manifest(model, catalogue, staging)
        _flush(staging)
        return _publish(staging, directory, version)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


# Names and signatures


def _names(structure, fallback):
    """Wire names of a structure of symbolic tensors, in flat order."""
    tensors = keras.tree.flatten(structure)
    numbered = [fallback] if len(tensors) == 1 else [f"{fallback}_{i}" for i in range(len(tensors))]
    if isinstance(structure, Mapping) and len(structure) == len(tensors):
        names = sorted(structure)  # as keras.tree flattens it
    else:
        operations = [tensor._keras_history.operation for tensor in tensors]
        names = [
            stand_in if _is_made_up(operation) else operation.name
            for operation, stand_in in zip(operations, numbered, strict=True)
        ]
    names = [_identifier(name) for name in names]
    return names if len(set(names)) == len(names) else numbered


def _identifier(name):
    """What TensorFlow would make of the name of an argument, with a warning."""
    name = re.sub(r"\W", "_", name)
    return name if name[0].isalpha() else f"arg_{name}"


def _is_made_up(operation):
    kind = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", type(operation).__name__)
    return not isinstance(operation, keras.Layer) or bool(
        re.fullmatch(rf"({kind.lower()}|keras_tensor)(_\d+)?", operation.name)
    )


def _input(model):
    # A Sequential model has no `input` before its first call.
    return model.inputs[0] if isinstance(model, keras.Sequential) else model.input


def _output(model):
    return model.outputs[0] if isinstance(model, keras.Sequential) else model.output


def _run(model, tensors):
    """Flat inputs -> named outputs."""
    structure = keras.tree.pack_sequence_as(_input(model), list(tensors))
    flat = keras.tree.flatten(model(structure, training=False))
    return dict(zip(_names(_output(model), "outputs"), flat, strict=True))


def _from_tensors(model):
    import tensorflow as tf

    specs = [
        tf.TensorSpec(tensor.shape, tensor.dtype, name=name)
        for name, tensor in zip(_names(_input(model), "inputs"), model.inputs, strict=True)
    ]
    return _concrete(lambda *tensors: _run(model, tensors), specs)


def _takes_images(model):
    shape = model.inputs[0].shape
    return (
        len(model.inputs) == 1
        and len(shape) == 4
        and None not in shape[1:]
        and shape[-1] in (1, 3, 4)
        and "float" in model.inputs[0].dtype
    )


def _from_images(model, preprocess):
    import tensorflow as tf

    height, width, channels = model.inputs[0].shape[1:]

    def decode(encoded):
        image = tf.io.decode_image(encoded, channels=channels, expand_animations=False)
        image.set_shape((None, None, channels))  # decode_image leaves the rank open
        return tf.image.resize(image, (height, width), antialias=True)

    def run(encoded):
        images = tf.map_fn(decode, encoded, fn_output_signature=tf.float32)
        images = preprocess(images) if preprocess else images / 255.0
        if tuple(images.shape[1:]) != (height, width, channels):
            expected = f"a function that keeps the shape {(height, width, channels)}"
            raise invalid("preprocess", expected, preprocess)
        return _run(model, [tf.cast(images, model.inputs[0].dtype)])

    name = _names(_input(model), "inputs")[0]
    return _concrete(run, [tf.TensorSpec((None,), tf.string, name=f"{name}_bytes")])


def _concrete(function, specs):
    import tensorflow as tf

    # Without AutoGraph: it would rewrite the control flow of layers, in vain.
    return tf.function(function, specs, autograph=False).get_concrete_function()


# Warm-up


def _examples(model, warmup):
    """Named arrays of one request."""
    names = _names(_input(model), "inputs")
    if warmup is None:
        batch = model.inputs[0].shape[0] or 1
        arrays = [
            np.zeros([batch, *(size or _FREE for size in tensor.shape[1:])])
            for tensor in model.inputs
        ]
    else:
        arrays = keras.tree.flatten(warmup)
    if len(arrays) != len(names):
        raise invalid("warmup", f"arrays for the inputs {names}", warmup)
    return {
        name: keras.ops.convert_to_numpy(keras.ops.cast(array, tensor.dtype))
        for name, tensor, array in zip(names, model.inputs, arrays, strict=True)
    }


def _encoded_examples(model):
    import tensorflow as tf

    name = _names(_input(model), "inputs")[0]
    blank = tf.io.encode_png(np.zeros(model.inputs[0].shape[1:], "uint8")).numpy()
    return {f"{name}_bytes": np.array([blank], object)}


def _try_out(functions, requests):
    """A server refuses a version whose warm-up fails: find that out here."""
    import tensorflow as tf

    for signature, function in functions.items():
        request = requests[signature]
        try:
            function(**{name: tf.constant(array) for name, array in request.items()})
        except (tf.errors.OpError, TypeError, ValueError) as error:
            shapes = {name: array.shape for name, array in request.items()}
            raise invalid(
                "warmup", f"a batch that the model can run ({signature})", shapes
            ) from error


def _write_warmup(requests, model_name, path):
    import tensorflow as tf
    from tensorflow_serving.apis import prediction_log_pb2

    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature, arrays in requests.items():
            log = prediction_log_pb2.PredictionLog()
            request = log.predict_log.request
            request.model_spec.name = model_name
            request.model_spec.signature_name = signature
            for name, array in arrays.items():
                request.inputs[name].CopyFrom(tf.make_tensor_proto(array))
            writer.write(log.SerializeToString())


# Files


def _save(functions, path):
    import tensorflow as tf

    # Only what the signatures captured, once: Keras's own export stores each weight twice.
    variables = {
        id(variable): variable
        for function in functions.values()
        for variable in function.graph.variables
    }
    module = tf.Module()
    module.weights = list(variables.values())
    tf.saved_model.save(module, str(path), signatures=functions)


def _write_manifest(model, catalogue, path):
    import tensorflow as tf

    import keras_arch

    files = sorted(file for file in path.rglob("*") if file.is_file())
    manifest = {
        "producer": {
            "keras_arch": keras_arch.__version__,
            "keras": keras.__version__,
            "tensorflow": tf.__version__,
            "python": platform.python_version(),
        },
        "model": model.name,
        "catalogue": catalogue,
        "parameters": model.count_params(),
        "sha256": {file.relative_to(path).as_posix(): _sha256(file) for file in files},
    }
    (path / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def _sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _flush(path):
    """Put a directory tree on the disk itself, before its name says that it is there."""
    for folder, _, files in os.walk(path):
        for file in files:
            with open(os.path.join(folder, file), "rb+") as written:
                os.fsync(written.fileno())
        _flush_folder(folder)


def _flush_folder(path):
    if os.name == "posix":  # elsewhere a directory cannot be opened
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _versions(directory):
    return {int(path.name) for path in directory.iterdir() if re.fullmatch(r"[0-9]+", path.name)}


def _refuse_existing(directory, version):
    if version in _versions(directory):
        raise FileExistsError(
            f"Version {version} exists in {directory}, and may be served at this moment. Export "
            "another version, or leave `version` out for the next one."
        )


def _publish(staging, directory, version):
    while True:
        _refuse_existing(directory, version)
        number = max(_versions(directory), default=0) + 1 if version is None else version
        path = directory / str(number)
        try:
            os.rename(staging, path)
        except OSError:
            if not path.exists():
                raise
            continue  # another process came first: take the next, or refuse
        _flush_folder(directory)
        return path


def _sweep(directory):
    """Remove what exports left behind that were killed long ago."""
    for path in directory.glob(f"{_STAGING}*"):
        if time.time() - path.stat().st_mtime > _ABANDONED:
            shutil.rmtree(path, ignore_errors=True)
