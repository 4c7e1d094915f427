"""What a call to a server can end with, whichever protocol it took."""


class ServingError(RuntimeError):
    """The server refused a request, or could not be reached.

    Args:
        code: gRPC's name of the status (``"NOT_FOUND"``), over REST too.
        message: The server's own text.
    """

    def __init__(self, code: str, message: str):
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
