"""From what a user names to a scenario."""

from collections.abc import Mapping
from typing import Any

from apexr.errors import SpecError
from apexr.scenarios._base import BaseScenario
from apexr.scenarios._registry import scenario_dict


def resolve(
    scenario: str | BaseScenario, keywords: Mapping[str, Any], *, beside: tuple[str, ...] = ()
) -> BaseScenario:
    """Return the scenario that a key or an object and keywords stand for.

    Parameters
    ----------
    scenario
        A key, or an object of which ``keywords`` change parameters.
    keywords
        Parameters of the scenario.
    beside
        What else the caller takes; named where a misspelt keyword is near to it.

    Raises
    ------
    SpecError
        If the key, a keyword or a value is wrong.
    """
    if not isinstance(scenario, str | BaseScenario):
        raise SpecError(f"scenario must be a key or a scenario object, got {scenario!r}")
    cls = scenario_dict[scenario] if isinstance(scenario, str) else type(scenario)
    given = cls.read_keywords(keywords, beside=beside)
    if not given and not isinstance(scenario, str):
        return scenario
    held = {} if isinstance(scenario, str) else scenario.all_parameters
    made: BaseScenario = cls(**{**held, **given})
    return made
