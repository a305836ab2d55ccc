"""A table: its numbers, and how they are written in Markdown, LaTeX, HTML and CSV."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import pandas as pd

from apexr.analysis._dialects import HTML, LATEX, MARKDOWN, PLAIN, Cell, Dialect
from apexr.exchange._tables import inert_text
from apexr.schema import COORDINATES

Target = str | PathLike[str] | None


def keys_of(numbers: pd.DataFrame, names: Sequence[str]) -> pd.Series:
    """Return the labels ``names`` of each row together, as a tuple of texts."""
    texts = [numbers[name].map(str) for name in names]
    rows = list(zip(*texts, strict=True)) if texts else [()] * len(numbers)
    return pd.Series(rows, index=numbers.index, dtype=object)


def in_order(
    keys: pd.Series, names: Sequence[str], order: Mapping[str, Sequence[str]]
) -> list[tuple[str, ...]]:
    """Return the keys (see :func:`keys_of`) of some labels, each once, in order."""
    places = [{text: i for i, text in enumerate(order[name])} for name in names]
    return sorted(
        dict.fromkeys(keys), key=lambda key: [p[t] for p, t in zip(places, key, strict=True)]
    )


@dataclass(frozen=True)
class Table:
    """Numbers that are laid out in rows and columns, kept in full and written with few digits.

    Attributes
    ----------
    numbers
        One row for each cell: its labels, ``value`` (the median), ``low``, ``high``,
        ``num_seeds`` that there are, ``count`` that are finite, ``num_diverged``, and whether it is
        the ``best``.
    rows, columns
        Labels that make the rows and the columns.
    order
        The values of these labels in the order in which they are shown.
    note
        The meaning of the numbers, in words.
    digits
        Significant digits of the texts.
    band
        Whether the texts show ``low`` and ``high``.
    """

    numbers: pd.DataFrame
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    order: Mapping[str, Sequence[str]]
    note: str
    digits: int = 3
    band: bool = True

    def to_markdown(self, path: Target = None) -> str:
        """Return the table in Markdown, with its note below; write it to ``path`` if given."""
        grid = self._grid(MARKDOWN)
        head = [*grid.stubs, *(", ".join(labels) for labels in grid.heads)]
        lines = [head, [":---"] * len(grid.stubs) + ["---:"] * len(grid.heads)]
        lines += [[*names, *cells] for names, cells in grid.body]
        text = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        return _written(f"{text}\n\n{MARKDOWN.escape(self.note)}\n", path)

    def to_latex(self, path: Target = None) -> str:
        """Return the table in LaTeX, for the package booktabs; write it to ``path`` if given."""
        grid = self._grid(LATEX)
        spec = "l" * len(grid.stubs) + "r" * len(grid.heads)
        lines = ["\\begin{table}", "\\centering", f"\\caption{{{LATEX.escape(self.note)}}}"]
        lines += [f"\\begin{{tabular}}{{{spec}}}", "\\toprule"]
        lines += [" & ".join(line) + r" \\" for line in _latex_heads(grid)]
        lines += ["\\midrule"]
        lines += [" & ".join([*names, *cells]) + r" \\" for names, cells in grid.body]
        lines += ["\\bottomrule", "\\end{tabular}", "\\end{table}"]
        return _written("\n".join(lines) + "\n", path)

    def to_html(self, path: Target = None) -> str:
        """Return the table in HTML; write it to ``path`` if given."""
        grid = self._grid(HTML)
        lines = ["<table>", f"<caption>{HTML.escape(self.note)}</caption>", "<thead>"]
        lines += [f"<tr>{line}</tr>" for line in _html_heads(grid)]
        lines += ["</thead>", "<tbody>"]
        lines += [
            "<tr>"
            + "".join(f'<th scope="row">{name}</th>' for name in names)
            + "".join(f"<td>{cell}</td>" for cell in cells)
            + "</tr>"
            for names, cells in grid.body
        ]
        return _written("\n".join([*lines, "</tbody>", "</table>"]) + "\n", path)

    def to_csv(self, path: Target = None) -> str:
        """Return all numbers in full as CSV, one line a cell; write it to ``path`` if given."""
        return _written(inert_text(self.numbers).to_csv(index=False), path)

    def to_frame(self) -> pd.DataFrame:
        """Return the texts as a pandas table, with the labels as its index and columns."""
        grid = self._grid(PLAIN)
        cells = [cells for _, cells in grid.body]
        index = _index([names for names, _ in grid.body], grid.stubs)
        columns = _index(grid.heads, [_title(name) for name in self.columns])
        return pd.DataFrame(cells, index=index, columns=columns)

    def __str__(self) -> str:
        return self.to_markdown()

    def _repr_html_(self) -> str:
        return self.to_html()

    def _grid(self, dialect: Dialect) -> "_Grid":
        row_keys, column_keys = (keys_of(self.numbers, n) for n in (self.rows, self.columns))
        texts = {
            (row, column): dialect.cell(self._cell(record), self.digits)
            for row, column, record in zip(
                row_keys, column_keys, self.numbers.to_dict("records"), strict=True
            )
        }
        rows = in_order(row_keys, self.rows, self.order)
        columns = in_order(column_keys, self.columns, self.order)
        return _Grid(
            stubs=[dialect.escape(_title(name)) for name in self.rows],
            heads=[[dialect.escape(_label(t)) for t in key] or ["median"] for key in columns],
            body=[
                (
                    [dialect.escape(_label(text)) for text in row],
                    [texts.get((row, column), dialect.absent) for column in columns],
                )
                for row in rows
            ],
        )

    def _cell(self, record: Mapping[Hashable, Any]) -> Cell:
        names = ("value", "low", "high", "num_seeds", "num_diverged", "best", "whole")
        cell = Cell(**{name: record[name] for name in names})
        several = self.band and cell.num_seeds > 1
        return cell if several else cell.without_band()


@dataclass(frozen=True)
class _Grid:
    """The texts of a table: titles of the row labels, labels of the columns, and lines."""

    stubs: list[str]
    heads: list[list[str]]
    body: list[tuple[list[str], list[str]]]


def _title(name: str) -> str:
    return COORDINATES[name].long_name if name in COORDINATES else name


def _label(text: str) -> str:
    return "default" if text == "None" else text


def _index(keys: Sequence[Sequence[str]], names: Sequence[str]) -> pd.Index:
    if len(names) > 1:
        return pd.MultiIndex.from_tuples([tuple(key) for key in keys], names=list(names))
    return pd.Index([key[0] if key else "" for key in keys], name=names[0] if names else None)


def _written(text: str, path: Target) -> str:
    if path is not None:
        Path(path).write_text(text, encoding="utf-8")
    return text


def _latex_heads(grid: _Grid) -> list[list[str]]:
    def wide(text: str, span: int) -> str:
        return text if span == 1 else rf"\multicolumn{{{span}}}{{c}}{{{text}}}"

    return _heads(grid, wide, "")


def _html_heads(grid: _Grid) -> list[str]:
    def wide(text: str, span: int) -> str:
        return f"<th>{text}</th>" if span == 1 else f'<th colspan="{span}">{text}</th>'

    lines = _heads(grid, wide, "<th></th>")
    stubs = "".join(f"<th>{text}</th>" for text in grid.stubs)
    return ["".join(line) for line in lines[:-1]] + [stubs + "".join(lines[-1][len(grid.stubs) :])]


def _heads(grid: _Grid, wide: Callable[[str, int], str], blank: str) -> list[list[str]]:
    """Return the lines of the heading: one a column label, neighbors that agree put together."""
    depth = len(grid.heads[0]) if grid.heads else 0
    lines = []
    for level in range(depth):
        spans: list[tuple[list[str], int]] = []
        for labels in grid.heads:
            start = labels[: level + 1]
            same = spans and spans[-1][0] == start and level < depth - 1
            spans[-1:] = [(start, spans[-1][1] + 1)] if same else [*spans[-1:], (start, 1)]
        stubs = grid.stubs if level == depth - 1 else [blank] * len(grid.stubs)
        lines.append([*stubs, *(wide(start[-1], span) for start, span in spans)])
    return lines
