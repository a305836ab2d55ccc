"""Limits of a study that keep a hostile file from taking time or memory."""

import math
import re
import reprlib
from collections.abc import Iterator, Mapping
from typing import Any

from apexr.errors import SpecError

MOST_BYTES = 512 * 1024
"""Size of a study file."""
MOST_EXPERIMENTS = 20_000
MOST_DEPTH = 8
"""Tables and lists within each other."""
MOST_KEYS = 1_000
"""Keys of one table."""
LONGEST_KEY = 200
LONGEST_TEXT = 2_000
LARGEST_NUMBER = 2**63

_PART = r"""(?:[A-Za-z0-9_-]++|"[^"\n]*+"|'[^'\n]*+')"""
_LONG_KEY = re.compile(rf"(?<![A-Za-z0-9_-]){_PART}(?:[ \t]*+\.[ \t]*+{_PART}){{16}}")
_DEEP = re.compile(r"(?:[\[{][\s]*+){33}")


def text_problem(text: str) -> str | None:
    """Return what makes a text no study that is worth parsing, or None.

    A parser takes quadratic time for long dotted keys, and recurses into brackets.
    """
    if "\0" in text:
        return "it holds a NUL character"
    if _DEEP.search(text):
        return "its brackets are nested too deeply"
    if _LONG_KEY.search(text):
        return "it holds a key of more than 16 parts"
    return None


def value_problems(value: Any, place: str = "", depth: int = 0) -> Iterator[str]:
    """Yield what no experiment can mean: numbers and texts out of all measure, dates, NaN."""
    where = place or "the study"
    if depth > MOST_DEPTH:
        yield f"{where}: nested more than {MOST_DEPTH} deep"
    elif isinstance(value, Mapping):
        yield from _table_problems(value, place, depth)
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            yield from value_problems(entry, f"{place}[{index}]", depth + 1)
    elif isinstance(value, str):
        if len(value) > LONGEST_TEXT:
            yield f"{where}: a text of {len(value)} characters, at most {LONGEST_TEXT} are read"
    elif isinstance(value, bool) or value is None:
        return
    elif isinstance(value, int | float):
        if not (math.isfinite(value) if isinstance(value, float) else abs(value) < LARGEST_NUMBER):
            yield f"{where}: expected a finite number of at most 64 bits"
    else:
        yield f"{where}: expected text, a number, true or false, got a {type(value).__name__}"


def _table_problems(table: Mapping[Any, Any], place: str, depth: int) -> Iterator[str]:
    where = place or "the study"
    if len(table) > MOST_KEYS:
        yield f"{where}: a table of {len(table)} keys, at most {MOST_KEYS} are read"
        return
    for key, entry in table.items():
        named = shortened(str(key), 40).strip("'") if len(str(key)) > 40 else str(key)
        if len(str(key)) > LONGEST_KEY:
            yield f"{where}: a key of {len(str(key))} characters, {named}"
        yield from value_problems(entry, f"{place}.{named}" if place else named, depth + 1)


def check_number(count: int) -> None:
    """Refuse more experiments than a study may have.

    Raises
    ------
    SpecError
        If there are.
    """
    if count > MOST_EXPERIMENTS:
        raise SpecError(too_many(count))


def too_many(count: int) -> str:
    told = str(count) if count < 10**12 else "more than 10^12"
    return f"{told} experiments; a study has at most {MOST_EXPERIMENTS}"


def shortened(value: Any, width: int = 80) -> str:
    """Return how a value is written, cut to a width, whatever it is."""
    printer = reprlib.Repr()
    printer.maxstring = printer.maxother = width
    return printer.repr(value)
