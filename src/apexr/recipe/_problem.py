"""The problem of a scenario: an equation, a grid, and the data that are made or read."""

import abc
import functools
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Literal

from apexr._grammar import Count, Dimensions, PositiveInt
from apexr.errors import SpecError
from apexr.initial import INITIAL_CONDITIONS, InitialCondition
from apexr.labels import Axes
from apexr.metrics import ChannelKind, Fields
from apexr.recipe._fields import Points, Seed
from apexr.recipe._meta import ScenarioMeta
from apexr.spectral import Grid
from apexr.steppers import SolverSpec
from apexr.training import Streamed

Split = Literal["train", "test", "valid"]

VALIDATION = ("num_valid_samples", "valid_temporal_horizon", "valid_seed")
"""Parameters on which the data for training and testing do not depend."""


class Problem(metaclass=ScenarioMeta):
    """The facts that data depend on: equation, grid, and number of trajectories.

    All fields that a scenario adds belong to its problem.

    Parameters
    ----------
    num_spatial_dims
        1, 2 or 3.
    num_points
        Grid points along each axis; a tuple of one number an axis where they differ.
    num_channels
        Channels of a state.
    ic_config
        Config string of the initial conditions.
    num_warmup_steps
        Steps made from the initial condition before anything is recorded.
    num_train_samples
        Training trajectories.
    subset_of
        Of how many drawn training trajectories these are the first; 0: all that are drawn. Sizes
        that share it have nested training sets.
    train_temporal_horizon
        Steps of each training trajectory, the initial state not counted.
    train_seed
        Random seed of the initial states of the training trajectories.
    num_test_samples
        Test trajectories.
    test_temporal_horizon
        Steps of each test trajectory, the initial state not counted.
    test_seed
        Random seed of the initial states of the test trajectories.
    test_ic_config
        Config string of the initial conditions of the test trajectories, where they differ.
    num_valid_samples
        Trajectories for validation; 0: there is none. With some, a result holds ``valid_loss``.
    valid_temporal_horizon
        Steps of each trajectory for validation; 0: as many as for training.
    valid_seed
        Random seed of the initial states of the trajectories for validation.
    """

    channel_names: ClassVar[tuple[str, ...] | None] = None
    channel_kind: ClassVar[ChannelKind | None] = None
    dimensions: ClassVar[tuple[int, ...]] = (1, 2, 3)
    elsewhere: ClassVar[str] = ""
    is_simulated: ClassVar[bool] = True
    solvers: ClassVar[Mapping[str, SolverSpec]] = MappingProxyType({})

    num_spatial_dims: Dimensions = 1
    num_points: Points = 160
    num_channels: PositiveInt = 1
    ic_config: str = "fourier;5;true;true"
    num_warmup_steps: Count = 0
    num_train_samples: PositiveInt = 50
    subset_of: Count = 0
    train_temporal_horizon: PositiveInt = 50
    train_seed: Seed = 0
    num_test_samples: PositiveInt = 30
    test_temporal_horizon: PositiveInt = 200
    test_seed: Seed = 773
    test_ic_config: str = ""
    num_valid_samples: Count = 0
    valid_temporal_horizon: Count = 0
    valid_seed: Seed = 1546

    def _check_dimensions(self) -> None:
        if self.num_spatial_dims not in self.dimensions:
            hint = f"; {self.elsewhere}" if self.elsewhere else ""
            raise SpecError(
                f"num_spatial_dims of {type(self).__name__} must be"
                f" {' or '.join(map(str, self.dimensions))}, got {self.num_spatial_dims}{hint}"
            )

    # Stated by each scenario.

    @abc.abstractmethod
    def get_ref_stepper(self) -> Any:
        """Return the stepper that makes the reference trajectories."""

    @abc.abstractmethod
    def get_coarse_stepper(self) -> Any:
        """Return the defective stepper that correction tasks start from."""

    @abc.abstractmethod
    def get_scenario_name(self) -> str:
        """Return the name that results carry, such as ``1d_diff_adv``."""

    # Derived from that.

    def get_train_stepper(self) -> Any:
        """Return the stepper that makes the training trajectories: by default the reference."""
        return self.get_ref_stepper()

    @property
    def grid(self) -> Grid:
        """The grid of the states."""
        extent = getattr(self, "domain_extent", 1.0)
        return Grid(self.num_spatial_dims, self.num_points, extent)

    @property
    def axes(self) -> Axes:
        """The labels of the states."""
        return Axes(
            self.num_spatial_dims,
            self.num_points,
            self.grid.domain_extent,
            getattr(self, "dt", None),
            self.channel_names,
        )

    @property
    def fields_of_states(self) -> Fields:
        """The grid and the channels of the states, which metrics depend on."""
        return Fields(self.grid, self.num_channels, self.channel_kind)

    @functools.cached_property
    def parsed_conditions(self) -> tuple[InitialCondition, ...]:
        """The initial conditions of training and test; none where trajectories are read."""
        configs = (self.ic_config, self.test_ic_config or self.ic_config)
        if not self.is_simulated:
            return ()
        first = self._read_condition(configs[0])
        return first, first if configs[0] == configs[1] else self._read_condition(configs[1])

    def _read_condition(self, config: str) -> InitialCondition:
        """Return the initial condition of a config string."""
        return INITIAL_CONDITIONS.parse(config)

    def get_ic_generator(self) -> InitialCondition:
        """Return the parsed initial condition."""
        return self.parsed_conditions[0]

    # Overridden by scenarios of recorded trajectories.

    @property
    def num_constants(self) -> int:
        """Channels that networks are given behind those of a state, and that do not change."""
        return 0

    @property
    def memory_of_data(self) -> int | None:
        """Bytes that training data may take; of larger ones windows are read when needed."""
        return None

    def recorded_data(self, split: Split) -> Streamed | None:
        """Return trajectories that are read; None where they are simulated."""
        return None

    @property
    def numerics_attributes(self) -> dict[str, str]:
        """Attributes of data about the numerics: none where apexr does not know them."""
        return {}

    def tell_data(self) -> str:
        """Return a line about the data that is shown before an experiment; empty for none."""
        return ""
