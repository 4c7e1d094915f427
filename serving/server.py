"""The server as an object: loads, warms up, then opens its ports."""

import contextlib
import os
from types import TracebackType

from keras_arch.serving.grpc_server import GrpcServer
from keras_arch.serving.manager import Manager
from keras_arch.serving.rest_server import RestServer

GRACE = 30.0


class Server:
    """Serves the highest version of one model, over gRPC and REST.

    The model is loaded and warmed up before a port opens, so whoever can connect is answered
    at full speed.

    Args:
        model_base_path: Directory of the numbered versions.
        model_name: Name that clients know the model by.
        port: Port for gRPC; 0 lets the system choose, ``None`` closes it.
        rest_api_port: Port for REST, likewise.
        host: Address to listen on: only this machine, unless told otherwise. (TF-Serving
            listens on all.)

    Attributes:
        grpc_port: Port for gRPC, or ``None``.
        rest_port: Port for REST, or ``None``.

    Raises:
        StatusError: If there is no version, or it does not load, or fails its warm-up.
        OSError: If a port is taken.

    Example:

    ```python
    with Server("/models/digits", "digits") as server:
        RestClient(f"http://127.0.0.1:{server.rest_port}").predict("digits", inputs)
    ```
    """

    def __init__(
        self,
        model_base_path: str | os.PathLike[str],
        model_name: str = "default",
        port: int | None = 0,
        rest_api_port: int | None = 0,
        host: str = "127.0.0.1",
    ):
        self._fronts: list[GrpcServer | RestServer] = []
        self.grpc_port: int | None = None
        self.rest_port: int | None = None
        self._manager = Manager()
        self._manager.load(model_name, model_base_path)
        with contextlib.ExitStack() as undo:
            undo.callback(self.stop)
            if port is not None:
                self._fronts.append(GrpcServer(self._manager, host, port))
                self.grpc_port = self._fronts[-1].port
            if rest_api_port is not None:
                self._fronts.append(RestServer(self._manager, host, rest_api_port))
                self.rest_port = self._fronts[-1].port
            undo.pop_all()

    def stop(self, grace: float = GRACE) -> None:
        """Refuse new requests, finish those under way, and free the model.

        Args:
            grace: Seconds after which requests under way are dropped.
        """
        while self._fronts:
            self._fronts.pop().stop(grace)
        self._manager.close()

    def __enter__(self) -> "Server":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
