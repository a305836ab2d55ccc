"""What makes two experiments the same: their whole specification as plain data."""

from typing import TYPE_CHECKING, Any

from apexr._digest import canonical_json
from apexr._precision import current_precision
from apexr.engine import TASKS
from apexr.errors import SpecError
from apexr.networks import NETWORKS
from apexr.objectives import OBJECTIVES
from apexr.scenarios._registry import SCENARIOS

if TYPE_CHECKING:
    from apexr.scenarios._base import BaseScenario
    from apexr.scenarios._pieces import Request


def specification(scenario: "BaseScenario", request: "Request") -> dict[str, Any]:
    """Return everything that the numbers of an experiment depend on, as plain data.

    Config strings are in their canonical form, so that ``conv;34;10;ReLU`` and
    ``Conv;34;10;relu`` are the same experiment.
    """
    return {
        "scenario": scenario_key(type(scenario)),
        "parameters": plain_parameters(scenario),
        "task": str(TASKS.parse(request.task)),
        "net": str(NETWORKS.parse(request.net)),
        "train": str(OBJECTIVES.parse(request.train)),
        "start_seed": request.start_seed,
        "num_seeds": request.num_seeds,
        "precision": current_precision(),
    }


def plain_parameters(scenario: "BaseScenario") -> dict[str, Any]:
    """Return the parameters that identify a scenario; all must be plain data.

    Raises
    ------
    SpecError
        Naming one that is not.
    """
    for name, value in scenario.all_parameters.items():
        try:
            canonical_json(value)
        except (TypeError, ValueError) as error:
            raise SpecError(
                f"{name} of {scenario_key(type(scenario))} must be plain data (finite numbers,"
                f" text, lists of them) for a result to say what it is of, got {value!r}"
            ) from error
    return scenario.identifying_parameters


def scenario_key(cls: "type[BaseScenario]") -> str:
    """Return the key that a class is registered under, else its full name."""
    keys = (key for key, held in SCENARIOS.loaded().items() if held is cls)
    return next(keys, f"{cls.__module__}.{cls.__qualname__}")
