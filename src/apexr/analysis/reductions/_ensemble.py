"""Scores of ensembles: how well the spread of members tells the error of their mean.

Members are, as a rule, the seeds of one network. All functions take labeled arrays, lazy or in
memory, and never compute them. A value at which any member is NaN or infinite scores as the
worst: an infinite score, never a score of the members that are left.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import Any, Literal, get_args

import numpy as np
import xarray as xr

from apexr.analysis._selection import same_labels
from apexr.errors import MissingVariableError, SpecError, suggest
from apexr.schema import SPATIAL_DIMS

Kind = Literal["fair", "plain"]
_FIELD = ("channel", *SPATIAL_DIMS)
"""Dimensions of a state, over which norms and means are taken unless others are named."""


def crps(
    prediction: xr.DataArray,
    reference: xr.DataArray,
    member: str = "seed",
    kind: str = "fair",
) -> xr.DataArray:
    """Return the continuous ranked probability score of an ensemble at every value.

    ``(1/M) Σ|x_m - y| - (1/w) Σ_k (2k - M - 1) x_(k)`` with the members ``x_m``, in order
    ``x_(k)``, and ``w = M(M - 1)`` (fair: its expectation does not depend on the number of
    members) or ``w = M²`` (plain).

    Parameters
    ----------
    prediction
        The members along ``member``.
    reference
        The truth, without ``member``; other dimensions are matched by name.
    member
        The dimension of the members.
    kind
        ``"fair"`` or ``"plain"``.

    Returns
    -------
    The score in the units of the values, without ``member``; its mean over all dimensions is
    the score of the ensemble.

    Raises
    ------
    SpecError
        If there are fewer than two members, or ``kind`` is neither.
    MissingVariableError
        If there is no dimension ``member``.

    References
    ----------
    C. A. T. Ferro (2014): Fair scores for ensemble forecasts. Q. J. R. Meteorol. Soc. 140,
    1917-1923, eq. 5. doi:10.1002/qj.2270
    """
    if kind not in get_args(Kind):
        raise SpecError(f"kind must be one of {', '.join(get_args(Kind))}, got {kind!r}")
    _check(prediction, reference, member)

    def score(members: np.ndarray, truth: np.ndarray) -> np.ndarray:
        count = members.shape[-1]
        error = np.abs(members - truth[..., None]).mean(axis=-1)
        weights = 2 * np.arange(1, count + 1) - count - 1
        pairs = count * (count - 1) if kind == "fair" else count**2
        return error - (np.sort(members, axis=-1) * weights).sum(axis=-1) / pairs

    named = {"long_name": f"{kind} CRPS", "units": prediction.attrs.get("units", "1")}
    return _apply(score, prediction, reference, member).assign_attrs(named)


def energy_score(
    prediction: xr.DataArray,
    reference: xr.DataArray,
    member: str = "seed",
    dims: Sequence[str] | None = None,
) -> xr.DataArray:
    """Return the fair energy score of an ensemble of whole states.

    ``(1/M) Σ|x_m - y| - 1/(2M(M - 1)) Σ|x_m - x_n|`` with root mean squares over ``dims`` as norms.

    Parameters
    ----------
    prediction, reference, member
        As for :func:`crps`.
    dims
        The dimensions of a state; by default channel and space.

    Raises
    ------
    SpecError, MissingVariableError
        As for :func:`crps`.

    References
    ----------
    T. Gneiting, A. E. Raftery (2007): Strictly proper scoring rules, prediction, and estimation.
    J. Am. Stat. Assoc. 102, 359-378, eq. 21. doi:10.1198/016214506000001437
    """
    _check(prediction, reference, member)
    axes = _state_dims(prediction, dims)

    def score(members: np.ndarray, truth: np.ndarray) -> np.ndarray:
        axis = tuple(range(-len(axes), 0))
        count = len(members)

        def norm(difference: np.ndarray) -> np.ndarray:
            return np.sqrt(np.square(difference).mean(axis=axis))

        error = norm(members - truth).mean(axis=0)
        pairs = sum(
            norm(members[first] - members[first + 1 :]).sum(axis=0) for first in range(count - 1)
        )
        return error - pairs / (count * (count - 1))

    def in_front(members: np.ndarray, truth: np.ndarray) -> np.ndarray:
        return score(np.moveaxis(members, -1, 0), truth)

    named = {"long_name": "fair energy score", "units": prediction.attrs.get("units", "1")}
    return _apply(in_front, prediction, reference, member, axes).assign_attrs(named)


def spread_skill(
    prediction: xr.DataArray,
    reference: xr.DataArray,
    member: str = "seed",
    dims: Sequence[str] | None = None,
) -> xr.Dataset:
    """Return the spread of an ensemble, the error of its mean, and their ratio.

    Parameters
    ----------
    prediction, reference, member
        As for :func:`crps`.
    dims
        Dimensions over which squares are averaged before the ratio is taken; by default channel,
        space and samples.

    Returns
    -------
    ``spread = √mean(s²)``, ``error = √mean((x̄ - y)² - s²/M)`` (unbiased; NaN where the mean is
    negative), and ``ratio`` of both: 1 for members that are drawn like the truth, below 1 where
    the ensemble is overconfident. ``s²`` divides by ``M - 1``.

    Raises
    ------
    SpecError, MissingVariableError
        As for :func:`crps`.
    """
    _check(prediction, reference, member)
    over = _state_dims(prediction, dims, (*_FIELD, "sample", "test_sample"))
    count = prediction.sizes[member]
    finite = xr.ufuncs.isfinite(prediction).all(member)
    members = prediction.where(finite)
    variance = members.var(member, ddof=1, skipna=False).where(finite, np.inf)
    squared = (members.mean(member, skipna=False) - reference) ** 2
    squared = (squared - variance / count).where(finite, np.inf)
    spread = xr.ufuncs.sqrt(variance.mean(over, skipna=False))
    squared = squared.mean(over, skipna=False)
    error = xr.ufuncs.sqrt(squared.where(squared >= 0))
    ratio = (spread / error).assign_attrs(long_name="spread over error", units="1")
    units = prediction.attrs.get("units", "1")
    return xr.Dataset(
        {
            "spread": spread.assign_attrs(long_name="spread of the members", units=units),
            "error": error.assign_attrs(long_name="unbiased error of the mean", units=units),
            "ratio": ratio,
        }
    )


def rank_histogram(
    prediction: xr.DataArray,
    reference: xr.DataArray,
    member: str = "seed",
    dims: Sequence[str] | None = None,
    seed: int = 0,
) -> xr.DataArray:
    """Return how often the truth has each rank among the members: flat for a calibrated ensemble.

    Parameters
    ----------
    prediction, reference, member
        As for :func:`crps`.
    dims
        Dimensions over which ranks are counted; by default channel, space and samples.
    seed
        Splits ties at random, the same for every chunking.

    Returns
    -------
    Counts along ``member_rank``, from 0 (the truth is below all members) to M. Values at which a
    member is NaN or infinite are not counted.

    Raises
    ------
    SpecError, MissingVariableError
        As for :func:`crps`.
    """
    _check(prediction, reference, member)
    over = _state_dims(prediction, dims, (*_FIELD, "sample", "test_sample"))
    finite = xr.ufuncs.isfinite(prediction).all(member) & xr.ufuncs.isfinite(reference)
    below = (prediction < reference).sum(member)
    ties = (prediction == reference).sum(member)
    rank = below + np.floor(_uniform_like(below, seed) * (ties + 1)).astype(int)
    ranks = xr.DataArray(np.arange(prediction.sizes[member] + 1), dims="member_rank")
    ranks = ranks.assign_coords(member_rank=ranks)
    counts = ((rank == ranks) & finite).sum(over)
    return counts.assign_attrs(long_name="times that the truth has the rank", units="1")


def coverage(
    prediction: xr.DataArray,
    reference: xr.DataArray,
    level: float,
    member: str = "seed",
    dims: Sequence[str] | None = None,
) -> xr.DataArray:
    """Return how often the truth lies within the central interval of an ensemble.

    The ends are quantiles of the members at the places ``p(M + 1)``, between which a truth that
    is drawn like the members lies with probability ``level``.

    Parameters
    ----------
    prediction, reference, member
        As for :func:`crps`.
    level
        Between 0 and ``(M - 1)/(M + 1)``, the level of the interval from the smallest to the
        largest member.
    dims
        Dimensions over which shares are taken; by default channel, space and samples.

    Raises
    ------
    SpecError
        If there are fewer than two members, or too few for the level.
    MissingVariableError
        As for :func:`crps`.
    """
    _check(prediction, reference, member)
    count = prediction.sizes[member]
    largest = (count - 1) / (count + 1)
    if not 0 < level <= largest:
        raise SpecError(
            f"level must be above 0 and at most {largest:.3g}, that of the whole range of {count}"
            f" members, got {level!r}"
            + (f"; a level of {level:g} needs {_members_for(level)}" if largest < level < 1 else "")
        )
    over = _state_dims(prediction, dims, (*_FIELD, "sample", "test_sample"))

    def inside(members: np.ndarray, truth: np.ndarray) -> np.ndarray:
        ends = ((1 - level) / 2, (1 + level) / 2)
        low, high = np.quantile(members, ends, axis=-1, method="weibull")
        return ((low <= truth) & (truth <= high)).astype(float)

    within = _apply(inside, prediction, reference, member, worst=0.0)
    named = {"long_name": f"coverage of the central {100 * level:g} %", "units": "1"}
    return within.mean(over).assign_attrs(named)


def _members_for(level: float) -> str:
    return f"{int(np.ceil((1 + level) / (1 - level) - 1e-9))} members"


def _check(prediction: Any, reference: Any, member: str) -> None:
    """Refuse an ensemble that does not fit its truth."""
    for name, given in (("prediction", prediction), ("reference", reference)):
        if not isinstance(given, xr.DataArray):
            raise SpecError(f"{name} must be a DataArray, got {type(given).__name__}")
    if member not in prediction.dims:
        raise MissingVariableError(
            f"prediction has no dimension {member!r}; it has {', '.join(map(str, prediction.dims))}"
            + suggest(member, map(str, prediction.dims))
        )
    if member in reference.dims:
        raise SpecError(f"reference must not have the members' dimension {member!r}")
    if prediction.sizes[member] < 2:
        raise SpecError(
            f"an ensemble needs at least 2 members, got {prediction.sizes[member]} along {member!r}"
        )
    # Arithmetic of xarray would leave out labels that only one of them has, without a word.
    for dim in (dim for dim in reference.dims if dim in prediction.dims):
        if not same_labels(prediction, reference, dim):
            raise SpecError(
                f"prediction and reference differ in their labels along {dim!r}; choose those that"
                " both have, in one order: xarray.align(prediction, reference, join='inner')"
            )


def _state_dims(
    prediction: xr.DataArray, given: Sequence[str] | None, default: Sequence[str] = _FIELD
) -> list[Hashable]:
    """Return the dimensions over which something is reduced, those that there are by default."""
    if given is None:
        return [dim for dim in prediction.dims if dim in default]
    lacking = [dim for dim in given if dim not in prediction.dims]
    if lacking:
        raise MissingVariableError(
            f"prediction has no dimension {lacking[0]!r}; it has"
            f" {', '.join(map(str, prediction.dims))}"
        )
    return list(given)


def _apply(
    score: Callable[[np.ndarray, np.ndarray], np.ndarray],
    prediction: xr.DataArray,
    reference: xr.DataArray,
    member: str,
    core: Sequence[Hashable] = (),
    worst: float = np.inf,
) -> xr.DataArray:
    """Return a score of members, along the last axis, and truth; the worst where one diverged."""

    def scored(members: np.ndarray, truth: np.ndarray) -> np.ndarray:
        finite = np.isfinite(members).all(axis=-1) & np.isfinite(truth)
        finite = finite.all(axis=tuple(range(-len(core), 0))) if core else finite
        with np.errstate(all="ignore"):
            return np.where(finite, score(members, truth), worst)

    dims = [*core, member]
    whole = [prediction.chunk(dict.fromkeys(dims, -1)) if prediction.chunks else prediction]
    whole.append(reference.chunk(dict.fromkeys(core, -1)) if reference.chunks else reference)
    scores: xr.DataArray = xr.apply_ufunc(
        scored,
        *whole,
        input_core_dims=[dims, list(core)],
        dask="parallelized",
        output_dtypes=[prediction.dtype if worst else float],
    )
    return scores


def _uniform_like(array: xr.DataArray, seed: int) -> xr.DataArray:
    """Return numbers from 0 to 1 that look random and follow from the place in the array alone.

    So ties are split in the same way whatever the chunks are.
    """
    place: Any = np.uint64(0)
    stride = 1
    for dim in reversed(array.dims):
        along = xr.DataArray(np.arange(array.sizes[dim], dtype=np.uint64) * stride, dims=[dim])
        if array.chunks is not None:
            along = along.chunk({dim: array.chunksizes[dim]})
        place, stride = place + along, stride * array.sizes[dim]
    mixed: xr.DataArray = xr.apply_ufunc(
        _mixed, place, kwargs={"seed": seed}, dask="parallelized", output_dtypes=[float]
    )
    return mixed


def _mixed(place: np.ndarray, seed: int) -> np.ndarray:
    """Return the SplitMix64 hash of whole numbers, as fractions (doi:10.1145/2714064.2660195)."""
    with np.errstate(over="ignore"):
        z = np.asarray(place, np.uint64) + np.uint64(0x9E3779B97F4A7C15) * np.uint64(seed + 1)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (z ^ (z >> np.uint64(31))) / 2.0**64
