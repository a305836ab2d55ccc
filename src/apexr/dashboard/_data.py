"""The data of scenarios, small enough to be made while one waits."""

import dataclasses
import inspect
import time
from collections.abc import Mapping
from typing import Any, Literal

import xarray as xr

from apexr.errors import SpecError, suggest

Split = Literal["train", "test"]
Solver = Literal["reference", "coarse"]

SMALL: Mapping[int, Mapping[str, int]] = {
    1: {
        "num_points": 160,
        "num_train_samples": 5,
        "num_test_samples": 5,
        "train_temporal_horizon": 50,
        "test_temporal_horizon": 200,
    },
    2: {
        "num_points": 64,
        "num_train_samples": 3,
        "num_test_samples": 3,
        "train_temporal_horizon": 30,
        "test_temporal_horizon": 60,
    },
    3: {
        "num_points": 24,
        "num_train_samples": 2,
        "num_test_samples": 2,
        "train_temporal_horizon": 20,
        "test_temporal_horizon": 20,
    },
}
"""The most that the explorer computes, by the number of dimensions."""

_INTERFACES = {"diff": "difficulty", "norm": "normalized", "phy": "physical"}


def keys() -> dict[str, list[str]]:
    """Return the keys of all scenarios by their interface."""
    from apexr.scenarios import SCENARIOS

    found: dict[str, list[str]] = {}
    for key in SCENARIOS.names():
        found.setdefault(_INTERFACES.get(key.partition("_")[0], "of others"), []).append(key)
    return found


def check_key(key: str) -> str:
    """Return the key of a scenario.

    Raises
    ------
    SpecError
        With the nearest key, if there is none of this name.
    """
    known = [one for group in keys().values() for one in group]
    if key not in known:
        raise SpecError(f"unknown scenario {key!r}{suggest(key, known)}; see apexr list scenarios")
    return key


def dimensions(key: str) -> tuple[int, ...]:
    """Return the numbers of dimensions in which a scenario exists."""
    from apexr.scenarios import SCENARIOS

    return SCENARIOS.get(key).dimensions


def description(key: str) -> str:
    """Return the first paragraph of what is said of a scenario."""
    from apexr.scenarios import SCENARIOS

    said = inspect.getdoc(SCENARIOS.get(key)) or ""
    return said.partition("\n\n")[0].replace("``", "")


def small_scenario(key: str, dims: int) -> Any:
    """Return a scenario with its own parameters, and sizes that are quickly computed.

    Raises
    ------
    SpecError
        If there is none in so many dimensions.
    """
    from apexr.scenarios import SCENARIOS

    cls = SCENARIOS.get(key)
    defaults: dict[str, Any] = {f.name: f.default for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
    sizes = {name: min(most, defaults[name]) for name, most in SMALL[dims].items()}
    return cls(num_spatial_dims=dims, **{**sizes, **_fitting(key, dims)})


def _fitting(key: str, dims: int) -> dict[str, Any]:
    """Return the parameters that a curated configuration has in so many dimensions."""
    from apexr.scenarios import CURATION

    beside = ("scenario", "num_spatial_dims", *SMALL[dims])
    for config in CURATION:
        if (config["scenario"], config["num_spatial_dims"]) == (key, dims):
            return {name: value for name, value in config.items() if name not in beside}
    return {}


def reduced(scenario: Any, split: Split) -> str:
    """Return the sizes that are shown, and the scenario's own where they are larger."""
    defaults = {field.name: field.default for field in dataclasses.fields(scenario)}
    names = {
        "num_points": "points along an axis",
        f"num_{split}_samples": "samples",
        f"{split}_temporal_horizon": "steps",
    }
    told = []
    for name, words in names.items():
        has, own = getattr(scenario, name), defaults[name]
        told.append(f"{has} {words}" + (f" (its own default: {own})" if has != own else ""))
    return ", ".join(told)


def trajectories(scenario: Any, split: Split, solver: Solver) -> tuple[xr.DataArray, float]:
    """Return trajectories, and the seconds that they took; those made last are kept."""
    start = time.perf_counter()
    coarse = "_coarse" if solver == "coarse" else ""
    data = getattr(scenario, f"get_{split}_data{coarse}")()
    return data, time.perf_counter() - start
