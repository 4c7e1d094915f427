"""Event log: scalars and their charts, in the files that TensorBoard reads."""

import os
import time
from collections.abc import Mapping


class EventLog:
    """Writes scalars into a directory of its own, which TensorBoard shows as one run.

    Nothing is opened before the first record. TensorFlow's summary writer is not needed:
    plain values make the smallest records, and one record holds all scalars of a step.

    Args:
        directory: Where the event files go; one writer a directory, since TensorBoard
            reads only the newest file of one.
        category: Heading of the charts.
        charts: Title of each chart in TensorBoard's tab "Custom Scalars" -> regular
            expression of the tags that it draws.
    """

    def __init__(self, directory: str, category: str, charts: Mapping[str, str]) -> None:
        self.directory = directory
        self.category = category
        self.charts = charts
        self._writer = None

    def write(self, step: int, scalars: Mapping[str, float]) -> None:
        """Append one record."""
        from tensorboard.compat.proto.summary_pb2 import Summary

        values = [Summary.Value(tag=tag, simple_value=value) for tag, value in scalars.items()]
        self._append(step, values)

    def flush(self) -> None:
        """Hand what was written to the operating system."""
        if self._writer is not None:
            self._writer.flush()

    def close(self) -> None:
        """Close the file; the next record opens another."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _append(self, step, values):
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        if self._writer is None:
            os.makedirs(self.directory, exist_ok=True)
            self._writer = EventFileWriter(self.directory, flush_secs=10)
            values = [self._layout(), *values]
        summary = Summary(value=values)
        self._writer.add_event(Event(wall_time=time.time(), step=step, summary=summary))

    def _layout(self):
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.plugins.custom_scalar import layout_pb2, metadata
        from tensorboard.util import tensor_util

        charts = [
            layout_pb2.Chart(title=title, multiline=layout_pb2.MultilineChartContent(tag=[tags]))
            for title, tags in self.charts.items()
        ]
        category = layout_pb2.Category(title=self.category, chart=charts)
        layout = layout_pb2.Layout(category=[category]).SerializeToString()
        return Summary.Value(
            tag=metadata.CONFIG_SUMMARY_TAG,
            metadata=metadata.create_summary_metadata(),
            tensor=tensor_util.make_tensor_proto(layout),
        )
