"""The view of apexr's objects in notebooks: a title, rows of facts, and perhaps a small picture."""

import base64
import struct
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from apexr._inert import inert

_CELL = "padding:2px 10px;text-align:left;vertical-align:top"
_MOST_PIXELS = 96
"""Pixels along each side of a picture, at most."""


def as_html(text: object, *, lines: bool = True) -> str:
    """Return a text of any stranger as HTML that shows it; between two backticks it is code."""
    parts = escape(inert(str(text), lines=lines)).replace("``", "`").split("`")
    return "".join(f"<code>{part}</code>" if n % 2 else part for n, part in enumerate(parts))


def card(title: str, facts: Mapping[str, object], said: str = "", picture: str = "") -> str:
    """Return what an object is: its name, a sentence, and its facts as rows.

    Parameters
    ----------
    title
        Name of the object.
    facts
        Facts about it, by name.
    said
        A sentence, equations between backticks.
    picture
        HTML that stands next to the facts, such as :func:`picture_of` returns.
    """
    rows = "".join(
        f'<tr><td style="{_CELL};opacity:0.7">{as_html(name)}</td>'
        f'<td style="{_CELL}">{as_html(value)}</td></tr>'
        for name, value in facts.items()
    )
    sentence = f"<div>{as_html(said)}</div>" if said else ""
    beside = f'<div style="padding:4px 12px">{picture}</div>' if picture else ""
    return (
        f"<div><b>{as_html(title)}</b>{sentence}"
        f'<div style="display:flex"><table>{rows}</table>{beside}</div></div>'
    )


def listing(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return rows of texts as a table."""
    head = "".join(f'<th style="{_CELL}">{as_html(name)}</th>' for name in heads)
    body = "".join(
        "<tr>" + "".join(f'<td style="{_CELL}">{as_html(cell)}</td>' for cell in row) + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def picture_of(values: np.ndarray, said: str) -> str:
    """Return numbers ``(row, column)`` as a small picture from blue over white to red.

    Parameters
    ----------
    values
        The numbers; their largest magnitude has the strongest color, what is not finite is gray.
    said
        A description of the picture, for readers who do not see it.
    """
    shown = np.asarray(values, float)
    shown = shown[tuple(slice(None, None, -(-size // _MOST_PIXELS)) for size in shown.shape)]
    sound = np.isfinite(shown)
    top = float(np.abs(shown[sound]).max(initial=0)) or 1.0
    part = np.where(sound, shown, 0) / top
    red, blue = 1 - np.clip(-part, 0, 1), 1 - np.clip(part, 0, 1)
    colors = np.stack([blue, np.minimum(red, blue), red], axis=-1)
    colors = np.where(sound[..., None], colors, 0.74)
    code = base64.b64encode(_bitmap((255 * colors).round().astype(np.uint8))).decode()
    look = "width:160px;height:100px;image-rendering:pixelated;border:1px solid #999"
    return f'<img alt="{escape(said)}" style="{look}" src="data:image/bmp;base64,{code}">'


def _bitmap(pixels: np.ndarray) -> bytes:
    """Return pixels ``(row, column, 3)``, blue first, as a file of the format BMP."""
    high, wide, _ = pixels.shape
    padded = np.zeros((high, -(-3 * wide // 4) * 4), np.uint8)
    padded[:, : 3 * wide] = pixels[::-1].reshape(high, 3 * wide)
    start = 14 + 40
    head = struct.pack("<2sIHHI", b"BM", start + padded.size, 0, 0, start)
    form = struct.pack("<IiiHHIIiiII", 40, wide, high, 1, 24, 0, padded.size, 2835, 2835, 0, 0)
    return head + form + padded.tobytes()


def shape_words(shape: Sequence[int], names: Sequence[str], dtype: Any = np.float32) -> str:
    """Return sizes in words, and the memory that so many numbers take."""
    words = [
        f"{size} {name.removesuffix('s') if size == 1 else name}"
        for size, name in zip(shape, names, strict=True)
    ]
    sizes = ", ".join(words)
    return f"{sizes} ({np.prod(shape, dtype=float) * np.dtype(dtype).itemsize / 1e6:.3g} MB)"
