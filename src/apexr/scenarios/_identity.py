"""What makes two experiments the same: their whole specification as plain data."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from apexr._digest import canonical_json
from apexr._grammar import Kind
from apexr._precision import current_precision
from apexr.engine import TASKS
from apexr.errors import SpecError
from apexr.networks import NETWORKS
from apexr.objectives import OBJECTIVES
from apexr.scenarios._code import HONORED, UNKNOWN, code_of, is_overridden
from apexr.scenarios._registry import SCENARIOS

if TYPE_CHECKING:
    from apexr.scenarios._base import BaseScenario
    from apexr.scenarios._pieces import Request


def specification(scenario: "BaseScenario", request: "Request") -> dict[str, Any]:
    """Return everything that the numbers of an experiment depend on, as plain data.

    Config strings are in their canonical form, so that ``conv;34;10;ReLU`` and
    ``Conv;34;10;relu`` are the same experiment. Methods that a subclass overrides are told by
    their code; such an experiment is another one.
    """
    own = {name for name in HONORED if is_overridden(scenario, name)}
    told = {
        "scenario": scenario_key(type(scenario)),
        "parameters": plain_parameters(scenario),
        "task": canonical(TASKS, request.task, own & {"get_neural_stepper"}),
        "net": canonical(NETWORKS, request.net, own & {"get_network", "get_neural_stepper"}),
        "train": canonical(OBJECTIVES, request.train, own & {"get_trainer"}),
        "start_seed": request.start_seed,
        "num_seeds": request.num_seeds,
        "precision": current_precision(),
    }
    return {**told, "overridden": code_of(scenario)} if own else told


def canonical(kind: Kind[Any], config: str, read_by: Collection[str]) -> str:
    """Return a config string in its canonical form; as it is, where only the user's code reads it.

    Parameters
    ----------
    kind
        What it is a string of.
    config
        The string.
    read_by
        Methods of the user's that read it; there may be none.

    Raises
    ------
    SpecError
        If it cannot be read.
    """
    try:
        return str(kind.parse(config))
    except SpecError:
        if read_by and isinstance(config, str):
            return config
        raise


def check_storable(told: Mapping[str, Any]) -> None:
    """Refuse a specification that does not say all that its numbers depend on.

    Raises
    ------
    SpecError
        Naming the method whose code depends on what cannot be written down.
    """
    unknown = [name for name, code in told.get("overridden", {}).items() if code == UNKNOWN]
    if unknown:
        raise SpecError(
            f"{', '.join(unknown)} of {told['scenario']} depends on an object that cannot be"
            " written down, so that a stored result could not say what it is of; make it from"
            " numbers within the method, or from parameters of the scenario, or run it without a"
            " store"
        )


def plain_parameters(scenario: "BaseScenario") -> dict[str, Any]:
    """Return the parameters that identify a scenario; all must be plain data.

    Raises
    ------
    SpecError
        Naming one that is not.
    """
    for name, value in scenario.identifying_parameters.items():
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
