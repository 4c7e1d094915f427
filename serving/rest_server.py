"""The REST front end: a bare ASGI application on uvicorn."""

import asyncio
import json
import logging
import re
import socket
import threading
import time
import urllib.parse
import zlib
from concurrent import futures

import grpc
import uvicorn
from google.protobuf import json_format
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2, predict_pb2

from keras_arch.serving import handlers, jsoncodec, predict, rapidjson
from keras_arch.serving.manager import Manager
from keras_arch.serving.status import StatusError, invalid_argument

logger = logging.getLogger(__name__)

MAX_BODY_BYTES = 256 << 20
_MAX_INFLATED_BYTES = 100 << 20  # as in TF-Serving
_BODY_SECONDS = 60.0  # for a body to arrive
_THREADS = 8
_MAX_VERSION = 2**63 - 1

_MODEL = r"(?:/(?P<name>[^/:]+))"
_CHOICE = r"(?:/versions/(?P<version>[0-9]+)|/labels/(?P<label>[^/:]+))?"
_FLAGS = re.IGNORECASE | re.DOTALL
_API = re.compile(r"/v1/.*", _FLAGS)
_POST = re.compile(rf"/v1/models{_MODEL}{_CHOICE}:(?P<verb>classify|regress|predict)", _FLAGS)
_GET = re.compile(rf"/v1/models{_MODEL}?{_CHOICE}(?:/(?P<verb>metadata))?", _FLAGS)

_NOT_FOUND = (
    b"<HTML><HEAD><TITLE>404 Not Found</TITLE></HEAD><BODY><H1>Not Found</H1></BODY></HTML>"
)


class RestServer:
    """Answers HTTP requests: one thread for the network, a few for the models.

    Args:
        manager: Where the models are.
        host: Address to listen on.
        port: Port to listen on; 0 lets the system choose.

    Attributes:
        port: The port.
    """

    def __init__(self, manager: Manager, host: str, port: int):
        self._manager = manager
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            self._socket = socket.create_server((host, port), family=family, backlog=2048)
        except OSError as error:
            raise OSError(f"cannot listen on {host}:{port} for REST: {error.strerror}") from error
        self.port: int = self._socket.getsockname()[1]
        self._pool = futures.ThreadPoolExecutor(_THREADS, thread_name_prefix="rest")
        config = uvicorn.Config(
            self._application,
            loop="asyncio",
            http="httptools",
            ws="none",
            interface="asgi3",
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), name="rest", daemon=True
        )
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            time.sleep(0.005)
        if not self._server.started:
            raise OSError(f"the REST server on {host}:{self.port} did not start")

    def stop(self, grace: float) -> None:
        """Refuse new connections, and wait for the requests under way.

        Args:
            grace: Seconds after which they are dropped.
        """
        self._server.config.timeout_graceful_shutdown = max(1, round(grace))
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()
        self._pool.shutdown()

    async def _application(self, scope, receive, send) -> None:
        method, path = scope["method"], scope["raw_path"].decode("latin-1")
        if not _API.fullmatch(path):
            await _respond(send, 404, _NOT_FOUND, b"text/html")
            return
        try:
            body = await _read(scope, receive)
            loop = asyncio.get_running_loop()
            status = 200
            answer = await loop.run_in_executor(self._pool, self._answer, method, path, body)
        except _TransportError as error:
            status, answer = error.status, _error(str(error))
        except StatusError as error:
            status, answer = error.http, _error(error.message)
        except Exception:
            logger.exception("a request failed for a reason of our own")
            status, answer = 500, _error("Internal error; the server's log says more.")
        await _respond(send, status, answer, b"application/json")

    def _answer(self, method: str, path: str, body: bytes) -> bytes:
        pattern = {"POST": _POST, "GET": _GET}.get(method)
        match = pattern.fullmatch(path) if pattern else None
        if match is None:
            raise invalid_argument(f"Malformed request: {method} {path}")
        verb = (match["verb"] or "status").lower()
        if not match["name"]:
            raise invalid_argument("Missing model name in request.")
        if verb == "predict":
            request = predict_pb2.PredictRequest()
            _address(request.model_spec, match)
            return _predict(self._manager, request, body)
        if verb == "metadata":
            return _metadata(self._manager, match)
        if verb == "status":
            return _status(self._manager, match)
        raise StatusError(grpc.StatusCode.UNIMPLEMENTED, f"Method {verb} is not implemented")


def _predict(manager, request, body):
    document = rapidjson.parse(body)
    request.model_spec.signature_name = jsoncodec.signature_name(document)
    servable = manager.resolve(request.model_spec)
    name = request.model_spec.signature_name or predict.DEFAULT_SIGNATURE
    signature = servable.engine.signatures.get(name)
    if signature is None:
        raise invalid_argument(f'Serving signature name: "{name}" not found in signature def')
    if not signature.inputs:
        raise invalid_argument(f"Failed to get input map for signature: {name}")
    numbers_only = b"true" not in body and b"false" not in body
    feeds, by_row = jsoncodec.read_inputs(document, signature.inputs, fast=numbers_only)
    predict.check_names(signature, feeds)
    return jsoncodec.write_outputs(servable.engine.run(name, feeds), by_row)


def _metadata(manager, match):
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    _address(request.model_spec, match)
    response = handlers.answer_metadata(manager, request)
    found = get_model_metadata_pb2.SignatureDefMap()
    response.metadata["signature_def"].Unpack(found)
    answer = {
        "model_spec": _to_dict(response.model_spec),
        "metadata": {"signature_def": _to_dict(found)},
    }
    return json.dumps(answer, indent=1).encode()


def _status(manager, match):
    request = get_model_status_pb2.GetModelStatusRequest()
    _address(request.model_spec, match)
    return json.dumps(_to_dict(handlers.answer_status(manager, request)), indent=1).encode()


def _to_dict(message):
    return json_format.MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )


def _address(model_spec, match):
    model_spec.name = urllib.parse.unquote(match["name"], errors="replace")
    if match["version"]:
        version = int(match["version"]) if len(match["version"]) <= 19 else _MAX_VERSION + 1
        if version > _MAX_VERSION:
            raise invalid_argument(f"Failed to convert version: {match['version']} to numeric.")
        model_spec.version.value = version
    elif match["label"]:
        model_spec.version_label = urllib.parse.unquote(match["label"], errors="replace")


class _TransportError(Exception):
    """A refusal that has no counterpart in gRPC's codes."""

    def __init__(self, status: int, message: str):
        self.status = status
        super().__init__(message)


async def _read(scope, receive) -> bytes:
    headers = dict(scope["headers"])
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            body = await _read_chunks(receive, int(headers.get(b"content-length", 0)))
    except TimeoutError as error:
        raise _TransportError(408, "The body did not arrive in time.") from error
    if headers.get(b"content-encoding", b"").lower() == b"gzip":
        body = _inflated(body)
    return body


async def _read_chunks(receive, announced) -> bytes:
    chunks, size, more = [], 0, True
    while more:
        if max(size, announced) > MAX_BODY_BYTES:
            raise _TransportError(413, f"The body is larger than {MAX_BODY_BYTES} bytes.")
        event = await receive()
        chunks.append(event.get("body", b""))
        size += len(chunks[-1])
        more = event.get("more_body", False)
    return b"".join(chunks)


def _inflated(body: bytes) -> bytes:
    """TF-Serving takes a bad or too large one for an empty body."""
    stream = zlib.decompressobj(wbits=31)
    try:
        inflated = stream.decompress(body, _MAX_INFLATED_BYTES)
    except zlib.error:
        return b""
    return inflated if stream.eof else b""


def _error(text: str) -> bytes:
    return json.dumps({"error": text}, indent=4).encode()


async def _respond(send, status: int, body: bytes, content_type: bytes) -> None:
    headers = [(b"content-type", content_type), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
