"""Requests to a scenario, and the identity of experiments, as plain data."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from apexr._digest import canonical_json
from apexr._grammar import Kind
from apexr._precision import MIXED, check_precision, current_precision
from apexr._typing import Precision
from apexr.engine import TASKS, Task
from apexr.errors import SpecError
from apexr.networks import NETWORKS, NetworkSpec
from apexr.objectives import OBJECTIVES, Objective
from apexr.recipe._base import Recipe
from apexr.recipe._code import HONORED, UNKNOWN, code_of, is_overridden
from apexr.recipe._registry import scenario_key

LAST_SEED = 2**32 - 1
MOST_SEEDS = 100_000


@dataclasses.dataclass(frozen=True)
class Request:
    """A request to a scenario: the rest of an experiment's configuration.

    Attributes
    ----------
    task, net, train
        Config strings as they were typed.
    start_seed, num_seeds
        The seeds.
    precision
        ``"float32"``, ``"float64"`` or ``"mixed"``; None is what JAX is set to.
    init
        ``STORE`` or ``STORE#EXPERIMENT``: weights to begin with; None draws them.
    """

    task: str = "predict"
    net: str = "Conv;34;10;relu"
    train: str = "one"
    start_seed: int = 0
    num_seeds: int = 1
    precision: Precision | None = None
    init: str | None = None

    def __post_init__(self) -> None:
        check_precision(self.precision)
        for name in ("start_seed", "num_seeds"):
            value = getattr(self, name)
            if getattr(value, "ndim", None) == 0:  # a number of NumPy or JAX
                object.__setattr__(self, name, value.item())

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds, one after another.

        Raises
        ------
        SpecError
            If there are none or far too many, or they do not fit into 32 bits.
        """
        for name, value, least, most in (
            ("num_seeds", self.num_seeds, 1, MOST_SEEDS),
            ("start_seed", self.start_seed, 0, LAST_SEED),
        ):
            whole = isinstance(value, int) and not isinstance(value, bool)
            if not whole or not least <= value <= most:
                raise SpecError(f"{name} must be an integer from {least} to {most}, got {value!r}")
        last = self.start_seed + self.num_seeds - 1
        if last > LAST_SEED:
            raise SpecError(f"seeds must be at most {LAST_SEED}, got {self.start_seed} … {last}")
        return tuple(range(self.start_seed, last + 1))


@dataclasses.dataclass(frozen=True)
class ParsedRequest:
    """The config strings of a request, each parsed once.

    Attributes
    ----------
    task, net, train
        In canonical form; as they were typed where only code of the user's reads them.
    parsed_task, network, objective
        Their meaning; None where only code of the user's reads them.
    """

    task: str
    net: str
    train: str
    parsed_task: Task | None
    network: NetworkSpec | None
    objective: Objective | None


def parse_request(scenario: Recipe, request: Request) -> ParsedRequest:
    """Return the parsed config strings of a request.

    Raises
    ------
    SpecError
        If one cannot be read, and no method that the user overrides reads it.
    """
    own = {name for name in HONORED if is_overridden(scenario, name)}
    task = _parsed(TASKS, request.task, bool(own & {"get_neural_stepper"}))
    net = _parsed(NETWORKS, request.net, bool(own & {"get_network", "get_neural_stepper"}))
    train = _parsed(OBJECTIVES, request.train, bool(own & {"get_trainer"}))
    texts = (task[0], net[0], train[0])
    return ParsedRequest(*texts, task[1], net[1], train[1])


def _parsed(kind: Kind[Any], config: str, read_by_user: bool) -> tuple[str, Any]:
    """Return a config string in canonical form and what it means."""
    try:
        parsed = kind.parse(config)
    except SpecError:
        if read_by_user and isinstance(config, str):
            return config, None
        raise
    return str(parsed), parsed


def specification(
    scenario: Recipe, request: Request, parsed: ParsedRequest | None = None
) -> dict[str, Any]:
    """Return everything that the numbers of an experiment depend on, as plain data.

    Config strings are in their canonical form, so that ``conv;34;10;ReLU`` and
    ``Conv;34;10;relu`` are the same experiment. Methods that a subclass overrides are identified by
    their code; such an experiment is another one.

    Parameters
    ----------
    scenario, request
        The request.
    parsed
        The config strings of the request, where they have been parsed.
    """
    parsed = parse_request(scenario, request) if parsed is None else parsed
    told = {
        "scenario": scenario_key(type(scenario)),
        "parameters": plain_parameters(scenario),
        "task": parsed.task,
        "net": parsed.net,
        "train": parsed.train,
        "start_seed": request.start_seed,
        "num_seeds": request.num_seeds,
        "precision": MIXED if request.precision == MIXED else current_precision(),
    }
    code = code_of(scenario)
    return {**told, "overridden": code} if code else told


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


def plain_parameters(scenario: Recipe) -> dict[str, Any]:
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
