"""How probable it is that a seed of A beats a seed of B."""

from typing import Any

import numpy as np
import xarray as xr

from apexr.analysis._entries import Better, Diverged
from apexr.analysis._exact import rank_sum_test, sign_test
from apexr.analysis._intervals import check_confidence
from apexr.analysis._pairs import two_sides

_PARTS = ("probability", "low", "high", "p_value", "count_a", "count_b")
_HALVINGS = 60


def probability_better(
    data: xr.Dataset | xr.DataArray,
    variable: str = "mean_nRMSE",
    *,
    other: xr.Dataset | xr.DataArray | None = None,
    paired: bool = False,
    confidence: float = 0.95,
    diverged: Diverged = "worst",
    better: Better | None = None,
    **select: Any,
) -> xr.Dataset:
    """Return the probability that A beats B, ``P(A better) + P(equal) / 2``, with an interval.

    One half says that neither does. Nothing is computed where the data are lazy.

    Parameters
    ----------
    data, variable, other, select
        What is compared, as in :func:`paired_difference`.
    paired
        False: a seed of A against any seed of B (the common-language effect size, U / (m n)).
        True: seeds against the same seed; those without a partner do not count.
    confidence
        Level of the interval. Unpaired, it is Newcombe's, and holds one half wherever the exact
        test does not exclude it, as with three seeds a side; paired, it is the exact one of
        Clopper and Pearson. Both stay honest at probabilities of 0 and 1.
    diverged
        ``"worst"``: a diverged seed loses against all that are finite, and two that diverged are
        equal. ``"drop"``: it is left out, which flatters whoever diverged. ``"raise"``: an error
        when it is computed.
    better
        Which values are good; by default high correlations, low everything else.

    Returns
    -------
    xarray.Dataset
        ``probability``, ``low``, ``high``; ``p_value``, exact and two-sided, of the Mann-Whitney
        test (of the sign test where paired); ``count_a``, ``count_b``: the values that count; and
        the counts of :func:`paired_difference`.

    Raises
    ------
    SpecError
        If an argument is invalid or no two experiments match.
    MissingVariableError
        If there is no such variable or label, listing what there is.
    DivergenceError
        If a seed diverged and ``diverged="raise"``.

    References
    ----------
    Newcombe (2006), "Confidence intervals for an effect size measure based on the Mann-Whitney
    statistic", part 2, Statistics in Medicine 25, 559-573, method 5.
    Clopper and Pearson (1934), Biometrika 26, 404-413.
    """
    check_confidence(confidence)
    sides = two_sides(data, variable, other, diverged, better, select)
    sign = 1.0 if sides.better == "lower" else -1.0
    table: Any = xr.apply_ufunc(
        _paired_core if paired else _unpaired_core,
        sign * sides.a["value"],
        sign * sides.b["value"],
        kwargs={"confidence": confidence},
        input_core_dims=[["seed"], ["seed"]],
        output_core_dims=[["part"]],
        dask="parallelized",
        output_dtypes=[np.float64],
        dask_gufunc_kwargs={"output_sizes": {"part": len(_PARTS)}},
    )
    parts = {name: table.isel(part=i) for i, name in enumerate(_PARTS)}
    result = xr.Dataset({**parts, **sides.counts})
    result["probability"].attrs.update(long_name="probability that A beats B", units="1")
    said = {"paired": int(paired), "confidence": confidence}
    return result.assign_attrs({**sides.attrs, **said})


def _unpaired_core(a: np.ndarray, b: np.ndarray, confidence: float) -> np.ndarray:
    a, b = np.broadcast_arrays(a, b)
    m, n = (~np.isnan(a)).sum(-1), (~np.isnan(b)).sum(-1)
    left, right = a[..., :, None], b[..., None, :]
    won = (left < right).sum((-2, -1)) + (left == right).sum((-2, -1)) / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        found = won / (m * n)
    low, high = _newcombe(found, m, n, confidence)
    p = rank_sum_test(a, b)
    undecided = p > 1 - confidence
    low, high = (
        np.where(undecided, np.fmin(low, 0.5), low),
        np.where(undecided, np.fmax(high, 0.5), high),
    )
    return np.stack([found, low, high, p, m, n], axis=-1)


def _newcombe(
    found: np.ndarray, m: np.ndarray, n: np.ndarray, confidence: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the probabilities that lie just so many of their own standard errors off."""
    from scipy.special import ndtri

    z = ndtri((1 + confidence) / 2)

    def variance(theta: np.ndarray) -> np.ndarray:
        extra = ((m + n) / 2 - 1) * ((1 - theta) / (2 - theta) + theta / (1 + theta))
        return theta * (1 - theta) * (1 + extra) / np.maximum(m * n, 1)

    def bound(end: float) -> np.ndarray:
        inner, outer = found, np.full(found.shape, end)
        for _ in range(_HALVINGS):
            middle = (inner + outer) / 2
            near = (middle - found) ** 2 <= z**2 * variance(middle)
            inner, outer = np.where(near, middle, inner), np.where(near, outer, middle)
        return np.where(np.isnan(found), np.nan, inner)

    return bound(0.0), bound(1.0)


def _paired_core(a: np.ndarray, b: np.ndarray, confidence: float) -> np.ndarray:
    from scipy.special import betaincinv

    a, b = np.broadcast_arrays(a, b)
    n = (~np.isnan(a) & ~np.isnan(b)).sum(-1)
    won = (a < b).sum(-1) + (a == b).sum(-1) / 2
    tail = (1 - confidence) / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        found = won / n
        low = np.where(won > 0, betaincinv(np.maximum(won, 0.5), n - won + 1, tail), 0.0)
        high = np.where(won < n, betaincinv(won + 1, np.maximum(n - won, 0.5), 1 - tail), 1.0)
        differences = np.where(a == b, 0.0, a - b)
    bounds = [np.where(n > 0, bound, np.nan) for bound in (low, high)]
    return np.stack([found, *bounds, sign_test(differences), n, n], axis=-1)
