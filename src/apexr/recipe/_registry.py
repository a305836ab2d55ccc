"""From what a user names to a scenario: keys, classes, keywords."""

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any, Generic, TypeVar

from apexr._html import listing
from apexr._registry import Registry
from apexr.errors import SpecError
from apexr.recipe._base import Recipe
from apexr.recipe._meta import ScenarioMeta

S = TypeVar("S", bound=type)
R = TypeVar("R", bound=Recipe)

SCENARIOS: Registry[type[Any]] = Registry("scenario", "apexr.scenarios")
"""Every scenario class by its key."""


def scenario(key: str, *, aliases: tuple[str, ...] = (), listed: bool = True) -> Callable[[S], S]:
    """Return the decorator that registers a scenario class under ``key``.

    One that cannot be made of its defaults is not ``listed`` among those that can.
    """
    return SCENARIOS.register(key, aliases=aliases, listed=listed)


class ScenarioDict(MutableMapping[str, type[R]], Generic[R]):
    """The registry as a dictionary; setting an item registers a scenario."""

    def __getitem__(self, key: str) -> type[R]:
        return SCENARIOS.get(key)

    def __setitem__(self, key: str, cls: type[R]) -> None:
        if not isinstance(cls, ScenarioMeta):
            raise SpecError(f"scenario {key!r} must be a subclass of BaseScenario, got {cls!r}")
        SCENARIOS.unregister(key)
        SCENARIOS.register(key)(cls)

    def __delitem__(self, key: str) -> None:
        SCENARIOS.get(key)
        SCENARIOS.unregister(key)

    def __contains__(self, key: object) -> bool:
        return key in SCENARIOS

    def __iter__(self) -> Iterator[str]:
        return iter(SCENARIOS.names())

    def __len__(self) -> int:
        return len(SCENARIOS.names())

    def __repr__(self) -> str:
        return "\n".join(f"{key:<20} {first_line(cls)}" for key, cls in self.items())

    def _repr_html_(self) -> str:
        rows = [(key, *_told(cls)) for key, cls in self.items()]
        return listing(("key", "equation", "dimensions"), rows)


def first_line(cls: type) -> str:
    """Return what the documentation of a class begins with."""
    return (cls.__doc__ or "").partition("\n")[0]


def _told(cls: type[Recipe]) -> tuple[str, str]:
    return first_line(cls), ", ".join(f"{dim}D" for dim in cls.dimensions)


def scenario_key(cls: type) -> str:
    """Return the key that a class is registered under, else its full name."""
    keys = (key for key, held in SCENARIOS.loaded().items() if held is cls)
    return next(keys, f"{cls.__module__}.{cls.__qualname__}")


def resolve(scenario: str | R, keywords: Mapping[str, Any], *, beside: tuple[str, ...] = ()) -> R:
    """Return the scenario that a key or an object and keywords stand for.

    Parameters
    ----------
    scenario
        A key, or an object of which ``keywords`` change parameters.
    keywords
        Parameters of the scenario.
    beside
        Further keywords of the caller; named where a misspelled keyword is near to it.

    Raises
    ------
    SpecError
        If the key, a keyword or a value is wrong.
    """
    if not isinstance(scenario, str | Recipe):
        raise SpecError(f"scenario must be a key or a scenario object, got {scenario!r}")
    cls = SCENARIOS.get(scenario) if isinstance(scenario, str) else type(scenario)
    given = cls.read_keywords(keywords, beside=beside)
    if not given and not isinstance(scenario, str):
        return scenario
    held = {} if isinstance(scenario, str) else scenario.all_parameters
    made: R = cls(**{**held, **given})
    return made
