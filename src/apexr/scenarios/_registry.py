"""Scenario keys to classes."""

from collections.abc import Callable, Iterator, MutableMapping
from typing import TYPE_CHECKING, TypeVar

from apexr._html import listing
from apexr._registry import Registry
from apexr.errors import SpecError
from apexr.scenarios._meta import ScenarioMeta

if TYPE_CHECKING:
    from apexr.scenarios._base import BaseScenario

S = TypeVar("S", bound=type)

SCENARIOS: "Registry[type[BaseScenario]]" = Registry("scenario", "apexr.scenarios")
"""Every scenario class by its key."""


def scenario(key: str, *, aliases: tuple[str, ...] = (), listed: bool = True) -> Callable[[S], S]:
    """Return the decorator that registers a scenario class under ``key``.

    One that cannot be made of its defaults is not ``listed`` among those that can.
    """
    return SCENARIOS.register(key, aliases=aliases, listed=listed)


class ScenarioDict(MutableMapping[str, "type[BaseScenario]"]):
    """The registry as a dictionary; setting an item registers a scenario."""

    def __getitem__(self, key: str) -> "type[BaseScenario]":
        return SCENARIOS.get(key)

    def __setitem__(self, key: str, cls: "type[BaseScenario]") -> None:
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


def _told(cls: "type[BaseScenario]") -> tuple[str, str]:
    return first_line(cls), ", ".join(f"{dim}D" for dim in cls.dimensions)


scenario_dict = ScenarioDict()
"""The scenario classes by key; setting an item registers a class of one's own."""
