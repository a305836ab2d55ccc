"""``apexr.simulate``: all is read and checked before anything is computed."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
import xarray as xr

from apexr._memory import FAIR_FRACTION, available_memory, read_bytes
from apexr._simulate._solver import Solver, read_solver
from apexr._simulate._states import read_states
from apexr._simulate._task import Lengths, Task
from apexr._typing import PathInput
from apexr.errors import SpecError
from apexr.kernels import prepare_host_devices
from apexr.scenarios import BaseScenario
from apexr.spectral import Grid
from apexr.steppers import Stepper
from apexr.steppers._arrays import check_count


def simulate(
    solver: str | BaseScenario | Stepper | Callable[[Any], Any],
    initial_states: Any = None,
    num_steps: int | None = None,
    *,
    num_warmup_steps: int | None = None,
    include_init: bool = True,
    save_every: int = 1,
    num_samples: int | None = None,
    seed: int | None = None,
    grid: Grid | None = None,
    dt: float | None = None,
    channel_names: Sequence[str] | None = None,
    store: PathInput | None = None,
    overwrite: bool = False,
    memory_budget: int | float | str | None = None,
    devices: Sequence[jax.Device] | None = None,
    progress: bool = True,
    **scenario_kwargs: Any,
) -> xr.DataArray:
    """Return labeled trajectories of a solver, ``(sample, time, channel, x[, y[, z]])``.

    Parameters
    ----------
    solver
        A stepper, a scenario or its key (its reference stepper), or any function of one state
        that JAX can trace; that one needs ``grid``.
    initial_states
        ``(sample, channel, *space)``, or ``(channel, *space)`` for a single one, whose result
        has one sample. A DataArray is aligned by its names, and its grid is checked. A config
        string such as ``"fourier;5;true;true"`` draws them. None draws those of the scenario.
    num_steps
        Steps of the trajectories. A scenario has a default, its test horizon.
    num_warmup_steps
        Steps to make before the trajectories begin. By default those of the scenario where the
        states are drawn for it, otherwise none.
    include_init
        Whether the first frame, time 0, is the (warmed-up) initial state.
    save_every
        Steps from frame to frame: of ``num_steps=100, save_every=30`` the steps 0, 30, 60 and 90
        are kept.
    num_samples, seed
        How many states to draw, from which random seed; by default those of the scenario's test
        set, otherwise 1 and 0.
    grid, dt, channel_names
        Labels of a function's states. A stepper has a grid and a step of its own.
    store
        A folder for the trajectories: a Zarr group, written block by block and renamed into
        place when it is complete.
    overwrite
        Whether to replace trajectories that the store holds.
    memory_budget
        Memory for the computation, besides what is in use already: bytes, or text such as
        ``"4GB"``. By default half of what is available. Without a store the result counts.
    devices
        The devices that share the samples; by default all devices of the process.
    progress
        Whether to show a progress bar where there are several blocks.
    **scenario_kwargs
        Parameters of the scenario that differ from its defaults.

    Returns
    -------
    The trajectories; Dask-backed where there is a store. Coordinates: ``sample``, ``time`` (the
    number of the step), ``time_value`` (step times ``dt``), ``channel``, the grid, and along
    ``sample`` ``diverged_at``, the first frame with a NaN or infinite number, -1 where all are
    finite.

    Raises
    ------
    SpecError
        For anything invalid, before any work; if the result does not fit the
        budget; if an initial state is not finite.
    ShapeError
        If the states do not fit the solver.
    StoreError
        If the store holds something already or cannot be written.

    Warns
    -----
    ApexrWarning
        If a trajectory diverges, naming step and sample. Earlier frames are kept.
    ResolutionWarning
        Once for a scenario on a grid, if it is under-resolved, or its steps are too coarse, as
        ``run`` warns.

    Examples
    --------
    >>> stepper = ETDRKStepper(Convection(), Grid(1, 128), dt=0.001, order=4)
    >>> u = apexr.simulate(stepper, "fourier;5;true;true", 200, num_samples=10)
    >>> u.sel(time=100).mean("sample")
    >>> apexr.simulate("diff_ks", num_steps=5_000, store="ks.zarr", memory_budget="4GB")
    """
    prepare_host_devices()
    read = read_solver(
        solver, grid=grid, dt=dt, channel_names=channel_names, keywords=scenario_kwargs
    )
    lengths = _lengths(read, num_steps, num_warmup_steps, save_every, include_init)
    budget = _budget(memory_budget)
    start = read_states(read, initial_states, num_samples=num_samples, seed=seed)
    read.check_step(start.states.shape[1])
    if num_warmup_steps is None and start.drawn and read.scenario is not None:
        lengths = dataclasses.replace(lengths, warmup=read.scenario.num_warmup_steps)
    used = tuple(jax.local_devices() if devices is None else devices)
    task = Task(read, start, lengths, read.march(lengths.every), used, progress)
    return task.in_memory(budget) if store is None else task.in_store(budget, store, overwrite)


def _lengths(
    solver: Solver, steps: int | None, warmup: int | None, every: int, include_init: bool
) -> Lengths:
    if steps is None and solver.scenario is None:
        raise SpecError("num_steps is missing; only a scenario has a default for it")
    if steps is None and solver.scenario is not None:
        steps = solver.scenario.test_temporal_horizon
    check_count("num_steps", steps)
    check_count("num_warmup_steps", 0 if warmup is None else warmup)
    check_count("save_every", every, minimum=1)
    if not isinstance(include_init, bool | np.bool_):
        raise SpecError(f"include_init must be True or False, got {include_init!r}")
    return Lengths(int(steps or 0), int(warmup or 0), int(every), bool(include_init))


def _budget(given: int | float | str | None) -> int:
    if given is None:
        return int(FAIR_FRACTION * available_memory())
    return read_bytes("memory_budget", given)
