"""A recipe: a problem and a protocol as one record of flat, checked fields."""

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any, ClassVar

from apexr.engine import EmulatorPlan
from apexr.errors import SpecError, warn
from apexr.initial import for_channels
from apexr.recipe._configs import canonical_parameters
from apexr.recipe._fields import convert_fields, defaults, same
from apexr.recipe._problem import VALIDATION, Problem, Split
from apexr.recipe._protocol import ParsedProtocol, Protocol
from apexr.training import TrainingPlan

LATER: Mapping[str, Any] = {
    "subset_of": 0,
    "test_ic_config": "",
    "train_solver": "",
    "test_solver": "",
    "num_valid_samples": 0,
    "valid_temporal_horizon": 0,
    "valid_seed": 1546,
    "select": "last",
    "patience": 0,
}
"""Fields that later releases added, and the values with which they change nothing."""


class Recipe(Protocol, Problem):
    """A problem and a protocol: all that a scenario states, and nothing that is computed.

    Raises
    ------
    SpecError
        For an invalid value, before any work.
    """

    renamed: ClassVar[Mapping[str, tuple[str, float]]] = {}
    positional: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        convert_fields(self, derived=False)
        self._check_dimensions()
        self._derive()
        convert_fields(self, derived=True)
        self._check()
        self._check_problem()
        self._check_protocol()

    def _derive(self) -> None:
        """Set the fields that follow from others."""

    def _check(self) -> None:
        """Refuse combinations of parameters that the equation does not allow."""

    def _set(self, **values: Any) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def check_experiment(self, emulator: EmulatorPlan, training: TrainingPlan) -> None:
        """Refuse an experiment for which the data of the scenario do not do."""

    # --- parameters ------------------------------------------------------------------------------

    @property
    def all_parameters(self) -> dict[str, Any]:
        """The parameters, given or left at their defaults; the derived fields follow from them."""
        return {name: getattr(self, name) for name in type(self).parameters()}

    @property
    def identifying_parameters(self) -> dict[str, Any]:
        """The parameters that identify an experiment: those of later releases where they are used.

        So experiments made before there was a choice keep their identity.
        """
        unused = [name for name in LATER if getattr(self, name, None) == LATER[name]]
        return {k: v for k, v in self.all_parameters.items() if k not in unused}

    def data_parameters(self, split: Split) -> dict[str, Any]:
        """Return the parameters that the data of a split depend on: those of the problem."""
        without = {*Protocol.parameters(), *(() if split == "valid" else VALIDATION)}
        return {k: v for k, v in self.identifying_parameters.items() if k not in without}

    @property
    def changed_parameters(self) -> dict[str, Any]:
        """The parameters that differ from the defaults of the class, in canonical form."""
        usual = _canonical_defaults(type(self))
        return {
            name: value
            for name, value in self._canonical_parameters().items()
            if name not in usual or not same(value, usual[name])
        }

    def _canonical_parameters(self) -> dict[str, Any]:
        """Return all parameters, config strings in canonical form."""
        parsed, conditions = self.parsed_protocol, self.parsed_conditions
        texts = {"optim_config": str(parsed.optimizer)}
        texts["callbacks"] = ",".join(map(str, parsed.callbacks))
        if conditions:
            texts["ic_config"] = str(conditions[0])
            texts["test_ic_config"] = str(conditions[1]) if self.test_ic_config else ""
        given = self.all_parameters
        return {**given, **{name: text for name, text in texts.items() if name in given}}

    @functools.cached_property
    def parsed_protocol(self) -> ParsedProtocol:
        """The config strings of the protocol, parsed when the scenario is made."""
        return self.read_protocol(self.fields_of_states)

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy in another process is made of; that parses its strings again."""
        parsed = ("parsed_protocol", "parsed_conditions")
        return {name: value for name, value in vars(self).items() if name not in parsed}

    # --- checks ----------------------------------------------------------------------------------

    def _check_problem(self) -> None:
        for condition in dict.fromkeys(self.parsed_conditions):
            for_channels(condition, self.num_channels)
            condition.check(self.grid)

    def _check_protocol(self) -> None:
        """Hold the protocol against the data that there are.

        Raises
        ------
        SpecError
            For the first parameter that does not fit.
        """
        parsed = self.parsed_protocol
        self._check_validation(parsed)
        low, high = self.vlim
        if not low < high:
            raise SpecError(f"vlim must be (low, high) with low < high, got {self.vlim!r}")
        if self.num_trjs_returned > self.num_test_samples:
            raise SpecError(
                f"num_trjs_returned must be at most num_test_samples ({self.num_test_samples}),"
                f" got {self.num_trjs_returned}"
            )
        if 0 < self.subset_of < self.num_train_samples:
            raise SpecError(
                f"subset_of must be at least num_train_samples ({self.num_train_samples}), which"
                f" are taken of so many, or 0 for no subset; got {self.subset_of}"
            )
        updates = parsed.optimizer.updates
        if self.record_loss_every > updates:
            warn(
                f"record_loss_every is {self.record_loss_every}, but there are {updates} updates:"
                " only the loss before the first one is recorded",
            )
        if self.is_simulated:
            self._warn_of_shared_seeds()

    def _check_validation(self, parsed: ParsedProtocol) -> None:
        if self.num_valid_samples:
            return
        choice, callbacks = parsed.choice, parsed.callbacks
        wants = [
            *([f"select={self.select!r}"] if choice.keep_best else []),
            *([f"patience={choice.patience}"] if choice.patience else []),
            *(f"callback {callback.name!r}" for callback in callbacks if callback.needs_valid_data),
        ]
        if wants:
            raise SpecError(f"{wants[0]} needs data for validation: give num_valid_samples")

    def _warn_of_shared_seeds(self) -> None:
        if self.train_seed == self.test_seed:
            warn(
                f"train_seed and test_seed are both {self.train_seed}: the emulator is tested on"
                " initial states that it was trained on",
            )
        seeds = {"train_seed": self.train_seed, "test_seed": self.test_seed}
        shared = [name for name, seed in seeds.items() if seed == self.valid_seed]
        if self.num_valid_samples and shared:
            warn(
                f"valid_seed and {shared[0]} are both {self.valid_seed}: data for validation begin"
                " with the same initial states",
            )

    def __repr__(self) -> str:
        lines = (f"  {f.name}={getattr(self, f.name)!r}" for f in dataclasses.fields(self))  # type: ignore[arg-type]
        return f"{type(self).__name__}(\n" + ",\n".join(lines) + "\n)"


@functools.cache
def _canonical_defaults(cls: type[Recipe]) -> dict[str, Any]:
    return canonical_parameters(defaults(cls))
