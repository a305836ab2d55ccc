"""``apexr.climate``: whether long rollouts have the statistics of the solver."""

import dataclasses
from typing import Any

import jax.numpy as jnp
import numpy as np
import xarray as xr

from apexr import labels
from apexr._precision import computing_in
from apexr._simulate import read_solver, read_states
from apexr.comparisons._states import initial_states
from apexr.comparisons._studies import of_each_experiment
from apexr.comparisons._subjects import Subject, is_path, read_subject
from apexr.engine import Plan, Ranges, Tally, climate_blocks, select_seed
from apexr.errors import DivergenceError, SpecError
from apexr.experiment import machine
from apexr.kernels import prepare_host_devices
from apexr.scenarios import BaseScenario
from apexr.schema import CLIMATE
from apexr.steppers import as_solver
from apexr.steppers._arrays import check_count
from apexr.store import is_study

_SEEDS = 2**32


@dataclasses.dataclass(frozen=True)
class _Asked:
    """The arguments of :func:`climate` that say how long and how fine; see there."""

    steps: int
    spinup: int
    every: int
    num_bins: int
    max_lag: int
    bound: float
    num_samples: int | None
    chunk: int | None


@dataclasses.dataclass(frozen=True)
class _Reference:
    """Two runs of the solver that are independent of each other.

    Attributes
    ----------
    first, second
        The counts over them.
    ranges
        Of the first one.
    states
        Where the second one, and emulators, begin; with the labels of the samples.
    """

    first: Tally
    second: Tally
    ranges: Ranges
    states: np.ndarray
    samples: np.ndarray


def climate(
    source: Any,
    scenario: str | BaseScenario | None = None,
    *,
    states: Any = None,
    steps: int = 10_000,
    spinup: int = 1_000,
    every: int = 1,
    num_samples: int | None = None,
    num_bins: int = 64,
    max_lag: int = 100,
    bound: float = 10.0,
    chunk: int | None = None,
    experiment: str | None = None,
) -> xr.Dataset:
    """Return how far the statistics of long rollouts are from those of the reference solver.

    Single trajectories of a chaotic system cannot be followed for long; their statistics can.
    The solver makes two runs that are independent of each other. Every distance is that of
    a rollout to the first of them; its *noise floor* is the distance of the second one, which
    has as many states and begins where the emulators do. A distance at its noise floor cannot be
    told from that of the solver itself, whose own would be exactly the floor.

    Parameters
    ----------
    source, scenario, experiment
        As for :func:`apexr.decompose`: a store, a study, a result, emulators, or any function of
        a state.
    states
        Initial states ``(sample, channel, *space)``, at least two: the first half is for the
        first run of the solver, the second half for the other one and for emulators. Or the
        config string of initial conditions. By default the emulators begin at test states, and
        the first run of the solver at others of the same distribution.
    steps
        Steps that count.
    spinup
        Steps before, in which each run approaches its own attractor.
    every
        Steps from one state that counts to the next.
    num_samples
        Runs, at most; by default as many as there are test samples.
    num_bins
        Bins of each histogram, between the least and the largest number of the first run.
    max_lag
        Largest lag of the autocorrelation, in steps.
    bound
        A run has left the bounds once a number exceeds the largest one of the first run so many
        times.
    chunk
        States that are in memory at once; by default as many as take 32 MiB. The result does not
        depend on it.

    Returns
    -------
    A Dataset with dims ``seed``, ``channel`` and ``bin``, ``wavenumber`` or ``lag``, and
    ``experiment`` in front for a study; see :data:`apexr.schema.CLIMATE`. For each statistic
    there are those of the rollouts and of the first run (``reference_…``), a distance and its
    noise floor (``…_noise``).

    Raises
    ------
    SpecError
        If an argument means nothing or there are fewer than two initial states.
    DivergenceError
        If the solver itself diverges.
    ShapeError, StoreError
        As for :func:`apexr.decompose`.

    Notes
    -----
    The statistics and their distances:

    - ``histogram`` and ``slope_histogram`` of the states and of their derivative along x, with
      the distances ``histogram_l1`` (between 0 and 2) and ``histogram_w1`` (Wasserstein-1, in
      units of the state) and the like;
    - ``spectrum`` over shells of wavenumbers, mean over time: ``spectrum_error`` relative to the
      reference, and ``spectrum_log_error``, the absolute natural logarithm of the ratio;
    - ``mean`` and ``variance``: ``mean_error``, ``variance_error`` (relative);
    - ``autocorrelation`` at points of the grid and ``autocorrelation_time``, the lag at which
      it falls to 1/e, in steps; NaN beyond ``max_lag``;
    - ``bounded``: the share of runs that stay within the bounds, and ``bounded_until``, the
      steps of each.

    A run that leaves the bounds counts as far away as can be: its part of the histogram is in no
    bin, and all other distances are infinite. The histograms, spectra and moments are those of
    the time before; the autocorrelation is NaN.

    Memory does not grow with the number of steps. A step is made three times by the solver (the
    first run twice, once for its range) and once for each seed.

    References
    ----------
    Z. Li et al. (2022): Learning chaotic dynamics in dissipative systems. NeurIPS.

    R. Jiang, P. Y. Lu, E. Orlova, R. Willett (2023): Training neural operators to preserve
    invariant measures of chaotic attractors. NeurIPS. arXiv:2306.01187

    Examples
    --------
    >>> stats = apexr.climate("ks.zarr", steps=100_000, num_samples=4)
    >>> stats[["histogram_w1", "histogram_w1_noise", "bounded"]]
    >>> apexr.plot.climate(stats)
    """
    prepare_host_devices()
    asked = _Asked(steps, spinup, every, num_bins, max_lag, bound, num_samples, chunk)
    _check(asked)
    known: list[tuple[Any, _Reference]] = []
    if experiment is None and is_path(source) and is_study(source):
        return of_each_experiment(
            source,
            lambda name: _of_subject(read_subject(source, scenario, name), states, asked, known),
        )
    return _of_subject(read_subject(source, scenario, experiment), states, asked, known)


def _check(asked: _Asked) -> None:
    for name, least in (("steps", 1), ("spinup", 0), ("every", 1), ("num_bins", 2), ("max_lag", 1)):
        check_count(name, getattr(asked, name), minimum=least)
    for name in ("num_samples", "chunk"):
        if getattr(asked, name) is not None:
            check_count(name, getattr(asked, name), minimum=1)
    if asked.steps < 2 * asked.every:
        raise SpecError(
            f"steps must hold at least two states that count: with every={asked.every} take"
            f" {2 * asked.every} or more, got {asked.steps}"
        )
    if asked.max_lag < asked.every:
        raise SpecError(f"max_lag must be at least every ({asked.every}), got {asked.max_lag}")
    if not 1 < asked.bound < np.inf:
        raise SpecError(f"bound must be a finite number above 1, got {asked.bound!r}")


def _of_subject(
    subject: Subject, states: Any, asked: _Asked, known: list[tuple[Any, _Reference]]
) -> xr.Dataset:
    """Return the statistics of one experiment; equal scenarios share the solver's runs."""
    scenario = subject.scenario
    plan = _plan(scenario, asked)
    with computing_in(subject.precision):
        key = (scenario, subject.precision)
        reference = next((held for other, held in known if other == key), None)
        if reference is None:
            reference = _reference(scenario, states, asked, plan)
            known.append((key, reference))
        begin = jnp.asarray(reference.states)
        emulators = (select_seed(subject.emulators, seed) for seed in range(len(subject.seeds)))
        tallies = [_counted(one, begin, reference.ranges, asked, plan) for one in emulators]
        about = machine()
    return _labeled(subject, asked, reference, tallies, about)


def _plan(scenario: BaseScenario, asked: _Asked) -> Plan:
    return Plan(asked.spinup, asked.steps, asked.every, scenario.grid.extents, asked.chunk)


def _reference(scenario: BaseScenario, states: Any, asked: _Asked, plan: Plan) -> _Reference:
    solver = as_solver(scenario.get_ref_stepper())
    others, samples, own = _starts(scenario, states, asked.num_samples)
    first = jnp.asarray(others)
    ranges = Ranges.of(climate_blocks(solver, first, plan), scenario.num_channels)
    if not np.isfinite(ranges.peak):
        raise DivergenceError(
            f"{scenario.get_scenario_name()}: the reference solver diverges within"
            f" {asked.spinup + asked.steps} steps, so that there is no climate to compare with;"
            " take more num_substeps or fewer steps"
        )
    runs = [_counted(solver, begin, ranges, asked, plan) for begin in (first, jnp.asarray(own))]
    return _Reference(runs[0], runs[1], ranges, own, samples)


def _counted(step: Any, states: Any, ranges: Ranges, asked: _Asked, plan: Plan) -> Tally:
    """Return what is counted of the rollouts of one stepper."""
    bound, num_lags = asked.bound * ranges.peak, asked.max_lag // asked.every
    tally = Tally(ranges, asked.num_bins, bound, num_lags)
    for block in climate_blocks(step, states, plan):
        tally.add(block)
    return tally


def _starts(
    scenario: BaseScenario, given: Any, num_samples: int | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return states for the first run, and sample labels and states for the second one.

    Raises
    ------
    SpecError
        If there is one state alone.
    """
    if given is not None and not isinstance(given, str):
        samples, values = initial_states(scenario, given)
        half = len(values) // 2
        if not half:
            raise SpecError(
                "states must be at least two, for two runs of the solver that are independent of"
                " each other, got one"
            )
        count = min(half, num_samples or half)
        return values[:count], samples[half : half + count], values[half : half + count]
    solver = read_solver(scenario, grid=None, dt=None, channel_names=None, keywords={})
    seed = (scenario.test_seed + 1) % _SEEDS
    if given is None:
        samples, values = initial_states(scenario, None)
        values = values[:num_samples]
    else:
        drawn = {"num_samples": num_samples, "seed": None}
        values = read_states(solver, given, **drawn).states
        samples = np.arange(len(values))
    others = read_states(solver, given, num_samples=len(values), seed=seed).states
    return others, samples[: len(values)], values


# --- distances -------------------------------------------------------------------------------


def _labeled(
    subject: Subject,
    asked: _Asked,
    reference: _Reference,
    tallies: list[Tally],
    about: dict[str, Any],
) -> xr.Dataset:
    first, second = reference.first, reference.second
    own = [{**_statistics(tally), **_distances(tally, first)} for tally in tallies]
    arrays = {name: np.stack([one[name] for one in own]) for name in own[0]}
    arrays |= {f"reference_{name}": value for name, value in _statistics(first).items()}
    noise = _distances(second, first)
    arrays |= {f"{name}_noise": value for name, value in noise.items()}
    arrays["bin_center"] = _centers(first.histogram.edges)
    arrays["slope_bin_center"] = _centers(first.slopes.edges)
    until = np.stack([tally.bounded_until for tally in tallies]) * asked.every
    arrays["bounded_until"] = until
    arrays["bounded"] = np.mean(until == asked.steps // asked.every * asked.every, axis=1)
    coords = {
        "seed": np.asarray(subject.seeds),
        "test_sample": reference.samples,
        "bin": np.arange(asked.num_bins),
        "wavenumber": np.arange(arrays["spectrum"].shape[-1]),
        "lag": np.arange(asked.max_lag // asked.every + 1) * asked.every,
    }
    said = {name: getattr(asked, name) for name in ("steps", "spinup", "every", "bound")}
    return labels.comparison(
        arrays,
        CLIMATE,
        coords,
        channel_names=subject.scenario.axes.channel_names,
        config=subject.config,
        attrs={**about, **said, "domain_extent": subject.scenario.grid.extents[0]},
    )


def _centers(edges: np.ndarray) -> np.ndarray:
    return (edges[:, 1:] + edges[:, :-1]) / 2


def _statistics(tally: Tally) -> dict[str, np.ndarray]:
    """Return what a stepper's rollouts are like."""
    mean, variance = tally.moments
    shares = [tally.shares(histogram) for histogram in (tally.histogram, tally.slopes)]
    every = tally.correlation
    return {
        "histogram": shares[0][:, :-3],
        "slope_histogram": shares[1][:, :-3],
        "spectrum": tally.spectrum,
        "mean": mean,
        "variance": variance,
        "autocorrelation": every,
        "autocorrelation_time": np.array([_first_below(one, np.exp(-1)) for one in every]),
    }


def _distances(tally: Tally, reference: Tally) -> dict[str, np.ndarray]:
    """Return how far rollouts are from those of the reference; infinite where one was lost."""
    lost = tally.num_valid < tally.num_states
    own, true = _statistics(tally), _statistics(reference)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = own["spectrum"] / true["spectrum"]
        far = {
            "histogram_w1": _wasserstein(tally, tally.histogram, reference, reference.histogram),
            "slope_histogram_w1": _wasserstein(tally, tally.slopes, reference, reference.slopes),
            "spectrum_error": np.abs(ratio - 1),
            "spectrum_log_error": np.abs(np.log(ratio)),
            "mean_error": np.abs(own["mean"] - true["mean"]),
            "variance_error": np.abs(own["variance"] / true["variance"] - 1),
            "autocorrelation_time_error": np.abs(
                own["autocorrelation_time"] / true["autocorrelation_time"] - 1
            ),
        }
    return {
        "histogram_l1": _l1(tally, tally.histogram, reference, reference.histogram),
        "slope_histogram_l1": _l1(tally, tally.slopes, reference, reference.slopes),
        **{name: np.full_like(value, np.inf) if lost else value for name, value in far.items()},
    }


def _l1(tally: Tally, own: Any, reference: Tally, true: Any) -> np.ndarray:
    """Return the sum of absolute differences of shares, those outside of the bins included."""
    return np.asarray(np.abs(tally.shares(own) - reference.shares(true)).sum(axis=1))


def _wasserstein(tally: Tally, own: Any, reference: Tally, true: Any) -> np.ndarray:
    """Return ``∫ |F - G|`` of the cumulative distributions ``F`` and ``G``.

    Within a bin they are taken as straight, beyond the ends their integral is exact: the
    reference has nothing there.
    """
    found = []
    total = tally.num_states * tally.num_points
    for channel in range(len(own.counts)):
        shares = [one.shares(of)[channel] for one, of in ((tally, own), (reference, true))]
        gap = [
            np.concatenate([[below], below + np.cumsum(inner)]) for *inner, below, _, _ in shares
        ]
        left, right = (np.asarray(gap[0]) - gap[1])[:-1], (np.asarray(gap[0]) - gap[1])[1:]
        width = np.diff(own.edges[channel])
        same = left * right >= 0
        size = np.abs(left) + np.abs(right)
        with np.errstate(invalid="ignore", divide="ignore"):
            crossing = (left**2 + right**2) / np.where(size > 0, size, 1)
        within = (width / 2 * np.where(same, size, crossing)).sum()
        found.append(within + (own.beyond[channel] + true.beyond[channel]) / total)
    return np.array(found)


def _first_below(values: np.ndarray, level: float) -> float:
    """Return the place where values first fall to a level, in between two by a straight line."""
    under = np.flatnonzero(values <= level)
    if not under.size or np.isnan(values[: under[0] + 1]).any():
        return float("nan")
    after = int(under[0])
    if after == 0:
        return 0.0
    high, low = values[after - 1], values[after]
    return float(after - 1 + (high - level) / (high - low))
