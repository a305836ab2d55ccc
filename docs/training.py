"""Writes the tables of docs/training.md from the registries.

Run it after adding a task, an objective, a loss, an optimizer, a schedule or a callback::

    python docs/training.py

Each table stands between two comments, ``<!-- table: KIND -->`` and ``<!-- end -->``.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from apexr import engine, objectives, training
from apexr.training import OPTIMIZERS

PAGE = Path(__file__).resolve().with_suffix(".md")
BLOCK = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


SPECTRAL = (
    "`spectral;P`",
    "the squared error of each wavenumber times (1+|k|²)ᴾ, over the same of its target.",
)
"""The loss with a number of its own, which is no function of the registry."""


def strings(kind: Any) -> str:
    """Return the table of a kind: form and meaning of each config string."""
    rows = [(f"`{kind.usage(name)}`", _meaning(kind, name)) for name in kind.names()]
    return _table(("string", "meaning"), rows)


def losses() -> str:
    """Return the table of losses: what each is."""
    rows = []
    for name in objectives.LOSSES.names():
        text = (objectives.LOSSES.get(name).function.__doc__ or "").removeprefix("Return ")
        rows.append((f"`{name}`", text.split("\n", 1)[0]))
    return _table(("loss", "of each sample"), [*rows, SPECTRAL])


def modes() -> str:
    """Return the table of correction modes: formula and meaning."""
    rows = []
    for name in engine.MODES.names():
        text = (engine.MODES.get(name).__doc__ or "").split("\n", 1)[0]
        rows.append((f"`correct;{name}`", text.replace("``", "`")))
    return _table(("string", "next state"), rows)


def optimizers() -> str:
    """Return the table of optimizers with the options of each."""
    rows = []
    for name in OPTIMIZERS.names():
        options = _options(name)
        rows.append((f"`{OPTIMIZERS.usage(name)}`", _meaning(OPTIMIZERS, name), options))
    return _table(("string", "meaning", "options (default)"), rows)


TABLES: dict[str, Callable[[], str]] = {
    "tasks": lambda: strings(engine.TASKS),
    "modes": modes,
    "objectives": lambda: strings(objectives.OBJECTIVES),
    "losses": losses,
    "optimizers": optimizers,
    "schedules": lambda: strings(training.SCHEDULES),
    "callbacks": lambda: strings(engine.CALLBACKS),
}


def _meaning(kind: Any, name: str) -> str:
    return kind.describe(name).partition(" - ")[2].replace("``", "`")


def _options(name: str) -> str:
    if name not in training.NAMED_OPTIMIZERS and "OPTIMIZER" in OPTIMIZERS.usage(name):
        return ""
    defaults = OPTIMIZERS.parse(f"{name};1;constant;1").option_defaults
    return ", ".join(f"{option} ({_word(value)})" for option, value in defaults.items())


def _word(value: Any) -> str:
    return str(value).lower() if value is None or isinstance(value, bool) else f"{value:g}"


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    safe = ([cell.replace("|", "\\|") for cell in cells] for cells in lines)
    return "".join(f"| {' | '.join(cells)} |\n" for cells in safe)


def filled(page: str) -> str:
    """Return a page with its tables made again."""
    return BLOCK.sub(lambda found: found[1] + TABLES[found[2]]() + found[3], page)


def main() -> None:
    """Write the tables into the page."""
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
