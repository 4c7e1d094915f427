"""Depth map: the gradient norm of each layer at each recorded step, as one image.

    first layer  ░▒▓▓▓▓▓   light: large, dark: small; one scale for all runs, since a scale
    last layer   ▓▓▓▓▓▓▓   of its own would show a vanished gradient as bright as any other

The colours rise in lightness from end to end, so that they can be read in grey and by people
who do not tell red from green; what is not finite is red, which is none of them.
"""

import io
import math
from collections.abc import Mapping

import numpy as np

LOWEST, HIGHEST = -8, 1  # decades
COLOURS = (  # from dark blue by grey to yellow
    *("00224e", "123570", "3b496c", "575d6d", "707173"),
    *("8a8678", "a59c74", "c3b369", "e1cc55", "fee838"),
)
NOT_FINITE = "e8000b"
COLUMNS = 256  # more steps than this are thinned out
WIDTH, HEIGHT, LABEL, LINE = 640, 480, 180, 12  # pixels: of the map, of a label, of its line


class DepthMap:
    """Collects the rows of records, and draws them."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._columns: list[tuple[int, np.ndarray]] = []
        self._stride, self._added = 1, 0

    def add(self, step: int, norms: Mapping[str, float]) -> None:
        """Add a step: the norms of all layers, the same ones each time."""
        if self._added % self._stride == 0:
            self._names = list(norms)
            with np.errstate(divide="ignore", invalid="ignore"):
                self._columns.append((step, np.log10(np.array(list(norms.values())))))
        self._added += 1
        if len(self._columns) == COLUMNS:
            self._columns = self._columns[::2]
            self._stride *= 2

    def png(self) -> bytes:
        """Return the map so far as a PNG file."""
        from PIL import Image, ImageDraw

        cells = coloured(np.stack([column for _, column in self._columns], axis=1))
        rows, columns = cells.shape[:2]
        size = (columns * max(1, WIDTH // columns), rows * max(1, min(32, HEIGHT // rows)))
        height = size[1] + 3 * LINE
        page = Image.new("RGB", (LABEL + size[0] + 60, max(height, 8 * LINE)), "white")
        cell_map = Image.fromarray(cells).resize(size, Image.Resampling.NEAREST)
        page.paste(cell_map, (LABEL, LINE))
        draw = ImageDraw.Draw(page)
        for place in range(0, rows, math.ceil(rows * LINE / size[1])):
            top = LINE + size[1] * (place + 0.5) / rows
            draw.text((LABEL - 4, top), self._names[place][-28:], "black", anchor="rm")
        draw.text((LABEL, 0), "log10 of the gradient norm of each layer", "black")
        below = LINE + size[1] + 2
        draw.text((LABEL, below), f"step {self._columns[0][0]}", "black")
        draw.text((LABEL + size[0], below), str(self._columns[-1][0]), "black", anchor="ra")
        _draw_scale(page, draw, LABEL + size[0] + 10, LINE, max(size[1], 5 * LINE))
        file = io.BytesIO()
        page.save(file, "png", compress_level=1)
        return file.getvalue()


def coloured(decades: np.ndarray) -> np.ndarray:
    """Return decades as colours of the scale, ``(..., 3)``."""
    anchors = np.array([list(bytes.fromhex(colour)) for colour in COLOURS])
    places = np.linspace(LOWEST, HIGHEST, len(anchors))
    finite = np.nan_to_num(decades, nan=LOWEST, neginf=LOWEST)  # minus infinity is a zero
    found = np.stack([np.interp(finite, places, anchors[:, c]) for c in range(3)], axis=-1)
    found[np.isnan(decades) | np.isposinf(decades)] = list(bytes.fromhex(NOT_FINITE))
    return found.round().astype("uint8")


def _draw_scale(page, draw, left, top, height):
    from PIL import Image

    bar = coloured(np.linspace(HIGHEST, LOWEST, height))[:, None]
    page.paste(Image.fromarray(np.repeat(bar, 12, axis=1)), (left, top))
    for decade in range(HIGHEST, LOWEST - 1, -3):
        place = top + height * (HIGHEST - decade) / (HIGHEST - LOWEST)
        draw.text((left + 16, place), str(decade), "black", anchor="lm")
