"""How numbers and texts are written in each markup."""

import html
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from apexr._inert import inert

_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "…": r"\dots{}",
    "–": "--",
    "∞": r"$\infty$",
    **{c: f"\\{c}" for c in "&%$#_{}"},
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
}
_POSITIONAL = range(-3, 5)


@dataclass(frozen=True)
class Cell:
    """The content of one cell."""

    value: Any
    low: Any
    high: Any
    num_seeds: Any
    num_diverged: Any
    best: Any
    whole: Any

    def without_band(self) -> "Cell":
        """Return the cell with its value alone."""
        return replace(self, low=None, high=None)


@dataclass(frozen=True)
class Dialect:
    """A markup: how it escapes a text, marks the best and writes powers of ten."""

    escape: Callable[[str], str]
    bold: str = "{}"
    power: str = "{}e{:+03d}"
    infinity: str = "∞"
    between: str = "–"
    absent: str = "–"

    def cell(self, cell: Cell, digits: int) -> str:
        """Return ``0.42 [0.31–0.55] (1 of 10 diverged)``, without what does not apply."""
        value = self.number(cell.value, digits, cell.whole)
        text = self.bold.format(value) if cell.best else value
        if cell.low is not None and not math.isnan(cell.value):
            low, high = (self.number(x, digits, cell.whole) for x in (cell.low, cell.high))
            text += f" [{low}{self.between}{high}]"
        if cell.num_diverged:
            text += f" ({int(cell.num_diverged)} of {int(cell.num_seeds)} diverged)"
        return text

    def number(self, value: float, digits: int, whole: bool = False) -> str:
        """Return a number with so many significant digits, or in full if it is a whole one."""
        if math.isnan(value):
            return self.absent
        sign = "-" if value < 0 else ""
        if math.isinf(value):
            return sign + self.infinity
        if whole and value == int(value):
            return f"{int(value)}"
        mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
        power = int(exponent)
        if power in _POSITIONAL or value == 0:
            return f"{float(f'{mantissa}e{exponent}'):.{max(digits - 1 - power, 0)}f}"
        return self.power.format(mantissa, power)


def one_line(text: str) -> str:
    """Return a text with a space for each run of line ends, other unprintable signs as escapes."""
    return inert(re.sub(r"[\t-\r\x1c-\x1f\x85\u2028\u2029]+", " ", text), lines=False)


def _escape_markdown(text: str) -> str:
    return re.sub(r"([\\`*|<>\[\]~$&]|\b_|_\b)", r"\\\1", one_line(text))


def _escape_html(text: str) -> str:
    return html.escape(one_line(text))


def _escape_latex(text: str) -> str:
    text = one_line(text)
    written = "".join(_LATEX.get(character, character) for character in text)
    # After the end of a row LaTeX would take these for an option of that end.
    return f"{{{written[0]}}}{written[1:]}" if written.startswith(("[", "*")) else written


PLAIN = Dialect(escape=one_line)
MARKDOWN = Dialect(escape=_escape_markdown, bold="**{}**")
HTML = Dialect(escape=_escape_html, bold="<strong>{}</strong>", power="{} × 10<sup>{}</sup>")
LATEX = Dialect(
    escape=_escape_latex,
    bold=r"\textbf{{{}}}",
    power=r"${} \times 10^{{{}}}$",
    infinity=r"$\infty$",
    between="--",
    absent="--",
)
