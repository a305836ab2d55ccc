"""The scenario: a recipe, as frozen data, for training and testing emulators of one equation."""

import abc
import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np
from jaxtyping import Float, PRNGKeyArray

from apexr._grammar import Count, PositiveInt, Range
from apexr._typing import Precision, Step
from apexr.engine import EmulatorPlan, count_parameters
from apexr.errors import SpecError
from apexr.initial import InitialCondition
from apexr.labels import Axes
from apexr.metrics import ChannelKind
from apexr.scenarios import _data, _pieces, _reference, _score, _shown
from apexr.scenarios._choice import require_valid_data
from apexr.scenarios._fields import Points, convert_fields, defaults, same
from apexr.scenarios._identity import canonical_parameters
from apexr.scenarios._meta import ScenarioMeta
from apexr.spectral import Grid
from apexr.training import Streamed, Trainer, TrainingPlan

if TYPE_CHECKING:
    import optax
    import xarray as xr

Seed = Annotated[int, Range(minimum=0, maximum=2**32 - 1)]

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


class BaseScenario(metaclass=ScenarioMeta):
    """What every scenario has; subclass it for a scenario of your own.

    A subclass adds annotated fields for its parameters and says three things: the reference
    stepper, the coarse stepper and its name. Steppers map a state ``(channel, *space)`` to the
    next one. Fields called ``domain_extent`` and ``dt`` give the results their units; the class
    attributes ``channel_names`` their labels, and ``channel_kind`` says what the channels are
    together (``"scalars"``, ``"velocity"``, ``"vorticity"``), which some metrics need.
    ``dimensions`` says where the equation exists, and ``elsewhere`` why, or what to take in others.

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
    select
        Which weights are tested and stored: ``last``, or ``best;METRIC``, those with the best
        ``valid_loss`` or the best metric of rollouts on data for validation, a seed its own.
    patience
        After so many validations in a row that are no better than the best one, a seed stops and
        keeps its weights; 0: never.
    optim_config
        Config string of optimiser, number of updates and schedule.
    batch_size
        Windows in a mini-batch.
    num_trjs_returned
        Test trajectories that a result holds whole.
    record_loss_every
        Updates from one recorded loss to the next.
    vlim
        Limits for plots of the state.
    report_metrics
        Metrics of the rollout, separated by commas.
    callbacks
        What to record during training, such as ``weight_norm;100,metrics;1_000``; see
        ``apexr list callbacks``.

    Raises
    ------
    SpecError
        For an invalid value, before any work.
    """

    renamed: ClassVar[Mapping[str, tuple[str, float]]] = {}
    channel_names: ClassVar[tuple[str, ...] | None] = None
    channel_kind: ClassVar[ChannelKind | None] = None
    dimensions: ClassVar[tuple[int, ...]] = (1, 2, 3)
    elsewhere: ClassVar[str] = ""
    positional: ClassVar[tuple[str, ...]] = ()
    is_simulated: ClassVar[bool] = True

    num_spatial_dims: Annotated[int, Range(minimum=1, maximum=3)] = 1
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
    valid_seed: Seed = LATER["valid_seed"]
    select: str = "last"
    patience: Count = 0
    optim_config: str = "adam;10_000;warmup_cosine;0.0;1e-3;2_000"
    batch_size: PositiveInt = 20
    num_trjs_returned: PositiveInt = 1
    record_loss_every: PositiveInt = 100
    vlim: tuple[float, float] = (-1.0, 1.0)
    report_metrics: str = "mean_nRMSE"
    callbacks: str = ""

    def __post_init__(self) -> None:
        convert_fields(self, derived=False)
        self._check_dimensions()
        self._derive()
        convert_fields(self, derived=True)
        self._check()
        _pieces.check_scenario(self)

    def _check_dimensions(self) -> None:
        if self.num_spatial_dims not in self.dimensions:
            hint = f"; {self.elsewhere}" if self.elsewhere else ""
            raise SpecError(
                f"num_spatial_dims of {type(self).__name__} must be"
                f" {' or '.join(map(str, self.dimensions))}, got {self.num_spatial_dims}{hint}"
            )

    def _derive(self) -> None:
        """Set the fields that follow from others."""

    def _check(self) -> None:
        """Refuse combinations of parameters that the equation does not allow."""

    def _set(self, **values: Any) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)

    # What scenarios of recorded trajectories say otherwise.

    @property
    def num_constants(self) -> int:
        """Channels that networks are given behind those of a state, and that do not change."""
        return 0

    @property
    def memory_of_data(self) -> int | None:
        """Bytes that training data may take; of larger ones windows are read when needed."""
        return None

    def recorded_data(self, split: _data.Split) -> Streamed | None:
        """Return trajectories that are read; None where they are simulated."""
        return None

    def check_experiment(self, emulator: EmulatorPlan, training: TrainingPlan) -> None:
        """Refuse an experiment for which the data of the scenario do not do."""

    def tell_data(self) -> str:
        """Return what is to be said of the data before an experiment."""
        return ""

    # What a scenario of one's own says.

    @abc.abstractmethod
    def get_ref_stepper(self) -> Any:
        """Return the stepper that makes the reference trajectories."""

    @abc.abstractmethod
    def get_coarse_stepper(self) -> Any:
        """Return the defective stepper that correction tasks start from."""

    @abc.abstractmethod
    def get_scenario_name(self) -> str:
        """Return the name that results carry, such as ``1d_diff_adv``."""

    # What follows from it.

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
    def all_parameters(self) -> dict[str, Any]:
        """What was given or left at its default; the derived fields follow from it."""
        return {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)  # type: ignore[arg-type]
            if field.init
        }

    @property
    def identifying_parameters(self) -> dict[str, Any]:
        """The parameters that identify an experiment: those of later releases where they are used.

        So experiments made before there was a choice keep their identity.
        """
        unused = [name for name in LATER if getattr(self, name, None) == LATER[name]]
        return {k: v for k, v in self.all_parameters.items() if k not in unused}

    @property
    def numerics_attributes(self) -> dict[str, str]:
        """What attributes of data say of the numerics: nothing where apexr does not know them."""
        return {}

    @property
    def changed_parameters(self) -> dict[str, Any]:
        """The parameters that differ from the defaults of the class, in canonical form."""
        usual = canonical_parameters(defaults(type(self)))
        return {
            name: value
            for name, value in canonical_parameters(self.all_parameters).items()
            if name not in usual or not same(value, usual[name])
        }

    def get_ic_generator(self) -> InitialCondition:
        """Return the parsed initial condition."""
        return _pieces.initial_condition(self)

    def get_optimizer(self) -> "optax.GradientTransformation":
        """Return the Optax optimiser with its schedule."""
        return _pieces.optimizer(self).build()

    def produce_data(
        self,
        *,
        stepper: Step,
        num_samples: int,
        num_warmup_steps: int,
        temporal_horizon: int,
        key: PRNGKeyArray,
    ) -> "xr.DataArray":
        """Return trajectories of any stepper from initial states that are drawn from a key.

        Parameters
        ----------
        stepper
            Maps a state ``(channel, *space)`` to the next one.
        num_samples, temporal_horizon
            Trajectories and their steps.
        num_warmup_steps
            Steps made before the initial state.
        key
            From which the initial states are drawn.
        """
        sizes = {"num_samples": num_samples, "num_warmup_steps": num_warmup_steps}
        return _data.produced(self, stepper, key, **sizes, temporal_horizon=temporal_horizon)

    def get_train_data(self) -> "xr.DataArray":
        """Return the training trajectories, ``(sample, time, channel, *space)``."""
        return _data.labelled(self, "train", "reference")

    def get_test_data(self) -> "xr.DataArray":
        """Return the test trajectories, ``(sample, time, channel, *space)``."""
        return _data.labelled(self, "test", "reference")

    def get_valid_data(self) -> "xr.DataArray":
        """Return the trajectories for validation, ``(sample, time, channel, *space)``.

        Raises
        ------
        SpecError
            If there are none.
        """
        require_valid_data(self)
        return _data.labelled(self, "valid", "reference")

    def get_ref_sample_data(self) -> "xr.DataArray":
        """Return the first ``num_trjs_returned`` test trajectories."""
        return _data.labelled_reference(self, "test").isel(sample=slice(self.num_trjs_returned))

    def get_train_data_coarse(self) -> "xr.DataArray":
        """Return the training trajectories made with the coarse stepper."""
        return _data.labelled(self, "train", "coarse")

    def get_test_data_coarse(self) -> "xr.DataArray":
        """Return the test trajectories made with the coarse stepper."""
        return _data.labelled(self, "test", "coarse")

    def get_train_ic_set(self) -> "xr.DataArray":
        """Return the initial states of the training trajectories, after the warm-up."""
        return _data.initial_states(self, "train", "reference")

    def get_test_ic_set(self) -> "xr.DataArray":
        """Return the initial states of the test trajectories, after the warm-up."""
        return _data.initial_states(self, "test", "reference")

    def get_train_ic_set_coarse(self) -> "xr.DataArray":
        """Return the initial states of the coarse training trajectories."""
        return _data.initial_states(self, "train", "coarse")

    def get_test_ic_set_coarse(self) -> "xr.DataArray":
        """Return the initial states of the coarse test trajectories."""
        return _data.initial_states(self, "test", "coarse")

    def reference_error(
        self,
        *,
        num_samples: int | None = None,
        num_steps: int | None = None,
        max_seconds: float = 60.0,
    ) -> "xr.Dataset":
        """Return how far the test data are from the solution of their own equation.

        The data are compared with a converged solution from the same initial states, in double
        precision on the same grid: exact coefficients, order 4, and twice as many substeps until
        two solutions agree to a twentieth of the error. Linear equations are solved exactly; what
        is left is the rounding of the data. How well the grid resolves the states is said by
        ``tail_energy``.

        Parameters
        ----------
        num_samples
            Of the test set; by default 30 in 1D, 2 in 2D, 1 in 3D, at most those that there are.
        num_steps
            By default the test horizon.
        max_seconds
            No more substeps are tried once these would take longer.

        Returns
        -------
        ``mean_nRMSE(time)`` and ``nRMSE(test_sample, time)``, infinite where the data diverge, NaN
        where the solution has not converged to a tenth of the error; ``tail_energy(time)``, the
        part of the energy in the last tenth of the spectrum; ``agreement(time)``, how far the two
        finest solutions are apart; ``num_substeps`` of the finest.

        Raises
        ------
        SpecError
            If a number is out of its range, or the solver's equation is not known.

        Examples
        --------
        >>> error = apexr.difficulty.KortewegDeVries().reference_error()
        >>> error.mean_nRMSE.sel(time=[1, 10, 100])
        """
        return _reference.reference_error(self, num_samples, num_steps, max_seconds)

    def get_network(self, network_config: str, key: PRNGKeyArray) -> Any:
        """Return a network drawn from the key."""
        plan = _pieces.parsed_plan(self, "predict", network_config)
        return _pieces.built(self, plan, key)

    def get_neural_stepper(
        self, *, task_config: str = "predict", network_config: str, key: PRNGKeyArray
    ) -> Any:
        """Return an emulator: the network as the task uses it."""
        plan = _pieces.network_plan(self, task_config, network_config)
        return _pieces.built(self, plan, key)

    def get_parameter_count(self, network_config: str) -> int:
        """Return how many trainable numbers the network has."""
        return count_parameters(_pieces.emulator_plan(self, "predict", network_config))

    def get_receptive_field(
        self, *, network_config: str, task_config: str = "predict"
    ) -> tuple[tuple[float, float], ...]:
        """Return for each axis how many points (back, forward) one output point sees."""
        return _pieces.emulator_plan(self, task_config, network_config).receptive_field()

    def get_trainer(self, *, train_config: str = "one") -> Trainer:
        """Return the function ``(emulator, key) -> (trained emulator, losses)``."""
        return _pieces.trainer(self, train_config)

    def full_loss(self, model: Step, *, train_config: str = "one") -> float:
        """Return the loss over all training windows at once."""
        return self.get_trainer(train_config=train_config).full_loss(model)

    def perform_tests_on_rollout(
        self, neural_rollout: Any, test_data_no_init: Any = None
    ) -> "dict[str, Float[np.ndarray, 'seed time']]":
        """Return each metric of rollouts that any model made, by config string.

        Parameters
        ----------
        neural_rollout
            Predicted trajectories without initial states, as :func:`apexr.evaluate` takes them,
            which returns the same with labels.
        test_data_no_init
            True trajectories of that form; by default the test data.
        """
        return _score.errors(self, neural_rollout, test_data_no_init)

    def __call__(
        self,
        *,
        task_config: str = "predict",
        network_config: str = "Conv;34;10;relu",
        train_config: str = "one",
        start_seed: int = 0,
        num_seeds: int = 1,
        precision: Precision | None = None,
        init: str | None = None,
        progress: bool = True,
    ) -> "tuple[xr.Dataset, Any]":
        """Return the result of training and testing emulators, and the emulators.

        Parameters
        ----------
        task_config, network_config, train_config
            Config strings.
        start_seed, num_seeds
            The seeds of initial weights and mini-batches; data do not depend on them.
        precision
            ``"float32"``, ``"float64"`` or ``"mixed"``; by default what JAX is set to.
        init
            ``STORE`` or ``STORE#EXPERIMENT``: stored weights to begin with, seed by seed.
        progress
            Whether to show a progress bar.

        Returns
        -------
        result
            Labelled as in :mod:`apexr.schema`.
        networks
            The trained emulators; arrays lead with the seeds unless there is one seed.
        """
        configs = (task_config, network_config, train_config)
        request = _pieces.Request(*configs, start_seed, num_seeds, precision, init)
        return _pieces.run(self, _pieces.plan(self, request), progress=progress)

    def _repr_html_(self) -> str:
        return _shown.scenario_card(self)

    def __repr__(self) -> str:
        lines = (f"  {f.name}={getattr(self, f.name)!r}" for f in dataclasses.fields(self))  # type: ignore[arg-type]
        return f"{type(self).__name__}(\n" + ",\n".join(lines) + "\n)"
