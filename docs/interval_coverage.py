"""How often intervals that say 95 % hold the truth: the table of docs/statistics.md.

Run it with ``python docs/interval_coverage.py`` (some minutes). Each cell is the share of
1,000 draws of ``n`` seeds whose interval holds the number that it is of. The draws are the time
steps of one result, or of a study of two methods on four problems, so that what is simulated is the
public functions as they are called on results.
"""

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import xarray as xr
from scipy.special import ndtri

from apexr import analysis

DRAWS = 1000
DRAWS_OF_MANY = 1000
"""Of methods over many problems, each of which takes a study of its own."""
SEEDS = (3, 5, 10, 20)
DISTRIBUTIONS: dict[str, Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]] = {
    "normal": lambda rng, shape: rng.normal(10.0, 1.0, shape),
    "lognormal": lambda rng, shape: np.exp(rng.normal(0.0, 1.0, shape)),
}
MEAN = {"normal": 10.0, "lognormal": np.exp(0.5)}
MEDIAN = {"normal": 10.0, "lognormal": 1.0}
Z_80 = 0.8416212335729143
QUANTILE = {"normal": 10 + Z_80, "lognormal": np.exp(Z_80)}
PAGE = Path(__file__).with_name("statistics.md")
BEGIN, END = "<!-- coverage: made by interval_coverage.py -->", "<!-- end of coverage -->"


PROBLEMS = 4
"""Problems of the studies that methods are compared over."""
LEVELS = (np.arange(200_000) + 0.5) / 200_000
LOGS = {"normal": np.log(10 + ndtri(LEVELS)), "lognormal": ndtri(LEVELS)}
"""Quantiles of the logarithms of errors; the scores of a method are relative to the median."""


def over_scores(statistic: Callable[[np.ndarray], float]) -> dict[str, float]:
    """Return what a statistic is of infinitely many runs as good as the baseline's."""
    return {name: float(statistic(logs - np.median(logs))) for name, logs in LOGS.items()}


MANY: dict[str, tuple[Callable[..., xr.Dataset], dict[str, float]]] = {
    "`interquartile_mean`": (
        lambda study, **at: analysis.interquartile_mean(study, **at, num_resamples=999),
        over_scores(lambda scores: np.exp(scores[50_000:150_000].mean())),
    ),
    "`optimality_gap`": (
        lambda study, **at: analysis.optimality_gap(study, **at, num_resamples=999),
        over_scores(lambda scores: np.exp(np.maximum(scores, 0).mean())),
    ),
    "`performance_profile`": (
        lambda study, **at: analysis.performance_profile(
            study, **at, ratios=[1.0], num_resamples=999
        ).isel(ratio=0),
        over_scores(lambda scores: (scores < 0).mean()),
    ),
    "`probability_of_improvement`": (
        lambda study, baseline, time: analysis.probability_of_improvement(
            study, "method", baseline, time=time
        ).expand_dims(net=["method"]),
        dict.fromkeys(LOGS, 0.5),
    ),
}
"""Methods over several problems: the interval, and what it should hold."""


def study(values: np.ndarray) -> xr.Dataset:
    """Return draws ``(method, problem, seed, draw)`` as the errors of a study."""
    methods, problems, seeds, draws = values.shape
    nets = np.repeat(np.array(["method", "baseline"], dtype=object), problems)
    places = np.tile(np.array([f"p{p}" for p in range(problems)], dtype=object), methods)
    coords = {
        "experiment": [f"{row:032x}" for row in range(methods * problems)],
        "seed": range(seeds),
        "time": range(1, draws + 1),
        "net": ("experiment", nets),
        "scenario": ("experiment", places),
    }
    errors = values.reshape(methods * problems, seeds, draws)
    return xr.Dataset({"mean_nRMSE": (("experiment", "seed", "time"), errors)}, coords)


def coverage_of_many(
    name: str, distribution: str, seeds: int, draws: int = DRAWS_OF_MANY
) -> tuple[float, bool]:
    """Return what :func:`coverage` does, for a method as good as the baseline over all problems."""
    interval, truth = MANY[name]
    rng = np.random.default_rng([seeds, len(distribution), PROBLEMS])
    both = study(DISTRIBUTIONS[distribution](rng, (2, PROBLEMS, seeds, draws)))
    held, bounded = 0, False
    for time in both["time"].values.tolist():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = interval(both.sel(time=[time]), baseline="baseline", time=time)
        low, high = (float(found[end].sel(net="method")) for end in ("low", "high"))
        held += low <= truth[distribution] <= high
        bounded |= low > 0 or np.isfinite(high)
    return held / draws, bounded


def result(values: np.ndarray) -> xr.Dataset:
    """Return draws ``(seed, draw)`` as the errors of a result."""
    coords = {"seed": range(len(values)), "time": range(1, values.shape[1] + 1)}
    return xr.Dataset({"mean_nRMSE": (("seed", "time"), values)}, coords)


def cases() -> dict[str, tuple[Callable[..., xr.Dataset], dict[str, float]]]:
    """Return each interval: what gives it for two results, and what it should hold."""
    band, difference, ratio = (
        analysis.bootstrap_band,
        analysis.paired_difference,
        analysis.paired_ratio,
    )
    nothing, one, half = (dict.fromkeys(MEAN, value) for value in (0.0, 1.0, 0.5))
    found: dict[str, tuple[Callable[..., xr.Dataset], dict[str, float]]] = {
        "`bootstrap_band`": (lambda a, _: band(a), MEDIAN),
        "`bootstrap_band`, 80 % quantile": (lambda a, _: band(a, statistic=0.8), QUANTILE),
    }
    for method in ("percentile", "basic", "bca"):
        found[f"`bootstrap_band`, {method}"] = (_resampled(method, "median"), MEDIAN)
    for method in ("t", "percentile", "basic", "bca"):
        found[f"`bootstrap_band`, mean, {method}"] = (_resampled(method, "mean"), MEAN)
    return {
        **found,
        "`paired_difference`": (lambda a, b: difference(a, other=b), nothing),
        "`paired_difference`, mean": (
            lambda a, b: difference(a, other=b, statistic="mean"),
            nothing,
        ),
        "`paired_ratio`": (lambda a, b: ratio(a, other=b), one),
        "`paired_ratio`, median": (lambda a, b: ratio(a, other=b, statistic="median"), one),
        "`probability_better`": (lambda a, b: analysis.probability_better(a, other=b), half),
        "`probability_better`, paired": (
            lambda a, b: analysis.probability_better(a, other=b, paired=True),
            half,
        ),
    }


def _resampled(method: str, statistic: str) -> Callable[..., xr.Dataset]:
    options = {"method": method, "statistic": statistic, "num_resamples": 999}
    return lambda a, _: analysis.bootstrap_band(a, **options)


def coverage(name: str, distribution: str, seeds: int, draws: int = DRAWS) -> tuple[float, bool]:
    """Return the share of draws whose interval holds the truth, and whether it has bounds."""
    interval, truth = cases()[name]
    rng = np.random.default_rng([seeds, len(distribution)])
    a, b = (result(DISTRIBUTIONS[distribution](rng, (seeds, draws))) for _ in "ab")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of too few seeds: the table says it
        found = interval(a, b)
    low, high = found["low"].values, found["high"].values
    floor = 0.0 if "ratio" in name else -np.inf
    held = (low <= truth[distribution]) & (truth[distribution] <= high)
    return float(held.mean()), bool(((low > floor) | (high < np.inf)).any())


def table() -> str:
    """Return the table; a cell without an interval is a dash."""
    heads = [f"{distribution} {n}" for distribution in DISTRIBUTIONS for n in SEEDS]
    lines = ["| interval | " + " | ".join(heads) + " |", "| :--- |" + " ---: |" * len(heads)]
    for name in (*cases(), *MANY):
        simulated = coverage_of_many if name in MANY else coverage
        cells = []
        for distribution in DISTRIBUTIONS:
            for seeds in SEEDS:
                share, bounded = simulated(name, distribution, seeds)
                cells.append(f"{100 * share:.1f}" if bounded else "–")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
        print(lines[-1], flush=True)
    return "\n".join(lines)


def main() -> None:
    """Write the table into the page."""
    before, _, rest = PAGE.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}")


if __name__ == "__main__":
    main()
