"""Builds a scenario of the peer and describes it in plain JSON values."""

from typing import Any

import apebench
import jax


def build(key: str, **kwargs: Any) -> Any:
    """Return the peer's scenario ``key`` with the fields ``kwargs``."""
    return apebench.scenarios.scenario_dict[key](**kwargs)


def describe(key: str, scenario: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return what a test needs to build the same scenario."""
    return {
        "scenario": key,
        "kwargs": kwargs,
        "name": scenario.get_scenario_name(),
        "num_channels": scenario.num_channels,
    }


def free_compiled() -> None:
    """Drop compiled functions: hundreds of them exhaust the memory maps of a process."""
    jax.clear_caches()
