"""The meaning of every parameter of a scenario, as its documentation shows it.

A class says in its docstring what its own parameters mean, and in ``shared_meanings`` what those
mean that many classes share.
"""

import dataclasses
import functools
import inspect
import re
from collections.abc import Iterable, Mapping
from typing import Any

_SECTION = re.compile(r"^(?P<name>[A-Z]\w+)\n-{3,}\n", re.MULTILINE)


def parse(docstring: str) -> dict[str, str]:
    """Return the sections of a numpydoc docstring by title; what comes first is called ``""``."""
    starts = list(_SECTION.finditer(docstring))
    ends = [*(found.start() for found in starts), len(docstring)]
    held = {"": docstring[: ends[0]].strip()}
    for found, end in zip(starts, ends[1:], strict=True):
        held[found["name"]] = docstring[found.end() : end].strip("\n")
    return held


def described(section: str) -> dict[str, str]:
    """Return the meaning of each parameter of a ``Parameters`` section."""
    held: dict[str, str] = {}
    names: list[str] = []
    for line in section.splitlines():
        if line and not line.startswith(" "):
            names = [name.strip() for name in line.partition(" : ")[0].split(",")]
        elif line.strip():
            for name in names:
                held[name] = f"{held.get(name, '')} {line.strip()}".strip()
    return held


@functools.cache  # every scenario asks its bases
def _own_meanings(cls: type) -> dict[str, str]:
    return described(parse(inspect.cleandoc(vars(cls).get("__doc__") or "")).get("Parameters", ""))


def meanings(cls: type) -> dict[str, str]:
    """Return what each parameter of a scenario class means, by name."""
    known = dict(getattr(cls, "shared_meanings", {}))
    for owner in reversed(cls.__mro__):
        known |= _own_meanings(owner)
    return {name: known.get(name, "") for name in parameters(cls)}


def parameters(cls: type) -> dict[str, inspect.Parameter]:
    """Return the parameters of a scenario class, all of them keywords, by name."""
    return {
        field.name: inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=_default(field),
            annotation=field.type,
        )
        for field in dataclasses.fields(cls)  # type: ignore[arg-type]
        if field.init
    }


def documentation(cls: type, own: str | None) -> str:
    """Return the docstring of a class with all its parameters, those that it inherits included.

    Parameters
    ----------
    cls
        The class.
    own
        The docstring that it was written with.
    """
    sections = parse(inspect.cleandoc(own)) if own else {"": f"The scenario {cls.__name__}."}
    found = meanings(cls)
    listed = "\n".join(_entry(one, found[name]) for name, one in parameters(cls).items())
    rest = {name: text for name, text in sections.items() if name not in ("", "Parameters")}
    return "\n\n".join([sections[""], _titled("Parameters", listed), *_all_titled(rest)])


def _all_titled(sections: Mapping[str, str]) -> Iterable[str]:
    return (_titled(name, text) for name, text in sections.items())


def _titled(name: str, text: str) -> str:
    return f"{name}\n{'-' * len(name)}\n{text}"


def _entry(parameter: inspect.Parameter, meaning: str) -> str:
    default = parameter.default
    usual = "" if default is parameter.empty else f", default: {default!r}"
    return f"{parameter.name} : {_words(parameter.annotation)}{usual}" + (
        f"\n    {meaning}" if meaning else ""
    )


def _words(annotation: Any) -> str:
    """Return an annotation without its bounds and modules."""
    base = getattr(annotation, "__origin__", annotation) if _is_bounded(annotation) else annotation
    text = base.__name__ if isinstance(base, type) and not _arguments(base) else str(base)
    return re.sub(r"\b(?:\w+\.)+(?=\w)", "", text)


def _is_bounded(annotation: Any) -> bool:
    return hasattr(annotation, "__metadata__")


def _arguments(annotation: Any) -> tuple[Any, ...]:
    return getattr(annotation, "__args__", ())


def _default(field: "dataclasses.Field[Any]") -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return inspect.Parameter.empty if field.default is dataclasses.MISSING else field.default
