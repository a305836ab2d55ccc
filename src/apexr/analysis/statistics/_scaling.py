"""How errors fall with data, parameters or cost: power laws, with or without a floor.

The logarithms of the errors of all runs are fitted with Huber's loss, from several starts.
Intervals come from resampling seeds within each size. The forms are those of J. Hoffmann et al.
(2022), Training compute-optimal large language models, arXiv:2203.15556, section 3.3.
"""

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import xarray as xr

from apexr.analysis._selection import (
    choose,
    config_rows,
    entries,
    keyword_rows,
    label_rows,
    orientation,
    read_labels,
)
from apexr.analysis.statistics._aggregates import over_time
from apexr.analysis.statistics._intervals import check_confidence, check_resampling
from apexr.errors import MissingVariableError, SpecError, suggest
from apexr.schema import CONFIG_COORDS

Form = Literal["power", "power_floor", "two"]

LEAST_SIZES = 4
"""Sizes from which on an exponent can be identified."""
NUM_RESAMPLES = 400
_HUBER = 1.345
"""In standard deviations: 95 % efficient where errors are lognormal."""
_BEYOND = 50.0
"""How far, in logarithms, a diverged run lies above the others: any such number pulls as hard."""
_PARAMETERS: Mapping[Form, tuple[str, ...]] = {
    "power": ("A", "alpha"),
    "power_floor": ("A", "alpha", "E"),
    "two": ("A", "alpha", "E", "B", "beta"),
}
_FOLLOW: Mapping[str, tuple[str, ...]] = {
    "num_train_samples": ("num_train_samples", "subset_of"),
    "num_parameters": ("net",),
    "train_flops": ("net", "optim_config", "num_train_samples", "subset_of"),
    "train_seconds": ("net", "optim_config", "num_train_samples", "subset_of"),
}
"""Labels that differ along a curve, by its axis."""


@dataclasses.dataclass(frozen=True)
class Curve:
    """The runs of one curve.

    Attributes
    ----------
    labels
        Labels that all its experiments have in common.
    sizes
        The size of each run, ``(axis, run)``.
    logs
        The logarithm of its error; infinite where it diverged.
    """

    labels: Mapping[str, Any]
    sizes: np.ndarray
    logs: np.ndarray

    @property
    def groups(self) -> list[np.ndarray]:
        """The places of the runs of each size, in order of size."""
        _, at = np.unique(self.sizes, axis=1, return_inverse=True)
        at = at.ravel()
        return [np.flatnonzero(at == group) for group in range(int(np.max(at)) + 1)]


def scaling_fit(
    data: xr.Dataset,
    *,
    x: str | Sequence[str] = "num_train_samples",
    variable: str = "mean_nRMSE",
    form: str = "power",
    by: str | Sequence[str] | None = None,
    time: int | None = None,
    confidence: float = 0.95,
    num_resamples: int = NUM_RESAMPLES,
    random_seed: int = 0,
) -> xr.Dataset:
    """Return how an error falls with a size: the parameters of a power law, with intervals.

    Parameters
    ----------
    data
        A study whose experiments differ in the size. It is computed.
    x
        The size ``n``: ``"num_train_samples"``, ``"num_parameters"``, ``"train_flops"``,
        ``"train_seconds"``, or any other number that the results or the keywords of their
        scenarios have. For ``form="two"`` two of them, ``n`` and ``d``.
    variable
        Name or config string of an error or a loss.
    form
        ``"power"``: ``A n^-alpha``. ``"power_floor"``: ``E + A n^-alpha``. ``"two"``:
        ``E + A n^-alpha + B d^-beta``.
    by
        Labels that tell curves apart; by default all that differ besides the size.
    time
        The time step; by default the geometric mean over all steps.
    confidence, num_resamples, random_seed
        Level of the intervals, resamples of the seeds within each size, and their seed.

    Returns
    -------
    Along ``curve``, with its labels as coordinates: ``A``, ``alpha`` and, by the form, ``E``,
    ``B``, ``beta``, each with ``…_low`` and ``…_high``; ``identified``: whether the interval of
    ``alpha`` is above 0 and there are at least four sizes; ``spread``: the standard deviation of
    the logarithms among seeds of a size; ``aicc`` and, but for ``"two"``, ``aicc_other``: the
    corrected Akaike criterion of this form and of the other one, with and without a floor, the
    smaller the better; ``num_sizes``, ``num_runs``, ``num_diverged``.

    A diverged run counts as far above all others: it pulls as hard as an outlier can, and no
    harder. Where at least half of the runs of a size diverged there is no law, and all is NaN.

    Raises
    ------
    SpecError
        If an argument means nothing, all experiments have one size, or there are fewer sizes
        than parameters.
    MissingVariableError
        If there is no such variable, size or label, listing what there is.

    Notes
    -----
    Intervals are percentiles of the bootstrap, widened about the estimate by
    ``√(m / (m - 1))`` for ``m`` seeds a size, by which resampling so few understates the spread,
    and by the quantile of Student's distribution over the normal one.

    Examples
    --------
    >>> fit = apexr.analysis.scaling_fit(study, x="num_train_samples", form="power_floor")
    >>> fit[["alpha", "alpha_low", "alpha_high", "identified"]].to_dataframe()
    """
    choose("form", form, Form)
    check_confidence(confidence)
    check_resampling(num_resamples, random_seed)
    chosen: Any = form
    fits = [
        _fitted(curve, chosen, confidence, num_resamples, random_seed)
        for curve in read_curves(data, x, variable, chosen, by, time)
    ]
    names = list(fits[0][1])
    labels = {
        name: ("curve", np.array([str(fit[0][name]) for fit in fits], dtype=object))
        for name in fits[0][0]
    }
    parts = {name: ("curve", np.array([fit[1][name] for fit in fits])) for name in names}
    said = {
        "x": ", ".join(_axes(x, chosen)),
        "variable": variable,
        "form": form,
        "confidence": confidence,
        "time": "geometric mean over all steps" if time is None else f"step {time}",
    }
    return xr.Dataset(parts, {"curve": np.arange(len(fits)), **labels}, said)


def value_of(parameters: Mapping[str, float], sizes: np.ndarray) -> np.ndarray:
    """Return the law at sizes ``(axis, place)``, from its parameters by name."""
    with np.errstate(over="ignore", divide="ignore"):
        law = parameters["A"] * sizes[0] ** -parameters["alpha"]
        if "B" in parameters:
            law = law + parameters["B"] * sizes[1] ** -parameters["beta"]
    return np.asarray(law + parameters.get("E", 0.0))


# --- runs ------------------------------------------------------------------------------------


def read_curves(
    data: xr.Dataset,
    x: str | Sequence[str],
    variable: str,
    form: Form,
    by: str | Sequence[str] | None,
    time: int | None,
) -> list[Curve]:
    """Return the runs of each curve.

    Raises
    ------
    SpecError
        If there is no study, no error, or a curve has too few sizes.
    MissingVariableError
        If there is no such variable, size or label.
    """
    if not isinstance(data, xr.Dataset) or "experiment" not in data.dims:
        raise SpecError("a law needs the experiments of a study; open one by apexr.open_study")
    axes = _axes(x, form)
    entered = entries(data, variable)
    named = xr.DataArray(name=entered.attrs["variable"], attrs=entered.attrs)
    if orientation(named, None) != "lower":
        raise SpecError(f"{variable} is no error: high values are the good ones; give an error")
    sizes = np.stack([_sizes(data, name, entered.sizes["seed"]) for name in axes])
    logs = over_time(entered, time)
    keys = _keys(data, axes, by)
    curves = []
    for key in dict.fromkeys(keys):
        rows = [row for row, other in enumerate(keys) if other == key]
        there = ~np.isnan(logs[rows])
        own = sizes[:, rows][:, there]
        if not (np.isfinite(own) & (own > 0)).all():
            raise SpecError(
                f"{' and '.join(axes)} must be positive in every run"
                + (f" of {_named(key)}" if key else "")
                + "; results of earlier versions may not hold it"
            )
        curves.append(Curve(dict(key), own, logs[rows][there]))
    _check_sizes(curves, axes, form)
    return curves


def _axes(x: str | Sequence[str], form: Form) -> tuple[str, ...]:
    axes = (x,) if isinstance(x, str) else tuple(x)
    wanted = 2 if form == "two" else 1
    if len(axes) != wanted:
        words = "two different sizes" if wanted == 2 else "one size"
        raise SpecError(f"form={form!r} takes {words} as x, got {x!r}")
    if len(set(axes)) < wanted:
        raise SpecError(f"form={form!r} takes two different sizes as x, got {x!r}")
    return axes


def _sizes(data: xr.Dataset, name: str, num_seeds: int) -> np.ndarray:
    """Return a size of each run, ``(experiment, seed)``."""
    shape = (data.sizes["experiment"], num_seeds)
    if name in data.variables:
        found = data[name]
        if found.dtype.kind not in "iuf" or not set(found.dims) <= {"experiment", "seed"}:
            raise SpecError(f"x must be a number of each run, and {name} is none")
        order = [dim for dim in ("experiment", "seed") if dim in found.dims]
        values = np.asarray(read_labels(found.transpose(*order)), float)
        if order == ["experiment"]:
            values = values[:, None]
        return np.array(np.broadcast_to(values, shape))
    rows = [row.get(name) for row in keyword_rows(data)]
    known = sorted({key for row in keyword_rows(data) for key in row})
    if all(value is None for value in rows):
        listed = [*(str(n) for n in data.data_vars), *known]
        raise MissingVariableError(
            f"no size {name!r} in these results; there is {', '.join(listed)}"
            + suggest(name, listed)
        )
    numbers = [value if isinstance(value, int | float) else np.nan for value in rows]
    return np.array(np.broadcast_to(np.asarray(numbers, float)[:, None], shape))


def _keys(
    data: xr.Dataset, axes: Sequence[str], by: str | Sequence[str] | None
) -> list[tuple[tuple[str, Any], ...]]:
    """Return what tells the curve of each experiment from the others."""
    if by is not None:
        names = (by,) if isinstance(by, str) else tuple(by)
        return [tuple(row.items()) for row in label_rows(data, names)]
    along = {label for axis in axes for label in _FOLLOW.get(axis, (axis,))}
    rows = config_rows(data, without=list(along))
    return [tuple((name, row[name]) for name in CONFIG_COORDS if name in row) for row in rows]


def _named(key: Sequence[tuple[str, Any]]) -> str:
    return ", ".join(f"{name} {value}" for name, value in key)


def _check_sizes(curves: Sequence[Curve], axes: Sequence[str], form: Form) -> None:
    for curve in curves:
        for axis, values in zip(axes, curve.sizes, strict=True):
            if np.unique(values).size < 2:
                where = f" for {_named(tuple(curve.labels.items()))}" if curve.labels else ""
                raise SpecError(
                    f"all runs have one {axis}{where}: a law needs experiments of several; if the"
                    " experiments of one curve differ in other labels too, name those that tell"
                    " curves apart as by="
                )
        least = len(_PARAMETERS[form])
        if len(curve.groups) < least:
            raise SpecError(
                f"form={form!r} has {least} parameters and needs as many sizes, got"
                f" {len(curve.groups)}"
            )


# --- the fit ---------------------------------------------------------------------------------


def _fitted(
    curve: Curve, form: Form, confidence: float, num_resamples: int, random_seed: int
) -> tuple[Mapping[str, Any], dict[str, Any]]:
    """Return the labels of a curve, and all numbers about it."""
    names = _PARAMETERS[form]
    groups = curve.groups
    lost = np.isinf(curve.logs)
    counted = {
        "num_sizes": len(groups),
        "num_runs": len(curve.logs),
        "num_diverged": int(lost.sum()),
    }
    if (
        any(2 * lost[group].sum() >= len(group) for group in groups)
        or np.isneginf(curve.logs).any()
    ):
        keys = [f"{name}{end}" for name in names for end in ("", "_low", "_high")]
        keys += ["spread", "aicc", *([] if form == "two" else ["aicc_other"])]
        return curve.labels, {**dict.fromkeys(keys, np.nan), "identified": False, **counted}
    spread = _spread(curve.logs, groups)
    logs = np.where(lost, curve.logs[~lost].max() + _BEYOND, curve.logs)
    law = _Law(form, curve.sizes, spread)
    best, loss = law.fit(logs)
    rng = np.random.default_rng(random_seed)
    drawn = np.empty((num_resamples, len(names)))
    for row in range(num_resamples):
        places = [group[rng.integers(0, len(group), len(group))] for group in groups]
        again = logs.copy()
        again[np.concatenate(groups)] = logs[np.concatenate(places)]
        drawn[row] = law.fit(again, [best])[0]
    bounds = _widened(best, drawn, groups, confidence)
    found: dict[str, Any] = {}
    for place, name in enumerate(names):
        for end, value in (("", best), ("_low", bounds[0]), ("_high", bounds[1])):
            number = value[place] if name in ("alpha", "beta") else np.exp(value[place])
            found[f"{name}{end}"] = float(number)
    found["identified"] = bool(
        found["alpha_low"] > 0 and np.unique(curve.sizes[0]).size >= LEAST_SIZES
    )
    found["spread"] = spread
    found["aicc"] = _aicc(loss, len(names), len(logs))
    if form != "two":
        other: Form = "power_floor" if form == "power" else "power"
        more = len(_PARAMETERS[other])
        enough = len(groups) >= more
        loss = _Law(other, curve.sizes, spread).fit(logs)[1] if enough else np.inf
        found["aicc_other"] = _aicc(loss, more, len(logs))
    return curve.labels, {**found, **counted}


def _spread(logs: np.ndarray, groups: Sequence[np.ndarray]) -> float:
    """Return the standard deviation of logarithms within a size, from their absolute deviations.

    Diverged runs are far off, and hardly change a median.
    """
    several = [group for group in groups if len(group) > 1]
    if not several:
        return 0.1
    with np.errstate(invalid="ignore"):
        off = [
            np.abs(logs[group] - np.median(logs[group])) * np.sqrt(len(group) / (len(group) - 1))
            for group in several
        ]
    return max(1.4826 * float(np.median(np.concatenate(off))), 1e-6)


def _aicc(loss: float, num_parameters: int, num_runs: int) -> float:
    """Return Akaike's criterion, corrected for few runs, of Huber's loss in units of the spread."""
    left = num_runs - num_parameters - 1
    if left <= 0:
        return float("inf")
    return 2 * loss + 2 * num_parameters * num_runs / left


def _widened(
    best: np.ndarray, drawn: np.ndarray, groups: Sequence[np.ndarray], confidence: float
) -> np.ndarray:
    """Return both ends of the intervals, see the notes of :func:`scaling_fit`."""
    from scipy.special import ndtri, stdtrit

    counts = np.array([len(group) for group in groups])
    left = float((counts - 1).sum())
    if left == 0:  # one seed a size: nothing to resample
        return np.stack([np.full_like(best, -np.inf), np.full_like(best, np.inf)])
    level = (1 + confidence) / 2
    factor = np.sqrt(counts.sum() / left) * float(stdtrit(left, level) / ndtri(level))
    ends = np.quantile(drawn, [1 - level, level], axis=0)
    return np.asarray(best + factor * (ends - best))


class _Law:
    """A form, fitted to logarithms of errors at given sizes.

    Parameters are logarithms of ``A``, ``E`` and ``B``, and the exponents; within the fit sizes
    are taken relative to their geometric mean, so that amplitude and exponent are hardly
    correlated.
    """

    def __init__(self, form: Form, sizes: np.ndarray, spread: float) -> None:
        self.form = form
        logs = np.log(sizes)
        self.center = logs.mean(axis=1)
        self.offset = logs - self.center[:, None]
        self.spread = spread

    def fit(
        self, logs: np.ndarray, starts: Sequence[np.ndarray] | None = None
    ) -> tuple[np.ndarray, float]:
        """Return the best parameters and their loss, from given starts or from several."""
        from scipy.optimize import least_squares

        begins = self._starts(logs) if starts is None else [self._inner(one) for one in starts]
        found = [
            least_squares(
                lambda p: (self.value(p) - logs) / self.spread,
                begin,
                jac=lambda p: self.slopes(p) / self.spread,
                loss="huber",
                f_scale=_HUBER,
                max_nfev=200,
            )
            for begin in begins
        ]
        best = min(found, key=lambda one: one.cost)
        return self._outer(best.x), float(best.cost)

    def value(self, p: np.ndarray) -> np.ndarray:
        """Return the logarithms of the law."""
        from scipy.special import logsumexp

        return np.asarray(logsumexp(self._terms(p), axis=0))

    def slopes(self, p: np.ndarray) -> np.ndarray:
        """Return the derivatives of :meth:`value`, ``(run, parameter)``."""
        from scipy.special import softmax

        shares = softmax(self._terms(p), axis=0)
        columns = [shares[0], -shares[0] * self.offset[0]]
        if self.form != "power":
            columns.append(shares[1])
        if self.form == "two":
            columns += [shares[2], -shares[2] * self.offset[1]]
        return np.stack(columns, axis=1)

    def _terms(self, p: np.ndarray) -> np.ndarray:
        terms = [p[0] - p[1] * self.offset[0]]
        if self.form != "power":
            terms.append(np.full(self.offset.shape[1], p[2]))
        if self.form == "two":
            terms.append(p[3] - p[4] * self.offset[1])
        return np.stack(terms)

    def _starts(self, logs: np.ndarray) -> list[np.ndarray]:
        middle, low = float(np.median(logs)), float(np.min(logs))
        exponents = (0.1, 0.5, 1.5)
        if self.form == "power":
            return [np.array([middle, exponent]) for exponent in exponents]
        floors = (low - 0.1, low - 2.0)
        if self.form == "power_floor":
            return [np.array([middle, *pair]) for pair in itertools.product(exponents, floors)]
        return [
            np.array([middle - 0.7, a, e, middle - 0.7, b])
            for a, e, b in itertools.product(exponents[:2], floors, exponents[:2])
        ]

    def _outer(self, p: np.ndarray) -> np.ndarray:
        """Return parameters for sizes as they are."""
        q = p.copy()
        q[0] += p[1] * self.center[0]
        if self.form == "two":
            q[3] += p[4] * self.center[1]
        return q

    def _inner(self, q: np.ndarray) -> np.ndarray:
        p = q.copy()
        p[0] -= q[1] * self.center[0]
        if self.form == "two":
            p[3] -= q[4] * self.center[1]
        return p
