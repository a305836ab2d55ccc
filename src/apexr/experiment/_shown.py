"""The view of a scenario in a notebook."""

import dataclasses
from typing import Any

from apexr._html import card, shape_words
from apexr.recipe import Recipe


def scenario_card(scenario: Recipe) -> str:
    """Return a scenario as HTML: its equation, its sizes, and what differs from the defaults."""
    cls = type(scenario)
    facts: dict[str, Any] = {
        "name": scenario.get_scenario_name(),
        "states": _states(scenario),
        "training": _data(scenario, "train"),
        "test": _data(scenario, "test"),
        "initial states": _initial(scenario),
        "optimizer": scenario.optim_config,
        "metrics": scenario.report_metrics,
    }
    common = {field.name for field in dataclasses.fields(Recipe)}  # type: ignore[arg-type]
    for name in sorted({*scenario.all_parameters} - common):
        facts[name] = getattr(scenario, name)
    said = (cls.__doc__ or "").partition("\n\n")[0].replace("\n", " ")
    return card(cls.__name__, facts, said)


def _states(scenario: Recipe) -> str:
    points = " × ".join(map(str, scenario.grid.shape))
    names = scenario.channel_names
    channels = ", ".join(names) if names else f"{scenario.num_channels}"
    return f"{scenario.num_spatial_dims}D, {points} points, channels: {channels}"


def _data(scenario: Recipe, split: str) -> str:
    samples = getattr(scenario, f"num_{split}_samples")
    steps = getattr(scenario, f"{split}_temporal_horizon")
    shape = (samples, steps + 1, scenario.num_channels, *scenario.grid.shape)
    names = ("trajectories", "frames", "channels", *("points" for _ in scenario.grid.shape))
    return f"{shape_words(shape, names)}, seed {getattr(scenario, f'{split}_seed')}"


def _initial(scenario: Recipe) -> str:
    warm = scenario.num_warmup_steps
    test = f", test: {scenario.test_ic_config}" if scenario.test_ic_config else ""
    return scenario.ic_config + test + (f", {warm} steps of warm-up" if warm else "")
