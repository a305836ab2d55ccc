"""The scenario: a recipe with the methods that users call, each of which calls a function."""

from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, PRNGKeyArray

from apexr._typing import Precision, Step
from apexr.engine import count_parameters
from apexr.experiment import _data, _plan, _reference, _run, _score, _shown
from apexr.experiment._attend import Attendants
from apexr.recipe import Recipe, Request, ScenarioDict
from apexr.training import Trainer

if TYPE_CHECKING:
    import optax
    import xarray as xr


class BaseScenario(Recipe):
    """The interface of scenarios; subclass it for a scenario of your own.

    A subclass adds annotated fields for its parameters and says three things: the reference
    stepper, the coarse stepper and its name. Steppers map a state ``(channel, *space)`` to the
    next one. Fields called ``domain_extent`` and ``dt`` give the results their units; the class
    attributes ``channel_names`` their labels, and ``channel_kind`` says what the channels are
    together (``"scalars"``, ``"velocity"``, ``"vorticity"``), which some metrics need.
    ``dimensions`` says where the equation exists, and ``elsewhere`` why, or what to take in others.

    Raises
    ------
    SpecError
        For an invalid value, before any work.
    """

    def get_optimizer(self) -> "optax.GradientTransformation":
        """Return the Optax optimizer with its schedule."""
        return self.parsed_protocol.optimizer.build()

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
        return _data.labeled(self, "train", "reference")

    def get_test_data(self) -> "xr.DataArray":
        """Return the test trajectories, ``(sample, time, channel, *space)``."""
        return _data.labeled(self, "test", "reference")

    def get_valid_data(self) -> "xr.DataArray":
        """Return the trajectories for validation, ``(sample, time, channel, *space)``.

        Raises
        ------
        SpecError
            If there are none.
        """
        _data.require_valid(self)
        return _data.labeled(self, "valid", "reference")

    def get_ref_sample_data(self) -> "xr.DataArray":
        """Return the first ``num_trjs_returned`` test trajectories."""
        return _data.labelled_reference(self, "test").isel(sample=slice(self.num_trjs_returned))

    def get_train_data_coarse(self) -> "xr.DataArray":
        """Return the training trajectories made with the coarse stepper."""
        return _data.labeled(self, "train", "coarse")

    def get_test_data_coarse(self) -> "xr.DataArray":
        """Return the test trajectories made with the coarse stepper."""
        return _data.labeled(self, "test", "coarse")

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
        plan = _plan.read_plan(self, "predict", network_config)
        return _plan.built(self, plan, key)

    def get_neural_stepper(
        self, *, task_config: str = "predict", network_config: str, key: PRNGKeyArray
    ) -> Any:
        """Return an emulator: the network as the task uses it."""
        plan = _plan.network_plan(self, task_config, network_config)
        return _plan.built(self, plan, key)

    def get_parameter_count(self, network_config: str) -> int:
        """Return how many trainable numbers the network has."""
        return count_parameters(_plan.emulator_plan(self, "predict", network_config))

    def get_receptive_field(
        self, *, network_config: str, task_config: str = "predict"
    ) -> tuple[tuple[float, float], ...]:
        """Return for each axis how many points (back, forward) one output point sees."""
        return _plan.emulator_plan(self, task_config, network_config).receptive_field()

    def get_trainer(self, *, train_config: str = "one") -> Trainer:
        """Return the function ``(emulator, key) -> (trained emulator, losses)``."""
        return _plan.trainer(self, train_config)

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
            Labeled as in :mod:`apexr.schema`.
        networks
            The trained emulators; arrays lead with the seeds unless there is one seed.
        """
        configs = (task_config, network_config, train_config)
        request = Request(*configs, start_seed, num_seeds, precision, init)
        return _run.run(self, _plan.plan(self, request), Attendants(progress))

    def _repr_html_(self) -> str:
        return _shown.scenario_card(self)


scenario_dict: ScenarioDict[BaseScenario] = ScenarioDict()
"""The scenario classes by key; setting an item registers a class of one's own."""
