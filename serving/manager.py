"""Which versions of which models are served."""

import logging
import os
import pathlib
import re
import time
from typing import Any

import grpc
import tensorflow as tf

from keras_arch.serving import warmup
from keras_arch.serving.engine import SessionEngine
from keras_arch.serving.predict import predict
from keras_arch.serving.servable import Servable
from keras_arch.serving.status import StatusError, invalid_argument

logger = logging.getLogger(__name__)

_MAX_VERSION = 2**63 - 1


class Manager:
    """Holds the loaded versions of each model.

    A name that a client sends is a key of a dictionary, and never part of a path. Requests
    read the table without a lock: it is replaced as a whole, not changed.
    """

    def __init__(self) -> None:
        self._table: dict[str, dict[int, Servable]] = {}

    def load(self, name: str, base_path: str | os.PathLike[str]) -> None:
        """Load and warm up the highest version of a model.

        Args:
            name: Name that clients know it by.
            base_path: Directory of the numbered versions.

        Raises:
            StatusError: If there is none, or it does not load, or fails its warm-up.
        """
        version, path = latest_version(pathlib.Path(base_path))
        began = time.perf_counter()
        try:
            servable = Servable(name, version, SessionEngine(path))
        except OSError as error:
            raise StatusError(grpc.StatusCode.NOT_FOUND, str(error)) from error
        except tf.errors.OpError as error:
            raise StatusError(error.error_code, error.message) from error
        try:
            for request in warmup.requests(path):
                predict(servable, request)
        except BaseException:
            servable.engine.close()
            raise
        self._table = {**self._table, name: {version: servable}}
        seconds = time.perf_counter() - began
        logger.info("%s version %d is available after %.1f s (%s)", name, version, seconds, path)

    def resolve(self, model_spec: Any) -> Servable:
        """Find what a request asks for: a version, or else the highest that is loaded.

        Args:
            model_spec: ``ModelSpec`` of the request.

        Raises:
            StatusError: If there is no such model or version.
        """
        name = model_spec.name
        if not name:
            raise invalid_argument("ModelSpec has no name specified.")
        versions = self._table.get(name, {})
        choice = model_spec.WhichOneof("version_choice")
        if choice == "version_label":
            raise invalid_argument(
                f"Unrecognized servable version label: {model_spec.version_label}"
            )
        if choice == "version":
            version = model_spec.version.value
            asked = f"Specific({name}, {version})"
        else:
            version, asked = max(versions, default=0), f"Latest({name})"
        if version not in versions:
            raise StatusError(grpc.StatusCode.NOT_FOUND, f"Servable not found for request: {asked}")
        return versions[version]

    def versions(self, name: str) -> list[int]:
        """Versions of a model that are loaded, lowest first."""
        return sorted(self._table.get(name, {}))

    def close(self) -> None:
        """Free every model. No request may be under way."""
        table, self._table = self._table, {}
        for versions in table.values():
            for servable in versions.values():
                servable.engine.close()


def latest_version(base_path: pathlib.Path) -> tuple[int, pathlib.Path]:
    """Find the highest version: the child whose name is the greatest number.

    Args:
        base_path: Directory of the numbered versions.

    Raises:
        StatusError: If there is no such directory, or it holds no version.
    """
    if not base_path.is_dir():
        raise StatusError(
            grpc.StatusCode.NOT_FOUND, f"Could not find base path {base_path} for servable"
        )
    found = [
        (int(child.name), child)
        for child in base_path.iterdir()
        if re.fullmatch(r"[0-9]{1,19}", child.name) and int(child.name) <= _MAX_VERSION
    ]
    if not found:
        raise StatusError(
            grpc.StatusCode.NOT_FOUND,
            f"No versions of servable found under base path {base_path}",
        )
    return max(found)
