"""``apexr.decompose``: where the error of a rollout comes from."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import xarray as xr

from apexr import labels
from apexr._precision import computing_in
from apexr.comparisons._states import initial_states, read_steps
from apexr.comparisons._studies import of_each_experiment
from apexr.comparisons._subjects import Subject, is_path, read_subject
from apexr.engine import decompose as decomposed
from apexr.experiment import machine
from apexr.kernels import prepare_host_devices
from apexr.scenarios import BaseScenario
from apexr.schema import DECOMPOSITION
from apexr.steppers import as_solver
from apexr.store import is_study


def decompose(
    source: Any,
    scenario: str | BaseScenario | None = None,
    *,
    states: Any = None,
    num_steps: int | None = None,
    experiment: str | None = None,
) -> xr.Dataset:
    """Return where the error of rollouts comes from: two exact splits, step by step.

    With the emulator ``f``, the reference solver ``P`` of the same time step, the rollout ``û``
    and the truth ``u`` from the same initial state, the error ``e = û - u`` at step ``t`` is

    - ``[f(u') - u] + [f(û') - f(u')]``: the one-step error on the true state ``u'`` before, and
      what the emulator makes of the error that it already had;
    - ``[f(û') - P(û')] + [P(û') - P(u')]``: the fresh error on the emulator's own state before,
      and what the dynamics make of the error that was there.

    Parameters
    ----------
    source
        The store of an experiment, or a result opened from one: its networks are loaded. A
        study: all its experiments, one after another. Emulators, as
        :func:`apexr.run_experiment` returns them, of one or several seeds. Any function that
        takes a state ``(channel, *space)`` to the next one: of JAX, or, called with NumPy
        arrays, of another framework.
    scenario
        Key or object of the scenario whose reference solver is ``P``; a store knows it.
    states
        Initial states ``(test_sample, channel, *space)``; by default those of the scenario's
        test set.
    num_steps
        Steps of the rollouts; by default the scenario's test horizon.
    experiment
        The id of one experiment of a study.

    Returns
    -------
    A Dataset with dims ``(seed, test_sample, time)``, and ``experiment`` in front for a study;
    see :data:`apexr.schema.DECOMPOSITION`:

    - ``error``, ``one_step``, ``propagated``, ``own_state_error``, ``dynamics``: Euclidean norms
      over channels and space, relative to ``||u||``;
    - ``amplification`` = ``||f(û') - f(u')|| / ||û' - u'||``, ``true_amplification`` the same of
      ``P``, ``excess_amplification`` their ratio;
    - ``distribution_shift`` = ``||f(û') - P(û')|| / ||f(u') - P(u')||``;
    - ``alignment``: cosine between the one-step and the propagated part.

    A ratio whose denominator is zero is NaN, as at step 1, where there is no error yet. A rollout
    that diverges gives infinite or NaN parts from then on.

    Raises
    ------
    SpecError
        If a scenario is missing, or an argument means nothing.
    ShapeError
        If states or emulators do not fit the scenario.
    StoreError
        If the store cannot be read.

    Notes
    -----
    The truth is stepped along with the rollout, so that memory holds two states of each sample,
    whatever the number of steps. A step costs two of the emulator and two of the solver.

    Examples
    --------
    >>> apexr.run("diff_ks_cons", net="Conv;26;10;relu", num_seeds=5, store="ks.zarr")
    >>> parts = apexr.decompose("ks.zarr")
    >>> parts[["one_step", "propagated"]].mean("test_sample").median("seed").sel(time=[1, 10, 100])
    >>> apexr.plot.decomposition(parts)
    """
    prepare_host_devices()
    if experiment is None and is_path(source) and is_study(source):
        return of_each_experiment(
            source,
            lambda name: _of_subject(read_subject(source, scenario, name), states, num_steps),
        )
    return _of_subject(read_subject(source, scenario, experiment), states, num_steps)


def _of_subject(subject: Subject, states: Any, num_steps: int | None) -> xr.Dataset:
    scenario = subject.scenario
    horizon = read_steps(scenario, num_steps)
    with computing_in(subject.precision):
        samples, start = initial_states(scenario, states)
        arrays = decomposed(
            subject.emulators,
            len(subject.seeds),
            as_solver(scenario.get_ref_stepper()),
            jnp.asarray(start),
            horizon,
        )
        about = machine()
    return labels.comparison(
        arrays,
        DECOMPOSITION,
        {
            "seed": np.asarray(subject.seeds),
            "test_sample": samples,
            "time": np.arange(1, horizon + 1),
        },
        dt=getattr(scenario, "dt", None),
        config=subject.config,
        attrs=about,
    )
