"""Plain data that tables hold as text: JSON, or literals of Python. They are read, never run."""

import ast
import json
from typing import Any

from apexr.errors import SpecError

LONGEST_TEXT = 100_000
"""Characters of a cell; the keywords of a scenario are far shorter."""


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
