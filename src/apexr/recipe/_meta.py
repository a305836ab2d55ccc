"""How scenario classes come to be, and how their keywords are read."""

import abc
import dataclasses
import inspect
import unicodedata
from collections.abc import Mapping
from typing import Any, dataclass_transform

import numpy as np

from apexr.errors import SpecError, suggest
from apexr.recipe._fields import own_defaults
from apexr.recipe._meanings import documentation, parameters


@dataclass_transform(kw_only_default=True, frozen_default=True)
class ScenarioMeta(abc.ABCMeta):
    """Makes every scenario class a frozen, keyword-only dataclass with checked keywords.

    So a scenario of one's own is a plain subclass with annotated fields, and a misspelled
    keyword is answered with the nearest right one.
    """

    renamed: Mapping[str, tuple[str, float]] = {}
    positional: tuple[str, ...] = ()

    def __new__(
        mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **kwargs: Any
    ) -> "ScenarioMeta":
        cls = super().__new__(mcs, name, bases, namespace, **kwargs)
        own_defaults(cls)
        written = namespace.get("__doc__")
        decorate: Any = dataclasses.dataclass(frozen=True, kw_only=True, repr=False)
        made = decorate(cls)
        made.__doc__ = documentation(made, written)
        return made

    @property
    def __signature__(cls) -> inspect.Signature:
        """The keywords that may be given, with their defaults."""
        return inspect.Signature(list(parameters(cls).values()), return_annotation=cls)

    def __call__(cls, *args: Any, **keywords: Any) -> Any:
        """Return an instance; keywords of older releases are translated.

        Raises
        ------
        SpecError
            For an unknown keyword, or one that contradicts what follows from the others.
        """
        if len(args) > len(cls.positional):
            raise SpecError(f"{cls.__name__} takes keywords alone, got {args!r} by position")
        by_place = dict(zip(cls.positional, args, strict=False))
        twice = next((name for name in by_place if name in keywords), None)
        if twice is not None:
            raise SpecError(f"{cls.__name__}: {twice} is given by position and by name")
        given = cls.read_keywords({**by_place, **keywords})
        fields = {field.name: field for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
        follows = {name: given.pop(name) for name in list(given) if not fields[name].init}
        made = super().__call__(**given)
        for name, value in follows.items():
            cls._compare(name, value, getattr(made, name))
        return made

    def parameters(cls) -> tuple[str, ...]:
        """Return the keywords that may be given."""
        return tuple(f.name for f in dataclasses.fields(cls) if f.init)  # type: ignore[arg-type]

    def read_keywords(
        cls, keywords: Mapping[str, Any], beside: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        """Return keywords under their present names.

        Parameters
        ----------
        keywords
            As they were given; names of older releases are translated.
        beside
            Further keywords of the caller; named where a misspelled keyword is near to it.

        Raises
        ------
        SpecError
            For an unknown keyword, or one that is given under its old and its new name.
        """
        known = {field.name for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
        keywords = _as_identifiers(keywords)
        given = {name: value for name, value in keywords.items() if name not in cls.renamed}
        for name in keywords.keys() & cls.renamed.keys():
            new_name, factor = cls.renamed[name]
            if new_name in given:
                raise SpecError(f"{name} is the old form of {new_name}; give one of them alone")
            value = keywords[name]
            number = isinstance(value, int | float) or getattr(value, "ndim", None) == 0
            given[new_name] = factor * value if number else value
        for name in given:
            if name in known:
                continue
            near = suggest(str(name), (*beside, *cls.parameters()))
            raise SpecError(
                f"unknown scenario keyword {name!r} for {cls.__name__}{near}"
                f" (known: {', '.join(cls.parameters())})"
            )
        return given

    def _compare(cls, name: str, given: Any, made: Any) -> None:
        plain = given.tolist() if isinstance(given, np.ndarray | np.generic) else given
        plain = tuple(plain) if isinstance(plain, list) else plain
        if plain != made:
            raise SpecError(
                f"{name} of {cls.__name__} follows from its other parameters and is {made!r}; got"
                f" {given!r}. Leave it out, or take the general scenario that has it as parameter"
            )


def _as_identifiers(keywords: Mapping[str, Any]) -> dict[str, Any]:
    """Return keywords with their letters in the form that Python gives to names."""
    named: dict[str, Any] = {}
    for name, value in keywords.items():
        same = unicodedata.normalize("NFKC", name) if isinstance(name, str) else name
        if same in named:
            raise SpecError(f"scenario keyword {same!r} is given twice, in letters that look equal")
        named[same] = value
    return named
