"""The parts of a report, and how they are written: once as HTML, once as Markdown.

All text is plain until it is written. Labels come from a store, which may be a stranger's: each
writer escapes every text, so that a label is never markup, a link or a script.
"""

import base64
import dataclasses
import html
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from apexr.analysis import Table
from apexr.analysis._dialects import MARKDOWN, one_line


@dataclasses.dataclass(frozen=True)
class Link:
    """A word in a table that leads to a file.

    Attributes
    ----------
    words
        The text that is shown.
    target
        The file, by its path below the folder of the page; a name that apexr has given it.
    """

    words: str
    target: str


Cells = Sequence[Sequence[str | Link]]


@dataclasses.dataclass(frozen=True)
class Text:
    """A paragraph."""

    words: str


@dataclasses.dataclass(frozen=True)
class Points:
    """A list of sentences."""

    items: Sequence[str]


@dataclasses.dataclass(frozen=True)
class Code:
    """Lines of Python."""

    lines: str


@dataclasses.dataclass(frozen=True)
class Grid:
    """A table of texts and links: the first line is its head."""

    cells: Cells


@dataclasses.dataclass(frozen=True)
class Numbers:
    """A table of apexr's, which writes itself."""

    table: Table


@dataclasses.dataclass(frozen=True)
class Figure:
    """A picture in a file.

    Attributes
    ----------
    path
        The file.
    caption
        Its content.
    wide
        Whether it takes two columns of a paper.
    """

    path: Path
    caption: str
    wide: bool


Part = Text | Points | Code | Grid | Numbers | Figure


@dataclasses.dataclass(frozen=True)
class Section:
    """A heading and what stands below it."""

    title: str
    parts: Sequence[Part]


# --- HTML ------------------------------------------------------------------------------------

_STYLE = """
:root { color-scheme: light; }
body { max-width: 56rem; margin: 2.5rem auto; padding: 0 1.2rem; color: #1a1a1a; background: #fff;
  font: 16px/1.55 Georgia, "Times New Roman", serif; }
h1, h2, nav, table, figcaption, .lead { font-family: system-ui, "Segoe UI", Arial, sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.25; margin-bottom: .3rem; }
h2 { font-size: 1.2rem; margin-top: 2.6rem; border-bottom: 1px solid #ccc; padding-bottom: .25rem; }
.lead { color: #555; margin-top: 0; font-size: .9rem; }
nav { font-size: .85rem; margin: 1.2rem 0; }
nav a { margin-right: 1rem; color: #0072b2; text-decoration: none; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .82rem; margin: .8rem 0; }
caption { caption-side: bottom; text-align: left; color: #555; padding-top: .5rem; }
thead { border-top: 1.5px solid #333; border-bottom: 1px solid #333; }
tbody { border-bottom: 1.5px solid #333; }
th, td { padding: .28rem .7rem; text-align: right; vertical-align: top; }
th[scope=row], th:first-child, .texts td, .texts th { text-align: left; }
th[scope=row] { font-weight: normal; white-space: nowrap; }
td { white-space: nowrap; }
thead th { font-weight: 600; }
.texts td, .texts th { white-space: normal; min-width: 2.2rem; }
.texts td:first-child { overflow-wrap: anywhere; }
figure { margin: 1.4rem 0 .4rem; }
figure img { width: 100%; height: auto; }
figure.column img { max-width: 30rem; }
figcaption { color: #555; font-size: .85rem; }
pre { background: #f5f5f2; border-left: 3px solid #0072b2; padding: .6rem .9rem; overflow-x: auto;
  font-size: .8rem; line-height: 1.4; white-space: pre-wrap; overflow-wrap: anywhere; }
@media print { body { margin: 0; max-width: none; } pre { white-space: pre-wrap; } }
"""


def to_html(title: str, lead: str, sections: Sequence[Section]) -> str:
    """Return a page that needs no other file, no script and no network."""
    links = "".join(
        f'<a href="#part-{place}">{html.escape(one.title)}</a>'
        for place, one in enumerate(sections)
    )
    body = "\n".join(
        f'<section id="part-{place}">\n<h2>{html.escape(one.title)}</h2>\n'
        + "\n".join(part_html(part) for part in one.parts)
        + "\n</section>"
        for place, one in enumerate(sections)
    )
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(one_line(title))}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f'<h1>{html.escape(one_line(title))}</h1>\n<p class="lead">{html.escape(lead)}</p>\n'
        f"<nav>{links}</nav>\n{body}\n</body>\n</html>\n"
    )


def part_html(part: Part) -> str:
    """Return a part as HTML."""
    match part:
        case Text():
            made = f"<p>{html.escape(part.words)}</p>"
        case Points():
            items = "".join(f"<li>{html.escape(item)}</li>" for item in part.items)
            made = f"<ul>{items}</ul>"
        case Code():
            made = f"<pre><code>{html.escape(part.lines)}</code></pre>"
        case Numbers():
            made = f'<div class="wide" tabindex="0">{part.table.to_html()}</div>'
        case Figure():
            made = _html_figure(part)
        case Grid():
            made = _html_grid(part)
    return made


def _html_figure(part: Figure) -> str:
    data = base64.b64encode(part.path.read_bytes()).decode()
    said = html.escape(part.caption)
    return (
        f'<figure class="{"page" if part.wide else "column"}">'
        f'<img alt="{said}" src="data:image/png;base64,{data}">'
        f"<figcaption>{said}</figcaption></figure>"
    )


def _html_grid(part: Grid) -> str:
    head, *rows = part.cells
    lines = ["<tr>" + "".join(f"<th>{_html_cell(cell)}</th>" for cell in head) + "</tr>"]
    lines += [
        "<tr>" + "".join(f"<td>{_html_cell(cell)}</td>" for cell in row) + "</tr>" for row in rows
    ]
    return (
        f'<div class="wide" tabindex="0"><table class="texts"><thead>{lines[0]}</thead>'
        f"<tbody>{''.join(lines[1:])}</tbody></table></div>"
    )


def _html_cell(cell: str | Link) -> str:
    if isinstance(cell, Link):
        return f'<a href="{html.escape(cell.target)}">{html.escape(cell.words)}</a>'
    return html.escape(cell)


# --- Markdown --------------------------------------------------------------------------------


def to_markdown(title: str, lead: str, sections: Sequence[Section], folder: Path) -> str:
    """Return the same as Markdown, with pictures by their place below a folder."""
    blocks = [f"# {escaped(title)}", escaped(lead)]
    for one in sections:
        blocks += [f"## {escaped(one.title)}", *(_markdown(part, folder) for part in one.parts)]
    return "\n\n".join(blocks) + "\n"


def _markdown(part: Part, folder: Path) -> str:
    match part:
        case Text():
            made = escaped(part.words)
        case Points():
            made = "\n".join(f"- {escaped(item)}" for item in part.items)
        case Code():
            made = _fenced(part.lines, "python")
        case Numbers():
            made = part.table.to_markdown().strip()
        case Figure():
            place = part.path.relative_to(folder).as_posix()
            made = f"![{escaped(part.caption)}]({place})\n\n*{escaped(part.caption)}*"
        case Grid():
            head, *rows = ([_markdown_cell(cell) for cell in row] for row in part.cells)
            lines = [head, [":--"] * len(head), *rows]
            made = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return made


def _markdown_cell(cell: str | Link) -> str:
    if isinstance(cell, Link):
        return f"[{MARKDOWN.escape(cell.words)}]({cell.target})"
    return MARKDOWN.escape(cell)


def escaped(text: str) -> str:
    """Return a text of which no character is markup, on one line."""
    line = MARKDOWN.escape(text).strip()
    line = re.sub(r"^([-+=#])", r"\\\1", line)
    return re.sub(r"^(\d+)([.)])(?=\s|$)", r"\1\\\2", line)


def _fenced(lines: str, language: str) -> str:
    """Return lines between fences that none of them can end."""
    shown = "\n".join(one_line(line) for line in lines.split("\n"))
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{shown}\n{fence}"


# --- code ------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Call:
    """A call of a public function: what is shown is what is called.

    Attributes
    ----------
    name
        Below ``apexr``, such as ``plot.metric``.
    subject
        The name of its first argument in the code.
    options
        Keywords; plain values.
    """

    name: str
    subject: str
    options: Mapping[str, Any]

    @property
    def code(self) -> str:
        """The line of code."""
        given = [self.subject, *(f"{key}={value!r}" for key, value in self.options.items())]
        return f"apexr.{self.name}({', '.join(given)})"

    def __call__(self, subject: Any) -> Any:
        """Return what the function returns for its first argument."""
        import apexr

        found: Any = apexr
        for part in self.name.split("."):
            found = getattr(found, part)
        return found(subject, **self.options)
