"""What makes two experiments the same: their whole specification as plain data."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from apexr._digest import canonical_json
from apexr._grammar import Kind
from apexr._precision import MIXED, current_precision
from apexr.engine import CALLBACKS, TASKS
from apexr.errors import SpecError
from apexr.initial import INITIAL_CONDITIONS
from apexr.networks import NETWORKS
from apexr.objectives import OBJECTIVES
from apexr.scenarios._code import HONORED, UNKNOWN, code_of, is_overridden
from apexr.scenarios._registry import SCENARIOS
from apexr.steppers import SOLVERS
from apexr.training import OPTIMIZERS

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
        "precision": MIXED if request.precision == MIXED else current_precision(),
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


def canonical_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters with config strings in canonical form: ``1e-3`` and ``0.001`` are one.

    Identities hold these strings as they were typed, as they always did; labels are canonical.
    """
    return {name: canonical_parameter(name, value) for name, value in parameters.items()}


def meaning(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return a specification in which config strings of the scenario are in canonical form.

    Two experiments that are spelt differently have the same meaning, under ids of their own.
    """
    return {**told, "parameters": canonical_parameters(told["parameters"])}


def canonical_parameter(name: str, value: Any) -> Any:
    """Return a parameter as :func:`canonical_parameters` does."""
    kind = CONFIGS.get(name)
    if kind is None or not isinstance(value, str):
        return value
    parts = value.split(",") if name == "callbacks" else [value]
    try:
        return ",".join(str(kind.parse(part.strip())) for part in parts if part.strip())
    except SpecError:  # only code of the user's reads it
        return value


CONFIGS: dict[str, Kind[Any]] = {
    "optim_config": OPTIMIZERS,
    "ic_config": INITIAL_CONDITIONS,
    "test_ic_config": INITIAL_CONDITIONS,
    "train_solver": SOLVERS,
    "test_solver": SOLVERS,
    "callbacks": CALLBACKS,
}
"""Parameters of a scenario that are config strings, to what each is a string of."""


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
