"""How many seeds a comparison needs, and the smallest ratio that so many seeds can tell."""

import math
from typing import Any

import numpy as np
import xarray as xr

from apexr.analysis._selection import Better, Diverged, entries
from apexr.analysis.statistics._comparison import paired_ratio
from apexr.analysis.statistics._intervals import check_confidence
from apexr.errors import SpecError

POWER = 0.8
"""Probability with which the smallest ratio is found."""


def seeds_needed(
    data: xr.Dataset | xr.DataArray,
    variable: str = "mean_nRMSE",
    *,
    ratio: float = 1.1,
    power: float = POWER,
    confidence: float = 0.95,
    other: xr.Dataset | xr.DataArray | None = None,
    diverged: Diverged = "worst",
    better: Better | None = None,
    **select: Any,
) -> xr.Dataset:
    """Return how many seeds it takes to tell errors apart that differ by a ratio.

    ``n = 2 (z_c + z_p)² s² / ln(ratio)²`` seeds a side, rounded up, where ``z_c`` and ``z_p`` are
    quantiles of the normal distribution at ``(1 + confidence) / 2`` and ``power``, and ``s`` is the
    standard deviation of the logarithms. Given a pair of labels, or ``other``, ``s²`` is half the
    variance of the logarithms of the ratios of equal seeds; otherwise, for each experiment, the
    variance over its seeds, as if the other side varied as much and no seeds were paired. It is
    never less than a rank test needs: 6 at 95 %.

    Parameters
    ----------
    data, variable, other, diverged, better, select
        As in :func:`paired_ratio`; without a label with two values, each experiment by itself.
    ratio
        The ratio to find, above or below 1.
    power
        Probability of finding it.
    confidence
        Level of the test.

    Returns
    -------
    xarray.Dataset
        ``seeds``, infinite where seeds diverged; ``spread``, the ``s`` of the formula; and
        ``smallest_ratio``, what the seeds that there are can tell with this power; see
        :func:`smallest_effect`.

    Raises
    ------
    SpecError
        If an argument is out of its range or no two experiments match.
    MissingVariableError
        If there is no such variable or label, listing what there is.
    """
    check_confidence(confidence)
    _check(ratio, power)
    pairs = other is not None or any(isinstance(value, tuple | list) for value in select.values())
    if pairs:
        found = paired_ratio(
            data, variable, other=other, diverged=diverged, better=better, **select
        )
        spread, number = found["spread"] / math.sqrt(2), found["num_pairs"]
    else:
        if select:
            raise SpecError(f"give a label two values to compare, got {select}")
        entered = entries(data, variable, diverged, better)
        logs = xr.ufuncs.log(entered["value"].where(entered["value"] > 0))
        sound = ~entered["lost"].any("seed")
        spread = logs.where(sound).std("seed", ddof=1, skipna=True).where(sound, np.inf)
        number = entered["there"].sum("seed")
    z = _normal((1 + confidence) / 2) + _normal(power)
    seeds = xr.ufuncs.ceil(2 * (z * spread / math.log(ratio)) ** 2)
    seeds = seeds.clip(min=least_pairs(confidence)).where(spread.notnull())
    smallest = xr.apply_ufunc(
        _smallest,
        number,
        spread * math.sqrt(2),
        kwargs={"confidence": confidence, "power": power},
        vectorize=True,
        dask="parallelized",
        output_dtypes=[np.float64],
    )
    named = {
        "seeds": seeds.assign_attrs(long_name=f"seeds to tell a ratio of {ratio:g}"),
        "spread": spread.assign_attrs(long_name="standard deviation of the logarithms"),
        "smallest_ratio": xr.ufuncs.exp(smallest).assign_attrs(long_name="smallest ratio found"),
    }
    said = {"ratio": ratio, "power": power, "confidence": confidence, "paired": int(pairs)}
    return xr.Dataset(named, attrs=said)


def smallest_effect(number: int, spread: float, confidence: float, power: float = POWER) -> float:
    """Return the smallest median of normal differences that so many pairs can tell.

    ``(t_c + t_p) spread / √n`` with the quantiles of Student's distribution, for which the
    signed-rank test needs hardly more pairs; where that test can only tell if all pairs agree
    (6 pairs at 95 %), the median with which they all do so as often as the power says. Infinite
    where no pairs of this number can tell.
    """
    from scipy.special import ndtri, stdtrit

    if number < least_pairs(confidence) or not math.isfinite(spread):
        return math.inf
    half = float(stdtrit(number - 1, (1 + confidence) / 2) + stdtrit(number - 1, power))
    effect = half * spread / math.sqrt(number)
    if 4 * 0.5**number > 1 - confidence:
        effect = max(effect, float(ndtri(power ** (1 / number))) * spread)
    return effect


def least_pairs(confidence: float, tests: int = 1) -> int:
    """Return from how many pairs on a rank test can tell, if all pairs agree."""
    return math.ceil(1 + math.log2(tests / (1 - confidence)) - 1e-9)


def _smallest(number: float, spread: float, confidence: float, power: float) -> float:
    if math.isnan(spread):
        return math.nan
    return smallest_effect(int(number), spread, confidence, power)


def _check(ratio: float, power: float) -> None:
    for name, value in (("ratio", ratio), ("power", power)):
        if isinstance(value, bool) or not isinstance(value, int | float | np.number):
            raise SpecError(f"{name} must be a number, got {value!r}")
    if not 0 < ratio < math.inf or ratio == 1:
        raise SpecError(f"ratio must be positive and not 1, such as 1.1, got {ratio!r}")
    if not 0 < power < 1:
        raise SpecError(f"power must be between 0 and 1, such as 0.8, got {power!r}")


def _normal(level: float) -> float:
    from scipy.special import ndtri

    return float(ndtri(level))
