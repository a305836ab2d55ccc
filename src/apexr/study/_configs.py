"""A study as data: configurations, all checked before anything runs."""

import dataclasses
import textwrap
from collections.abc import Iterable, Mapping
from typing import Any

from apexr._run import plan_experiment
from apexr.errors import ApexrError, SpecError, suggest
from apexr.experiment import Experiment
from apexr.scenarios import BaseScenario, Request

KEYS = ("scenario", "task", "net", "train", "start_seed", "num_seeds", "precision")
_REQUIRED = ("scenario",)


@dataclasses.dataclass(frozen=True)
class Planned:
    """One experiment of a study.

    Attributes
    ----------
    id
        Digest of its specification.
    scenario, experiment
        What to run.
    """

    id: str
    scenario: BaseScenario
    experiment: Experiment


def plan_study(configs: Iterable[Mapping[str, Any]]) -> list[Planned]:
    """Return the experiments of a study in order, each once.

    Parameters
    ----------
    configs
        Dictionaries with the keys ``scenario``, ``task``, ``net``, ``train``, ``start_seed``,
        ``num_seeds``, ``precision`` (those of :func:`apexr.run`) and parameters of the scenario.

    Raises
    ------
    SpecError
        Listing what is wrong in every configuration.
    """
    planned: dict[str, Planned] = {}
    problems = []
    listed = isinstance(configs, Iterable) and not isinstance(configs, Mapping | str)
    given = list(configs) if listed else []
    if not given:
        raise SpecError(
            "a study is a list of at least one configuration (a dictionary each), got"
            f" {textwrap.shorten(repr(configs), 80)}"
        )
    for number, config in enumerate(given):
        try:
            one = _plan(config)
        except (ApexrError, TypeError) as error:
            problems.append(f"configuration {number}: {error}")
        else:
            planned.setdefault(one.id, one)
    if problems:
        raise SpecError(f"{len(problems)} of {len(given)} configurations:\n" + "\n".join(problems))
    return list(planned.values())


def _plan(config: Mapping[str, Any]) -> Planned:
    if not isinstance(config, Mapping):
        raise SpecError(f"must be a dictionary, got {config!r}")
    missing = [key for key in _REQUIRED if key not in config]
    if missing:
        near = "".join(suggest(key, map(str, config)) for key in missing)
        raise SpecError(f"{', '.join(missing)} is missing{near}")
    request = {key: config[key] for key in KEYS[1:] if key in config}
    parameters = {key: value for key, value in config.items() if key not in KEYS}
    scenario, experiment = plan_experiment(config["scenario"], Request(**request), parameters)
    return Planned(experiment.attrs["experiment_id"], scenario, experiment)
