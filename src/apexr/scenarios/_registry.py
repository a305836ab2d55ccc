"""Scenario keys to classes."""

from collections.abc import Callable, Iterator, MutableMapping
from typing import TYPE_CHECKING, TypeVar

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


scenario_dict = ScenarioDict()
"""The scenario classes by key; setting an item registers a class of one's own."""
