"""Callers that we did not write: TF-Serving's own stubs, and plain HTTP."""

import contextlib
import http.client
import json

import grpc
from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc


@contextlib.contextmanager
def stubs(server):
    """PredictionService and ModelService of a server."""
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        yield (
            prediction_service_pb2_grpc.PredictionServiceStub(channel),
            model_service_pb2_grpc.ModelServiceStub(channel),
        )


def http_call(server, method, path, body=None, headers=None):
    """``(status, content type, body)`` of one request."""
    connection = http.client.HTTPConnection("127.0.0.1", server.rest_port, timeout=30)
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return response.status, response.headers["content-type"], response.read()
    finally:
        connection.close()


def rest(server, path, document=None):
    """``(status, answer)`` of a JSON request: a POST if there is a document."""
    method = "GET" if document is None else "POST"
    body = document if isinstance(document, bytes | None) else json.dumps(document).encode()
    status, _, answer = http_call(server, method, path, body)
    return status, json.loads(answer)
