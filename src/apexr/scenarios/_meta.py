"""How scenario classes come to be, and how their keywords are read."""

import abc
import dataclasses
from collections.abc import Mapping
from typing import Any, dataclass_transform

from apexr.errors import SpecError, suggest


@dataclass_transform(kw_only_default=True, frozen_default=True)
class ScenarioMeta(abc.ABCMeta):
    """Makes every scenario class a frozen, keyword-only dataclass with checked keywords.

    So a scenario of one's own is a plain subclass with annotated fields, and a misspelt
    keyword is answered with the nearest right one.
    """

    renamed: Mapping[str, tuple[str, float]] = {}

    def __new__(
        mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **kwargs: Any
    ) -> "ScenarioMeta":
        cls = super().__new__(mcs, name, bases, namespace, **kwargs)
        return dataclasses.dataclass(frozen=True, kw_only=True, repr=False)(cls)

    def __call__(cls, *args: Any, **keywords: Any) -> Any:
        """Return an instance; keywords of older releases are translated.

        Raises
        ------
        SpecError
            For an unknown keyword, or one that contradicts what follows from the others.
        """
        if args:
            raise SpecError(f"{cls.__name__} takes keywords alone, got {args!r} by position")
        given = dict(map(cls._translate, keywords.items()))
        fields = {field.name: field for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
        for name in given:
            if name not in fields:
                cls._refuse(name)
        follows = {name: given.pop(name) for name in list(given) if not fields[name].init}
        made = super().__call__(**given)
        for name, value in follows.items():
            cls._compare(name, value, getattr(made, name))
        return made

    def parameters(cls) -> tuple[str, ...]:
        """Return the keywords that may be given."""
        return tuple(f.name for f in dataclasses.fields(cls) if f.init)  # type: ignore[arg-type]

    def _translate(cls, item: tuple[str, Any]) -> tuple[str, Any]:
        name, value = item
        if name not in cls.renamed:
            return item
        new_name, factor = cls.renamed[name]
        return new_name, value if factor == 1 else factor * value

    def _refuse(cls, name: str) -> None:
        known = cls.parameters()
        raise SpecError(
            f"unknown scenario keyword {name!r} for {cls.__name__}{suggest(name, known)}"
            f" (known: {', '.join(known)})"
        )

    def _compare(cls, name: str, given: Any, made: Any) -> None:
        given = tuple(given) if isinstance(given, list) else given
        if given != made:
            raise SpecError(
                f"{name} of {cls.__name__} follows from its other parameters and is {made!r}; got"
                f" {given!r}. Leave it out, or take the general scenario that has it as parameter"
            )
