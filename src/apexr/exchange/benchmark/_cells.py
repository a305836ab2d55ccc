"""The cells of a table, read strictly: numbers, nested lists, what callbacks recorded."""

import ast
import json
import re
from typing import Any

import numpy as np

from apexr.errors import SpecError

LONGEST_TEXT = 100_000
"""Characters of a cell; the keywords of a scenario are far shorter."""
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


def read_keywords(text: str) -> dict[str, Any]:
    """Return the dictionary that a cell such as ``{'num_points': 64}`` holds.

    Raises
    ------
    SpecError
        If it is no dictionary, or anything else than numbers, text, lists and the like in it.
    """
    try:
        value = _literal(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise SpecError(f"scenario_kwargs: cannot read {text[:200]!r} ({error})") from None
    if not isinstance(value, dict):
        raise SpecError(f"scenario_kwargs: expected a dictionary, got {text[:200]!r}")
    return {str(key): entry for key, entry in value.items()}


def _literal(text: str) -> Any:
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"longer than {LONGEST_TEXT} characters")
    try:
        return json.loads(text)
    except ValueError:
        return ast.literal_eval(_Infinities().visit(ast.parse(text.strip(), mode="eval")))


class _Infinities(ast.NodeTransformer):
    """Turns the names ``inf`` and ``nan``, which Python prints but does not read, into numbers."""

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Replace a name that stands for a number."""
        return ast.Constant(float(node.id)) if node.id in ("inf", "nan") else node
