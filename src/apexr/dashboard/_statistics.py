"""Tables of the chosen experiments, the comparison of all pairs, and what may be claimed."""

import itertools
import warnings
from collections.abc import Sequence
from html import escape

from apexr._report._comparison import Comparison, claims, no_claims
from apexr._report._parts import Code, Part, Points, Text, part_html
from apexr.analysis._selection import differing, label_names, label_rows
from apexr.dashboard._drawing import Side, all_parts, opening
from apexr.dashboard._elements import card, panel, told
from apexr.errors import ApexrError, ApexrWarning

UP_TO = 100
"""Last step of geometric means over time, as in a report."""
MOST = 12
"""Values of a label that are compared; all pairs of them."""

CSS = """
h2 { font-size: 14px; margin: 14px 0 4px 0; }
p, li, summary { font-size: 13px; line-height: 1.45; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 12.5px; margin: 6px 0; }
caption { caption-side: bottom; text-align: left; color: #555; padding-top: 6px; }
thead { border-top: 1.5px solid #333; border-bottom: 1px solid #333; }
tbody { border-bottom: 1.5px solid #333; }
th, td { padding: 3px 9px; text-align: right; white-space: nowrap; }
th[scope=row], th:first-child, .texts td, .texts th { text-align: left; font-weight: normal; }
thead th { font-weight: 600; }
pre { background: #f4f5f7; border: 1px solid #d9dce1; padding: 6px 8px; font-size: 12px;
  white-space: pre-wrap; overflow-wrap: anywhere; margin: 4px 0; }
summary { cursor: pointer; color: #1f3a5f; }
"""


class Statistics:
    """The view of what the seeds tell about all chosen experiments together.

    Parameters
    ----------
    by
        The widget that says which label is compared.
    """

    def __init__(self, by: object) -> None:
        pn = panel()
        self._by = by
        self._shown: object = None
        self.default: str | None = None
        self.pane = pn.pane.HTML("", stylesheets=[CSS], sizing_mode="stretch_width", margin=(0, 5))
        self.layout = card(self.pane)

    def labels(self, sides: Sequence[Side], metric: str | None) -> tuple[list[str], str | None]:
        """Return the labels that can be compared, and the one that is by default."""
        every = Side("", all_parts(sides), None).only(metric) if metric else None
        found = [] if every is None else differing(label_rows(every, label_names(every)))
        self.default = "net" if "net" in found else next(iter(found), None)
        return found, self.default

    def draw(self, sides: Sequence[Side], metric: str | None, stamps: object) -> None:
        """Show the statistics, unless they are shown already."""
        by = self._by.value  # type: ignore[attr-defined]
        if self._shown == (stamps, metric, by):
            return
        self._shown = (stamps, metric, by)
        try:
            self.pane.object = _written(sides, metric, by)
        except ApexrError as error:
            self.pane.object = told(str(error))


def _written(sides: Sequence[Side], metric: str | None, by: str | None) -> str:
    """Return the statistics as HTML."""
    every = Side("", all_parts(sides), None).only(metric) if metric else None
    if every is None or metric is None:
        return told("No experiment with an error is chosen.")
    if by is None:
        return told("There is nothing to compare: choose experiments that differ.")
    comparison = Comparison(every, metric, by, UP_TO)
    both = " of A and B" if len(sides) > 1 else ""
    number = every.sizes["experiment"]
    lead = f"{number} chosen experiment{'s' if number != 1 else ''}{both}, by their {by}."
    sections: list[tuple[str, list[Part]]] = [("Errors", [Text(lead), *comparison.tables()])]
    values = len(comparison.values)
    if values > MOST:
        words = f"All pairs are compared of at most {MOST} values of {by}; these are {values}."
        sections.append(("Comparisons", [Text(words)]))
    else:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always", ApexrWarning)
            pairs = comparison.pairs()
        said = dict.fromkeys(f"{one.message}." for one in warned)
        sections += [
            ("Comparisons", [*comparison.compared(pairs), *map(Text, said)]),
            ("Supported claims", [Points(claims(pairs))]),
            ("Unsupported claims", [Points(no_claims(pairs))]),
        ]
    opened = ["import apexr", "", *opening(sides[0].path, every)]
    pieces = itertools.chain.from_iterable(
        [f"<h2>{escape(title)}</h2>", *(_piece(part, opened) for part in parts)]
        for title, parts in sections
    )
    return "\n".join(pieces)


def _piece(part: Part, opened: Sequence[str]) -> str:
    """Return a part as HTML; code is folded, and opens the study first."""
    if not isinstance(part, Code):
        return part_html(part)
    whole = Code("\n".join([*opened, part.lines]))
    return f"<details><summary>Code</summary>{part_html(whole)}</details>"
