"""The address of a page: all that its reader has chosen, as the query of a URL and back.

Everything in a query may come from a stranger. It is text here; the page that takes it decides
whether there is such an experiment, metric or step, and says what it has ignored.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl, urlencode

from apexr._inert import inert
from apexr.dashboard._records import FILTERS

NONE = "none"
"""Stands for a selection from which everything has been taken."""
_LONGEST = 32_000
"""Letters of a query that are read."""
_SHOWN = 60
"""Letters of a value that a note repeats."""
_MOST_NOTES = 6
_SINGLE = (
    "ticks",
    "view",
    "metric",
    "band",
    "scale",
    "cost",
    "by",
    "time",
    "seed",
    "sample",
    "channel",
)


@dataclasses.dataclass(frozen=True)
class Choices:
    """The choices of a reader; what is empty is left to the page.

    Attributes
    ----------
    filters
        The values to keep, for some of the columns of the table.
    a, b
        Beginnings of the ids of the experiments of both selections; None for those that a page
        shows first.
    ticks
        Which selection the ticks of the table are.
    view
        Which view is open.
    metric, band, scale, cost, by
        The content of its figures and tables.
    time, seed, sample, channel
        The state of rollouts.
    """

    filters: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    a: tuple[str, ...] | None = None
    b: tuple[str, ...] = ()
    ticks: str = ""
    view: str = ""
    metric: str = ""
    band: str = ""
    scale: str = ""
    cost: str = ""
    by: str = ""
    time: str = ""
    seed: str = ""
    sample: str = ""
    channel: str = ""


def to_query(choices: Choices) -> str:
    """Return the query of an address, with its question mark; nothing where nothing is chosen."""
    pairs = [(name, one) for name in FILTERS for one in choices.filters.get(name, ())]
    if choices.a is not None:
        pairs.append(("a", ",".join(choices.a) or NONE))
    if choices.b:
        pairs.append(("b", ",".join(choices.b)))
    pairs += [(name, text) for name in _SINGLE if (text := getattr(choices, name))]
    return f"?{urlencode(pairs, safe=',;:', errors='replace')}" if pairs else ""


def from_query(search: str) -> tuple[Choices, list[str]]:
    """Return what a query asks for, and what is to be said of it.

    Parameters
    ----------
    search
        The query of an address, with or without its question mark; any text.
    """
    if len(search) > _LONGEST:
        return Choices(), ["The address is too long to be one of this page; it is ignored."]
    notes: list[str] = []
    filters: dict[str, list[str]] = {}
    found: dict[str, str] = {}
    for name, text in parse_qsl(search.removeprefix("?"), errors="replace"):
        if name in FILTERS:
            filters.setdefault(name, []).append(text)
        elif name in (*_SINGLE, "a", "b") and name not in found:
            found[name] = text
        else:
            notes.append(f"The address has {quoted(name)}, which is no choice of this page.")
    a, b = (_ids(found.pop(side)) if side in found else None for side in ("a", "b"))
    kept = {name: tuple(dict.fromkeys(values)) for name, values in filters.items()}
    return Choices(filters=kept, a=a, b=b or (), **found), list(dict.fromkeys(notes))[:_MOST_NOTES]


def _ids(text: str) -> tuple[str, ...]:
    return () if text == NONE else tuple(dict.fromkeys(one for one in text.split(",") if one))


def asked(
    text: str, name: str, options: Sequence[object], notes: list[str], words: str = ""
) -> object | None:
    """Return the option that a text of an address asks for; None, with a note, if there is none.

    Parameters
    ----------
    text
        Of the address; nothing asks for nothing.
    name
        Name of the choice.
    options
        The options that there are.
    notes
        Where to say what is ignored.
    words
        Name of the things that have the options.
    """
    if not text:
        return None
    for option in options:
        if str(option) == text:
            return option
    where = f" in {words}" if words else ""
    notes.append(f"The address asks for the {name} {quoted(text)}, and there is none{where}.")
    return None


def quoted(text: str) -> str:
    """Return a text of a stranger on one line, and not too long."""
    said = inert(text, lines=False)
    return repr(said if len(said) <= _SHOWN else f"{said[: _SHOWN - 1]}…")
