"""A signal report in the files that TensorBoard reads, without TensorFlow."""

import io
import math
import os
import time
from typing import Any

import numpy as np

CURVES = (
    "mean",
    "variance",
    "variation",
    "dead",
    "saturation",
    "gradient",
    "kernel_gradient",
)
LOGARITHMS = ("variance", "variation", "gradient", "kernel_gradient")


def write(report: Any, log_dir: str | os.PathLike) -> None:
    """Write a ``SignalReport``: a chart a kind, whose step is the number of the layer.

    Variances and norms differ by decades: they stand as decimal logarithms.
    """
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    writer = EventFileWriter(os.fspath(log_dir))
    now = time.time()
    for step, layer in enumerate(report.layers, start=1):
        scalars = {}
        for name in CURVES:
            value = getattr(layer, name)
            tag = f"signal/log10_{name}" if name in LOGARITHMS else f"signal/{name}"
            if not math.isnan(value):
                with np.errstate(divide="ignore"):  # a zero is minus infinity, to be seen
                    scalars[tag] = np.log10(value) if name in LOGARITHMS else value
        values = [Summary.Value(tag=tag, simple_value=value) for tag, value in scalars.items()]
        writer.add_event(Event(wall_time=now, step=step, summary=Summary(value=values)))
    whole = [_text(report), _picture(report)]
    if report.jacobian is not None:
        whole.append(_histogram(report.jacobian.singular_values))
    writer.add_event(Event(wall_time=now, step=0, summary=Summary(value=whole)))
    writer.close()


def _text(report):
    """The verdict, and the table as it stands in a terminal."""
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.plugins.text import metadata
    from tensorboard.util import tensor_util

    table = "\n".join(f"    {line}" for line in report.table().splitlines())
    text = f"**{report.diagnosis}**: {report.verdict}\n\n{table}"
    return Summary.Value(
        tag="signal/report",
        metadata=metadata.create_summary_metadata("signal/report", ""),
        tensor=tensor_util.make_tensor_proto(text.encode()),
    )


def _picture(report):
    from tensorboard.compat.proto.summary_pb2 import Summary

    buffer = io.BytesIO()
    figure = report.plot()
    figure.savefig(buffer, format="png", dpi=80)
    width, height = (int(80 * side) for side in figure.get_size_inches())
    image = Summary.Image(
        height=height, width=width, colorspace=3, encoded_image_string=buffer.getvalue()
    )
    return Summary.Value(tag="signal/picture", image=image)


def _histogram(singular_values):
    """Decimal logarithms of the singular values, in quarters of a decade."""
    from tensorboard.compat.proto.summary_pb2 import HistogramProto, Summary

    positive = singular_values[singular_values > 0]
    logs = np.log10(positive) if positive.size else np.zeros(1)
    edges = np.arange(math.floor(logs.min()), math.ceil(logs.max()) + 0.5, 0.25)
    counts, edges = np.histogram(logs, bins=edges)
    histogram = HistogramProto(
        min=float(logs.min()),
        max=float(logs.max()),
        num=float(logs.size),
        sum=float(logs.sum()),
        sum_squares=float((logs**2).sum()),
        bucket_limit=[float(edge) for edge in edges[1:]],
        bucket=[float(count) for count in counts],
    )
    return Summary.Value(tag="signal/log10_singular_values", histo=histogram)
