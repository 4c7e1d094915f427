"""Event log: scalars, histograms, texts and images, in the files that TensorBoard reads."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_arch.callbacks.event_file import EventFile


class EventLog:
    """Writes into a directory of its own, which TensorBoard shows as one run.

    Plain values make the smallest records, and one record holds all of a step.

    Args:
        directory: Where the event files go.
        category: Heading of the charts.
        charts: Title of each chart in TensorBoard's tab "Custom Scalars" -> regular
            expression of the tags that it draws.
    """

    def __init__(self, directory: str, category: str, charts: Mapping[str, str]) -> None:
        self.file = EventFile(directory)
        self.category = category
        self.charts = charts

    def write(
        self,
        step: int,
        scalars: Mapping[str, float] | None = None,
        histograms: Mapping[str, np.ndarray] | None = None,
        texts: Mapping[str, str] | None = None,
        images: Mapping[str, bytes] | None = None,
    ) -> None:
        """Append one record.

        Args:
            step: Number of the step.
            scalars: Values by tag.
            histograms: By tag, for each bin its left and right end and its count, ``(k, 3)``.
            texts: Markdown by tag.
            images: PNG files by tag.
        """
        from tensorboard.compat.proto.summary_pb2 import Summary

        values = [_histogram(tag, bins) for tag, bins in (histograms or {}).items()]
        values += [_text(tag, text) for tag, text in (texts or {}).items()]
        for tag, png in (images or {}).items():
            image = Summary.Image(encoded_image_string=png, colorspace=3)
            image.width, image.height = (int.from_bytes(png[at : at + 4]) for at in (16, 20))
            values.append(Summary.Value(tag=tag, image=image))
        self.append(step, values, scalars)

    def append(
        self, step: int, values: Sequence[Any], scalars: Mapping[str, float] | None = None
    ) -> None:
        """Append one record of summary values and of scalars; the first one brings the layout."""
        from tensorboard.compat.proto.event_pb2 import Event

        event = Event(step=step)
        if not self.file.is_open:
            event.summary.value.append(self._layout())
        for tag, value in (scalars or {}).items():  # made in place: they are many
            event.summary.value.add(tag=tag, simple_value=value)
        event.summary.value.extend(values)
        self.file.write(event)

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


def _histogram(tag, bins):
    """As bytes in one piece: numbers packed one by one would cost most of a record's time."""
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.compat.proto.tensor_pb2 import TensorProto
    from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
    from tensorboard.compat.proto.types_pb2 import DT_FLOAT
    from tensorboard.plugins.histogram import metadata

    shape = TensorShapeProto(dim=[TensorShapeProto.Dim(size=size) for size in bins.shape])
    content = bins.astype("<f4").tobytes()
    return Summary.Value(
        tag=tag,
        metadata=metadata.create_summary_metadata(display_name="", description=""),
        tensor=TensorProto(dtype=DT_FLOAT, tensor_shape=shape, tensor_content=content),
    )


def _text(tag, text):
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.plugins.text import metadata
    from tensorboard.util import tensor_util

    return Summary.Value(
        tag=tag,
        metadata=metadata.create_summary_metadata(display_name="", description=""),
        tensor=tensor_util.make_tensor_proto(text.encode()),
    )
