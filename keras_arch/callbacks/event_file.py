"""Event file: what TensorBoard reads, written without TensorFlow's summary writers."""

import os
import socket
import time
from typing import Any

import keras


class EventFile:
    """A file of events in a directory of its own, which TensorBoard shows as one run.

    Nothing is opened before the first event, and after ``close`` the next one opens another
    file. TensorBoard reads only the newest file of a directory: one writer each.

    Args:
        directory: Where the files go.
    """

    def __init__(self, directory: str) -> None:
        self.directory = directory
        self._writer: Any = None

    @property
    def is_open(self) -> bool:
        return self._writer is not None

    def write(self, event: Any) -> None:
        """Append an event (TensorBoard's ``Event``), as one of now."""
        from tensorboard.compat.proto.event_pb2 import Event

        if self._writer is None:
            os.makedirs(self.directory, exist_ok=True)
            self._writer = _record_writer(os.path.join(self.directory, _file_name()))
            self.write(Event(file_version="brain.Event:2"))
        event.wall_time = time.time()
        self._writer.write(event.SerializeToString())

    def flush(self) -> None:
        """Hand what was written to the operating system."""
        if self._writer is not None:
            self._writer.flush()

    def close(self) -> None:
        """Close the file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def _file_name():
    """Names sort by time; two of one second differ by the rest."""
    parts = (f"{time.time():017.6f}", socket.gethostname(), str(os.getpid()))
    return ".".join(("events.out.tfevents", *parts))


def _record_writer(path):
    """TensorFlow's writes as fast as the disk; without it there is one in plain Python."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.io.TFRecordWriter(path)
    from tensorboard.summary.writer.record_writer import RecordWriter

    return RecordWriter(open(path, "wb"))
