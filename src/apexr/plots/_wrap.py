"""Text in lines that are no longer than a given width."""

import re
from typing import Any

_CUTS = r"(?<=[;,_=/])"
"""Where a name without spaces may be broken."""


class Ruler:
    """Measures text as a figure of matplotlib would draw it.

    Parameters
    ----------
    figure
        The figure.
    """

    def __init__(self, figure: Any) -> None:
        self._figure = figure
        self._known: dict[tuple[str, float], float] = {}

    @property
    def renderer(self) -> Any:
        """The library that draws the figure."""
        return self._figure.canvas.get_renderer()

    def width(self, text: str, size: float) -> float:
        """Return the inches that the longest line of a text of so many points takes."""
        return max(self._line(line, size) for line in text.split("\n"))

    def _line(self, line: str, size: float) -> float:
        from matplotlib.font_manager import FontProperties

        if (line, size) not in self._known:
            wide, _, _ = self.renderer.get_text_width_height_descent(
                line.replace(r"\$", "$"), FontProperties(size=size), False
            )
            self._known[line, size] = wide / self._figure.dpi
        return self._known[line, size]


def wrapped(text: str, most: float, size: float, ruler: Any, *, cut: bool = True) -> str:
    """Return a text in lines no longer than ``most`` inches.

    Lines are broken at spaces, and within a word after a sign that joins its parts. A piece that is
    longer than a line loses its end if ``cut``.

    Parameters
    ----------
    text
        The text, perhaps of several lines.
    most
        Inches.
    size
        Points of the text.
    ruler
        Measures widths.
    cut
        Whether a piece that cannot be broken may lose its end.
    """
    return "\n".join(_broken(line, most, size, ruler, cut) for line in text.split("\n"))


def _broken(line: str, most: float, size: float, ruler: Any, cut: bool) -> str:
    if ruler.width(line, size) <= most:
        return line
    pieces: list[str] = []
    for word in re.split(r"(?<=\s)(?=\S)", line):
        long = ruler.width(word.rstrip(), size) > most
        pieces += [piece for piece in re.split(_CUTS, word) if piece] if long else [word]
    lines = [""]
    for piece in pieces:
        if lines[-1] and ruler.width((lines[-1] + piece).rstrip(), size) > most:
            lines.append("")
        lines[-1] += piece
    lines = [one.strip() for one in lines]
    return "\n".join(_shortened(one, most, size, ruler) if cut else one for one in lines)


def _shortened(line: str, most: float, size: float, ruler: Any) -> str:
    """Return a line, without its end where it is too long."""
    if ruler.width(line, size) <= most:
        return line
    kept = len(line)
    while kept > 1 and ruler.width(line[:kept] + "…", size) > most:
        kept -= 1
    return line[:kept] + "…"
