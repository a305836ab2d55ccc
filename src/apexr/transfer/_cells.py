"""The cells of a table, read strictly: numbers, nested lists, what callbacks recorded."""

import json
import re
from typing import Any

import numpy as np

from apexr.analysis import read_keywords
from apexr.errors import SpecError

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?inf|nan|", re.ASCII)
_LISTS = re.compile(r"[\[\]\d\s,.eE+\-naif]*", re.ASCII)
_ARRAY = re.compile(r"Array\((-?[\w.+-]+), dtype=float(?:32|64)(?:, weak_type=True)?\)", re.ASCII)
_SINGLE_DIGITS = 9
"""Digits that tell a number of single precision from all others."""


def read_number(text: str) -> float:
    """Return a number; nothing at all stands for NaN.

    Raises
    ------
    SpecError
        If it is none.
    """
    if not _NUMBER.fullmatch(text):
        raise SpecError(f"expected a number, got {_short(text)}")
    return float(text or "nan")


def is_double(text: str) -> bool:
    """Tell whether a number has more digits than single precision prints."""
    mantissa = re.split("[eE]", text)[0]
    return len(re.sub(r"\D", "", mantissa).lstrip("0")) > _SINGLE_DIGITS


def read_nested(text: str) -> np.ndarray:
    """Return the array that nested lists of numbers, as Python prints them, stand for.

    Raises
    ------
    SpecError
        If it is anything else, or the lists are not of equal length.
    """
    if not _LISTS.fullmatch(text):
        raise SpecError(f"expected nested lists of numbers, got {_short(text)}")
    try:
        json_text = re.sub(r"\binf\b", "Infinity", re.sub(r"\bnan\b", "NaN", text))
        return np.asarray(json.loads(json_text), dtype=np.float64)
    except (ValueError, TypeError, RecursionError, MemoryError) as error:
        raise SpecError(f"expected nested lists of numbers, got {_short(text)} ({error})") from None


def read_record(text: str) -> dict[str, float]:
    """Return the numbers of a cell such as ``{'weight_norm': Array(1.9, dtype=float32)}``.

    Values that are no single number are left out.

    Raises
    ------
    SpecError
        If the cell is no dictionary.
    """
    if text in ("", "{}"):
        return {}
    held: dict[str, Any] = read_keywords(_ARRAY.sub(r"\1", text))
    return {
        name: float(value)
        for name, value in held.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def _short(text: str) -> str:
    return repr(text if len(text) <= 80 else f"{text[:80]}…")
