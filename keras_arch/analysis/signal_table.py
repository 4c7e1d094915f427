"""A signal report as text for the terminal."""

import math
from typing import Any

import numpy as np

HEAD = (
    "layer",
    "mean",
    "variance",
    "variation",
    "dead",
    "saturated",
    "gradient",
    "by kernel",
    "law",
)


def table(report: Any, limit: int | None = None) -> str:
    """Return the layers as a table, and below it what holds for the whole.

    Args:
        report: A ``SignalReport``.
        limit: The most layers to show, evenly chosen; ``None`` shows all.
    """
    rows = [row(layer) for layer in report.layers]
    shown = np.arange(len(rows))
    if limit is not None and limit < len(rows):
        shown = np.unique(np.linspace(0, len(rows) - 1, limit).round().astype(int))
    cells = [HEAD, *(rows[index] for index in shown)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [f"{report.model}, {report.examples} examples"]
    for line in cells:
        parts = [line[0].ljust(widths[0])]
        parts += [cell.rjust(width) for cell, width in zip(line[1:-1], widths[1:-1], strict=True)]
        lines.append("  ".join([*parts, line[-1]]).rstrip())
    if len(shown) < len(rows):
        lines.append(f"({len(shown)} of {len(rows)} layers; `table()` has all)")
    return "\n".join([*lines, *whole(report)])


def row(layer: Any) -> tuple[str, ...]:
    """One layer as the cells of the table."""
    return (
        f"{layer.name} ({len(layer.steps.mean)} steps)" if layer.steps else layer.name,
        number(layer.mean),
        number(layer.variance),
        number(layer.variation),
        share(layer.dead),
        "" if math.isnan(layer.saturation) else share(layer.saturation),
        number(layer.gradient),
        number(layer.kernel_gradient) if layer.laws else "",
        "; ".join(law.law for law in layer.laws),
    )


def whole(report: Any) -> list[str]:
    """What holds for the whole model, a line each."""
    lines = []
    if report.widths is not None:
        lines.append(
            f"Widths: the sum of 1/n is {report.widths.hanin_sum:.2g}; of plain ReLU layers, the "
            f"fourth moment of gradients would be {report.widths.spread:.3g} times a wide network's"
        )
    if report.jacobian is not None:
        found, values = report.jacobian, report.jacobian.singular_values
        lines.append(
            f"Jacobian of {found.rows} of {found.outputs} outputs by {found.source} "
            f"({found.inputs}): mean square {number(found.moments.second)}, kurtosis "
            f"{number(found.moments.kurtosis)}, singular values from {number(values.min())} to "
            f"{number(values.max())}"
        )
    return [*lines, f"Verdict: {report.verdict}"]


def number(value: float) -> str:
    """Three digits."""
    return f"{value:.3g}"


def share(value: float) -> str:
    """A percentage."""
    return f"{100 * value:.0f} %"
