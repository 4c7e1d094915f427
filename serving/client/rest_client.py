"""A client of TF-Serving's REST protocol, by the standard library and numpy."""

import base64
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_arch_client.errors import ServingError

_CODES = {
    400: "INVALID_ARGUMENT",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    409: "ABORTED",
    413: "RESOURCE_EXHAUSTED",
    429: "RESOURCE_EXHAUSTED",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


class RestClient:
    """Asks a TF-Serving compatible server over HTTP.

    Args:
        url: Address, ``"http://host:port"``.
        timeout: Seconds that a call may take.

    Example:

    ```python
    with RestClient("http://127.0.0.1:8501") as client:
        client.predict("digits", {"image": images})["head"]
    ```
    """

    def __init__(self, url: str, timeout: float = 60.0):
        if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
            raise ValueError(
                "Invalid value for argument `url`. Expected http://host:port. "
                f"Received: url={url!r}"
            )
        self._url = url.rstrip("/")
        self._timeout = timeout
        self._signatures: dict[tuple[str, int | None], dict[str, Any]] = {}

    def predict(
        self,
        model: str,
        inputs: Mapping[str, Any],
        signature_name: str = "",
        version: int | None = None,
    ) -> dict[str, np.ndarray]:
        """Run a signature of a model.

        Answers in JSON name neither their types nor a single output: the first call asks for
        the model's metadata too.

        Args:
            model: Name of the model.
            inputs: Arrays by name of the input.
            signature_name: By default ``serving_default``.
            version: By default the latest.

        Returns:
            Arrays by name of the output.

        Raises:
            ServingError: If the server refuses.
        """
        body: dict[str, Any] = {
            "inputs": {name: _to_json(np.asarray(array)) for name, array in inputs.items()}
        }
        if signature_name:
            body["signature_name"] = signature_name
        answer = self._call(f"{_path(model, version)}:predict", body)["outputs"]
        if (model, version) not in self._signatures:
            self._signatures[model, version] = self.metadata(model, version)
        signature = self._signatures[model, version][signature_name or "serving_default"]
        infos = signature["outputs"]
        if len(infos) == 1:
            answer = dict.fromkeys(infos, answer)
        return {name: _from_json(answer[name], dtype) for name, (dtype, _) in infos.items()}

    def metadata(self, model: str, version: int | None = None) -> dict[str, Any]:
        """Describe a model's signatures.

        Returns:
            ``{signature: {"inputs": {name: (dtype, shape)}, "outputs": ...}}``, with ``-1``
            for a dimension of any size, and ``None`` for an unknown shape.
        """
        answer = self._call(f"{_path(model, version)}/metadata")
        signatures = answer["metadata"]["signature_def"]["signature_def"]
        return {
            name: {key: _described(found[key]) for key in ("inputs", "outputs")}
            for name, found in signatures.items()
        }

    def status(self, model: str, version: int | None = None) -> dict[int, str]:
        """Say where each version of a model stands: ``{1: "AVAILABLE"}``."""
        versions = self._call(_path(model, version))["model_version_status"]
        return {int(found["version"]): found["state"] for found in versions}

    def __enter__(self) -> "RestClient":
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is held between calls; this makes both clients read alike."""

    def _call(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, data)
        request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=self._timeout) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                raise ServingError(_CODES.get(error.code, "UNKNOWN"), _message(error)) from error
        except OSError as error:  # refused, reset, timed out
            raise ServingError("UNAVAILABLE", str(error)) from error


def _message(response):
    text = response.read().decode(errors="replace")
    try:
        return json.loads(text)["error"]
    except (ValueError, TypeError, KeyError):
        return text


def _path(model, version):
    path = f"/v1/models/{urllib.parse.quote(model, safe='')}"
    return path if version is None else f"{path}/versions/{version}"


def _to_json(array):
    if array.dtype.kind not in "SUO":
        return array.tolist()
    encoded = np.empty(array.shape, object)
    for index, text in np.ndenumerate(array):
        raw = text.encode() if isinstance(text, str) else bytes(text)
        encoded[index] = {"b64": base64.b64encode(raw).decode()}
    return encoded.tolist()


def _from_json(value, dtype):
    if dtype != "string":
        return np.array(value, dtype={"float": "float32", "double": "float64"}.get(dtype, dtype))
    array = np.array(value, object)
    for index, text in np.ndenumerate(array):
        array[index] = base64.b64decode(text["b64"]) if isinstance(text, dict) else text.encode()
    return array


def _described(infos):
    return {
        name: (
            info["dtype"].removeprefix("DT_").lower(),
            None
            if info["tensor_shape"]["unknown_rank"]
            else [int(dim["size"]) for dim in info["tensor_shape"]["dim"]],
        )
        for name, info in infos.items()
    }
