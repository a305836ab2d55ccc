"""The parameters of a scenario that are config strings, and their canonical form."""

from collections.abc import Mapping
from typing import Any

from apexr._grammar import Kind
from apexr.engine import CALLBACKS
from apexr.errors import SpecError
from apexr.initial import INITIAL_CONDITIONS
from apexr.steppers import SOLVERS
from apexr.training import OPTIMIZERS

CONFIGS: dict[str, Kind[Any]] = {
    "optim_config": OPTIMIZERS,
    "ic_config": INITIAL_CONDITIONS,
    "test_ic_config": INITIAL_CONDITIONS,
    "train_solver": SOLVERS,
    "test_solver": SOLVERS,
    "callbacks": CALLBACKS,
}
"""Parameters of a scenario that are config strings, to what each is a string of."""


def canonical_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters with config strings in canonical form: ``1e-3`` and ``0.001`` are one.

    Identities hold these strings as they were typed, as they always did; labels are canonical.
    """
    return {name: _canonical(name, value) for name, value in parameters.items()}


def _canonical(name: str, value: Any) -> Any:
    kind = CONFIGS.get(name)
    if kind is None or not isinstance(value, str):
        return value
    parts = value.split(",") if name == "callbacks" else [value]
    try:
        return ",".join(str(kind.parse(part.strip())) for part in parts if part.strip())
    except SpecError:  # only code of the user's reads it
        return value


def meaning(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return a specification in which config strings of the scenario are in canonical form.

    Two experiments that are spelled differently have the same meaning, under ids of their own.
    """
    return {**told, "parameters": canonical_parameters(told["parameters"])}
