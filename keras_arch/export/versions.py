"""Version directories: written aside, whole and on the disk before their name says so."""

import hashlib
import json
import math
import os
import platform
import re
import shutil
import time

import keras

from keras_arch.disk import flush_folder

MANIFEST = "assets.extra/manifest.json"  # TF-Serving reads only the warm-up from assets.extra
STAGING = ".exporting-"
_ABANDONED = 86_400  # seconds after which the leftover of a killed export is removed


def save(signatures, resources, path):
    """Write a SavedModel with these signatures; `resources` are what else they refer to."""
    import tensorflow as tf

    # Only what the signatures captured, once: Keras's own export stores each weight twice.
    functions = {name: signature.function for name, signature in signatures.items()}
    variables = {
        id(variable): variable
        for function in functions.values()
        for variable in function.graph.variables
    }
    module = tf.Module()
    module.weights = list(variables.values())
    module.resources = [each for each in resources if isinstance(each, tf.Module | keras.Layer)]
    tf.saved_model.save(module, str(path), signatures=functions)
    _name_methods(signatures, path)


def _name_methods(signatures, path):
    """Say which of TF-Serving's methods a signature is for; TensorFlow 2 says "predict" of all."""
    import tensorflow as tf
    from tensorflow.python.saved_model import fingerprinting_utils

    others = {name: each.method for name, each in signatures.items() if each.method != "predict"}
    if not others:
        return
    updater = tf.compat.v1.saved_model.signature_def_utils.MethodNameUpdater(str(path))
    for name, method in others.items():
        updater.replace_method_name(name, f"tensorflow/serving/{method}")
    updater.save()
    fingerprinting_utils.write_fingerprint(str(path))  # the old one was of another file


def write_manifest(model, facts, path):
    """Write who made this, of what, and the checksums of its files."""
    import tensorflow as tf

    import keras_arch

    files = sorted(file for file in path.rglob("*") if file.is_file())
    trained = sum(math.prod(weight.shape) for weight in model.trainable_weights)
    manifest = {
        "producer": {
            "keras_arch": keras_arch.__version__,
            "keras": keras.__version__,
            "tensorflow": tf.__version__,
            "python": platform.python_version(),
        },
        "model": model.name,
        **facts,
        "parameters": model.count_params(),
        "trainable_parameters": trained,
        "bytes": sum(file.stat().st_size for file in files),
        "sha256": {file.relative_to(path).as_posix(): _sha256(file) for file in files},
    }
    (path / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def _sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def flush(path):
    """Put a directory tree on the disk itself, before its name says that it is there."""
    for folder, _, files in os.walk(path):
        for file in files:
            with open(os.path.join(folder, file), "rb+") as written:
                os.fsync(written.fileno())
        flush_folder(folder)


def _versions(directory):
    return {int(path.name) for path in directory.iterdir() if re.fullmatch(r"[0-9]+", path.name)}


def refuse_existing(directory, version):
    """Refuse to write over a version."""
    if directory.exists() and version in _versions(directory):
        raise FileExistsError(
            f"Version {version} exists in {directory}, and may be served at this moment. Export "
            "another version, or leave `version` out for the next one."
        )


def publish(staging, directory, version):
    """Give a whole version its number; returns its path."""
    while True:
        refuse_existing(directory, version)
        number = max(_versions(directory), default=0) + 1 if version is None else version
        path = directory / str(number)
        try:
            os.rename(staging, path)
        except OSError:
            if not path.exists():
                raise
            continue  # another process came first: take the next, or refuse
        flush_folder(directory)
        return path


def sweep(directory):
    """Remove what exports left behind that were killed long ago."""
    for path in directory.glob(f"{STAGING}*"):
        if time.time() - path.stat().st_mtime > _ABANDONED:
            shutil.rmtree(path, ignore_errors=True)
