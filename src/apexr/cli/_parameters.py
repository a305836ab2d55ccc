"""Options that several commands share."""

import enum
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import typer

from apexr.errors import suggest

E = TypeVar("E", bound=enum.StrEnum)

OPTIONS = (
    "scenario",
    "task",
    "net",
    "train",
    "start_seed",
    "num_seeds",
    "precision",
    "init",
    "store",
    "checkpoint_seconds",
    "progress",
)


_PICTURES = (".png", ".svg", ".pdf", ".html")


_PYTHON_WORDS = {"True": "true", "False": "false"}


def one_of(kind: type[E]) -> Callable[[str], E]:
    """Return the parser of a parameter that takes one of some words.

    A word that is none of them gets the nearest one, which Typer's own choices do not say.
    """

    def parse(text: str) -> E:
        if isinstance(text, kind):  # the default
            return text
        try:
            return kind(text)
        except ValueError:
            known = [str(one) for one in kind]
            raise typer.BadParameter(
                f"{text!r}{suggest(text, known)} (there are {', '.join(map(repr, known))})"
            ) from None

    return parse


def check_picture(path: Path | None) -> None:
    """Refuse a picture that cannot be drawn, before any work."""
    if path is not None and path.suffix.lower() not in _PICTURES:
        wanted = ", ".join(_PICTURES)
        raise typer.BadParameter(f"{path} must end in one of {wanted}", param_hint="--plot")


def read_parameters(
    texts: list[str], option: str = "--set", beside: tuple[str, ...] = OPTIONS
) -> dict[str, Any]:
    """Return the values of all ``--set KEY=VALUE``; those of ``beside`` are options themselves."""
    keywords: dict[str, Any] = {}
    for text in texts:
        name, found, value = text.partition("=")
        if not found or not name:
            raise typer.BadParameter(f"expected KEY=VALUE, got {text!r}", param_hint=option)
        if name in beside:
            how = "the argument" if name == "scenario" else f"--{name.replace('_', '-')}"
            raise typer.BadParameter(f"{name} is given by {how}", param_hint=option)
        if name in keywords:
            raise typer.BadParameter(f"{name} is set twice", param_hint=option)
        keywords[name] = _read_value(value)
    return keywords


def _read_value(text: str) -> Any:
    """Return the value of a parameter: JSON, or Python's True and False, else text."""
    import json

    try:
        return json.loads(_PYTHON_WORDS.get(text, text))
    except json.JSONDecodeError:
        return text


def use_compile_cache() -> None:
    from apexr.kernels import keep_compiled

    keep_compiled()
