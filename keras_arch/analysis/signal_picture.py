"""A signal report as a picture: curves over the layers, the spectrum, and steps as a map."""

import math
import os
import textwrap
from typing import Any

import numpy as np


def plot(report: Any, path: str | os.PathLike | None = None) -> Any:
    """Draw a ``SignalReport``.

    Args:
        report: What to draw.
        path: File to write, of the kind that its ending says; none by default.

    Returns:
        A ``matplotlib.figure.Figure``.
    """
    from matplotlib.figure import Figure

    over_time = [layer for layer in report.layers if layer.steps is not None]
    figure = Figure(figsize=(11, 7 + 3 * bool(over_time)), layout="constrained")
    axes = figure.subplots(2 + bool(over_time), 2)
    numbers = np.arange(1, len(report.layers) + 1)
    curves = {
        axes[0, 0]: ("Activations", ("variance", "variation", "arrives")),
        axes[0, 1]: ("Gradients (norm)", ("gradient", "kernel_gradient")),
        axes[1, 0]: ("Units", ("dead", "saturation")),
    }
    labels = {
        "variation": "variance between examples",
        "arrives": "variance of what a kernel reads",
        "gradient": "by activations",
        "kernel_gradient": "by kernels",
        "dead": "dead",
        "saturation": "saturated (ReLU: off)",
    }
    for ax, (title, names) in curves.items():
        for name, style in zip(names, ("o-", "s--", "x"), strict=False):
            values = np.array([getattr(layer, name) for layer in report.layers])
            if ax is not axes[1, 0]:
                values[~(values > 0)] = math.nan  # no logarithm
            there = ~np.isnan(values)
            label = labels.get(name, name)
            ax.plot(numbers[there], values[there], style, markersize=3, linewidth=1, label=label)
        ax.set(title=title, xlabel="layer, in the order of the data flow")
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.grid(alpha=0.3)
        ax.legend(fontsize=8)
    for ax in axes[0]:
        if ax.lines and any(len(line.get_xdata()) for line in ax.lines):
            ax.set_yscale("log")
    axes[1, 0].set_ylim(-0.03, 1.03)
    _spectrum(axes[1, 1], report.jacobian)
    if over_time:
        _map(figure, axes[2, 0], over_time, "variance")
        _map(figure, axes[2, 1], over_time, "gradient")
    verdict = textwrap.fill(report.verdict, 130)
    figure.suptitle(f"{report.model}, {report.examples} examples\n{verdict}", fontsize=10)
    if path is not None:
        figure.savefig(path, dpi=110)
    return figure


def _spectrum(ax, jacobian):
    """Singular values by rank, one line an example; a level line is an isometry."""
    ax.set(title="Jacobian: singular values", xlabel="rank")
    if jacobian is None:
        ax.text(0.5, 0.5, "no output for each example", ha="center", transform=ax.transAxes)
        return
    for values in jacobian.singular_values:
        positive = np.where(values > 0, values, np.nan)
        if not np.isnan(positive).all():
            ax.semilogy(np.arange(1, len(values) + 1), positive, "o-", markersize=3, linewidth=1)
    low, high = ax.get_ylim()
    if 0 < high < 10 * low:  # a level line is to look level
        ax.set_ylim((low * high) ** 0.5 / 10**0.5, (low * high) ** 0.5 * 10**0.5)
    moments = jacobian.moments
    ax.set_title(
        f"Jacobian of {jacobian.rows} of {jacobian.outputs} outputs: singular values\n"
        f"mean square of entries {moments.second:.3g}, kurtosis {moments.kurtosis:.3g}",
        fontsize=10,
    )
    ax.grid(alpha=0.3)


def _map(figure, ax, over_time, name):
    """Recurrent layers by time step, the decimal logarithm as colour."""
    steps = max(len(layer.steps.mean) for layer in over_time)
    image = np.full((len(over_time), steps), np.nan)
    for line, layer in zip(image, over_time, strict=True):
        values = getattr(layer.steps, name)
        with np.errstate(divide="ignore", invalid="ignore"):
            line[: len(values)] = np.log10(values)
    image[~np.isfinite(image)] = np.nan
    shown = ax.imshow(image, aspect="auto", cmap="viridis", interpolation="nearest")
    ax.set_yticks(range(len(over_time)), [layer.name[-24:] for layer in over_time], fontsize=7)
    ax.set(title=f"log10 of the {name}, step by step", xlabel="step")
    figure.colorbar(shown, ax=ax)
