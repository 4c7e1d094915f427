"""How a request fails: gRPC's code and one line of text, whichever protocol asked."""

from collections.abc import Iterable

import grpc

_HTTP = {
    grpc.StatusCode.OK: 200,
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.FAILED_PRECONDITION: 400,
    grpc.StatusCode.OUT_OF_RANGE: 400,
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.ALREADY_EXISTS: 409,
    grpc.StatusCode.ABORTED: 409,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.CANCELLED: 499,
    grpc.StatusCode.UNKNOWN: 500,
    grpc.StatusCode.INTERNAL: 500,
    grpc.StatusCode.DATA_LOSS: 500,
    grpc.StatusCode.UNIMPLEMENTED: 501,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.DEADLINE_EXCEEDED: 504,
}
_BY_NUMBER = {code.value[0]: code for code in grpc.StatusCode}


class StatusError(Exception):
    """A refusal that the client is told.

    Args:
        code: gRPC's status code, or its number (TensorFlow's are the same).
        message: Text for the client.
    """

    def __init__(self, code: grpc.StatusCode | int, message: str):
        self.code = _BY_NUMBER[code] if isinstance(code, int) else code
        self.message = message
        super().__init__(f"{self.code.name}: {message}")

    @property
    def http(self) -> int:
        """HTTP's status for the code, as TF-Serving maps it."""
        return _HTTP[self.code]


def invalid_argument(message: str) -> StatusError:
    """The commonest refusal."""
    return StatusError(grpc.StatusCode.INVALID_ARGUMENT, message)


def joined(names: Iterable[str]) -> str:
    """Names as TF-Serving's messages list them: sorted, bare commas."""
    return ",".join(sorted(names))
