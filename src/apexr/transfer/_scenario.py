"""The scenario that a table is of, and whether its numbers fit it."""

import warnings
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from apexr._per_axis import joined
from apexr.errors import ApexrWarning, SpecError
from apexr.exchange import read_keywords
from apexr.exchange.benchmark._table import Table
from apexr.scenarios import BaseScenario, resolve, scenario_dict


def scenario_of(
    table: Table, key: str | None, given: Mapping[str, Any]
) -> tuple[BaseScenario, dict[str, Any]]:
    """Return the scenario of a table and the keywords that its results say.

    Tables name their scenario by the name that it gives itself; the key is taken from ``key``, the
    file's name, or the scenarios that call themselves so.

    Parameters
    ----------
    table
        The table that was read.
    key
        Key of the scenario, if it is known.
    given
        Keywords of the scenario besides those that the table has.

    Raises
    ------
    SpecError
        If there is none or several, or the numbers do not fit it.
    """
    try:
        keywords = {**read_keywords(table.labels["scenario_kwargs"] or "{}"), **given}
    except SpecError as error:
        raise SpecError(f"{table.where}: {error}") from None
    parameters = {**_observed(table), **keywords}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ApexrWarning)  # they are for those who run it
        scenario: BaseScenario = resolve(key or _key(table, parameters), parameters)
    _check(table, scenario)
    return scenario, keywords


def _observed(table: Table) -> dict[str, Any]:
    """Return the parameters that can be seen in the numbers."""
    found: dict[str, Any] = {}
    if table.metrics:
        found["report_metrics"] = ",".join(table.metrics)
        found["test_temporal_horizon"] = len(next(iter(table.metrics.values()))[0])
    if len(table.update_steps) > 1:
        found["record_loss_every"] = table.update_steps[1] - table.update_steps[0]
    if table.rollouts is not None:
        space = table.rollouts.shape[4:]
        found["num_trjs_returned"] = table.rollouts.shape[1]
        found |= {"num_spatial_dims": len(space), "num_points": joined(space)} if space else {}
    return found


def _key(table: Table, parameters: Mapping[str, Any]) -> str:
    """Return the key of the scenario: as the file's name says, or by the name of the scenario."""
    stem = table.where.name.partition("__")[0]
    if stem in scenario_dict:
        return stem
    name = table.labels["scenario"]
    keys = [key for key in scenario_dict if _is_called(key, parameters, name)]
    if len(keys) != 1:
        found = f"{', '.join(keys)} call themselves" if keys else "no scenario calls itself"
        raise SpecError(
            f"{table.where}: {found} {name!r}; say which it is (--scenario KEY, and --set for"
            " keywords that the table lacks)"
        )
    return keys[0]


def _is_called(key: str, parameters: Mapping[str, Any], name: str) -> bool:
    with suppress(SpecError):
        return bool(name) and resolve(key, parameters).get_scenario_name() == name
    return False


def _check(table: Table, scenario: BaseScenario) -> None:
    """Refuse a table whose numbers are not of this scenario."""
    name = scenario.get_scenario_name()
    if table.labels["scenario"] not in ("", name):
        raise SpecError(f"{table.where}: is of {table.labels['scenario']!r}, not of {name!r}")
    given = _observed(table)
    if table.rollouts is not None:
        frames, channels = table.rollouts.shape[2:4]
        given |= {"test_temporal_horizon": frames - 1, "num_channels": channels}
    for parameter, value in given.items():
        if parameter != "report_metrics" and getattr(scenario, parameter) != value:
            raise SpecError(
                f"{table.where}: its numbers have {parameter} {value}, the scenario has"
                f" {getattr(scenario, parameter)}; give the keywords that it was run with"
                f" (--set {parameter}={value})"
            )
