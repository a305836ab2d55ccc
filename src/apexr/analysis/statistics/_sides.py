"""Two sides of a comparison: experiments that differ in what is compared and in nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import xarray as xr

from apexr.analysis._selection import (
    STEP_DIMS,
    Better,
    Diverged,
    Labels,
    chosen_rows,
    config_rows,
    differing,
    entries,
    gather,
    in_one_chunk,
    label_rows,
    orientation,
    same_labels,
)
from apexr.errors import SpecError, warn

Data = xr.Dataset | xr.DataArray


@dataclass(frozen=True)
class Sides:
    """Entries (see :func:`entries`) of A and B, with the same seeds and steps."""

    a: xr.Dataset
    b: xr.Dataset
    names: tuple[str, str]
    better: Better

    @property
    def counts(self) -> dict[str, xr.DataArray]:
        """How many seeds each side has, how many diverged, and how many have no partner."""
        a, b = self.a, self.b
        either = {
            "num_a": (a["there"], "seeds of A"),
            "num_b": (b["there"], "seeds of B"),
            "num_diverged_a": (a["lost"], "seeds of A that diverged"),
            "num_diverged_b": (b["lost"], "seeds of B that diverged"),
            "num_only_a": (a["there"] & ~b["there"], "seeds that only A has"),
            "num_only_b": (b["there"] & ~a["there"], "seeds that only B has"),
        }
        return {
            name: flags.sum("seed").assign_attrs(long_name=label)
            for name, (flags, label) in either.items()
        }

    @property
    def attrs(self) -> dict[str, Any]:
        """Attributes of a comparison."""
        kept = {name: self.a.attrs[name] for name in ("variable", "config") if name in self.a.attrs}
        return {**kept, "a": self.names[0], "b": self.names[1], "better": self.better}


def two_sides(
    data: Data,
    variable: str,
    other: Data | None,
    diverged: Diverged,
    better: Better | None,
    select: Mapping[str, Any],
) -> Sides:
    """Return both sides of a comparison.

    Raises
    ------
    SpecError
        If it does not say which experiments to compare.
    """
    pairs = {name: value for name, value in select.items() if _is_pair(value)}
    if (other is None) == (not pairs):
        raise SpecError(
            "say what to compare: either a label with two values, such as net=('FNO;12;8;4;gelu',"
            " 'Conv;26;10;relu'), or another result as other="
        )
    a = entries(data, variable, diverged, better)
    b = a if other is None else entries(other, variable, diverged, better)
    direction = orientation(xr.DataArray(name=a.attrs["variable"], attrs=a.attrs), better)
    if other is not None:
        return _of_two_results(a, b, select, direction)
    return _of_a_study(a, select, pairs, direction)


def _is_pair(value: object) -> bool:
    return isinstance(value, tuple | list)


def _of_two_results(a: xr.Dataset, b: xr.Dataset, select: Mapping[str, Any], way: Better) -> Sides:
    singles = [_single(side, select, name) for side, name in ((a, "the data"), (b, "other="))]
    rows = [config_rows(one)[0] for one in singles]
    shared = [name for name in rows[0] if name in rows[1]]
    different = [name for name in shared if rows[0][name] != rows[1][name]]
    names = tuple(", ".join(str(row[n]) for n in different) for row in rows)
    common = {name: rows[0][name] for name in shared if name not in different}
    a, b = (one.drop_vars(set(one.coords) - set(one.dims)).assign_coords(common) for one in singles)
    return _aligned(a, b, (names[0] or "A", names[1] or "B"), way)


def _single(entered: xr.Dataset, select: Mapping[str, Any], what: str) -> xr.Dataset:
    if "experiment" not in entered.dims:
        return entered
    found = chosen_rows(label_rows(entered, list(select)), _each(select))
    if len(found) != 1:
        raise SpecError(
            f"{what} holds {len(found)} experiments; to compare two results give one each, or"
            " compare within a study: net=(A, B)"
        )
    return entered.isel(experiment=found[0]).drop_vars("experiment", errors="ignore")


def _of_a_study(
    entered: xr.Dataset, select: Mapping[str, Any], pairs: Mapping[str, Any], way: Better
) -> Sides:
    for name, value in pairs.items():
        if len(value) != 2 or value[0] == value[1]:
            raise SpecError(f"{name} must be two different values, got {value!r}")
    if "experiment" not in entered.dims:
        raise SpecError("a single result has nothing to compare; give other=, or a study")
    wanted = [{n: v[i] if n in pairs else v for n, v in select.items()} for i in (0, 1)]
    rows = label_rows(entered, list(select))
    keys = config_rows(entered, without=list(pairs))
    found = [_by_key(chosen_rows(rows, _each(side)), keys) for side in wanted]
    shared = _partners(found, wanted)
    keys = [dict(key) for key in shared]
    a, b = (
        _along_comparison(gather(entered, {k: side[k] for k in shared}, str(labels)), keys)
        for side, labels in zip(found, wanted, strict=True)
    )
    names = tuple(", ".join(str(value[i]) for value in pairs.values()) for i in (0, 1))
    return _aligned(a, b, (names[0], names[1]), way)


def _each(wanted: Mapping[str, Any]) -> dict[str, list[Any]]:
    return {name: [value] for name, value in wanted.items()}


def _by_key(found: Sequence[int], keys: Sequence[Labels]) -> dict[Any, list[int]]:
    groups: dict[Any, list[int]] = {}
    for index in found:
        groups.setdefault(tuple(keys[index].items()), []).append(index)
    return groups


def _partners(found: Sequence[Mapping[Any, Any]], wanted: Sequence[Labels]) -> list[Any]:
    """Return the keys that both sides have; warns of experiments without a partner."""
    shared = [key for key in found[0] if key in found[1]]
    if not shared:
        here, there = (dict(next(iter(side), ())) for side in found)
        apart = [n for n in here if here[n] != there.get(n)]
        raise SpecError(
            f"no experiment with {wanted[0]} agrees with one with {wanted[1]} in the other labels;"
            f" they differ in {', '.join(apart) or 'all'}: name these as pairs too"
        )
    alone = len(set(found[0]) ^ set(found[1]))
    if alone:
        warn(f"{alone} experiments have no partner on the other side and are not compared")
    return shared


def _along_comparison(side: xr.Dataset, keys: Sequence[Labels]) -> xr.Dataset:
    """Return one side along ``comparison``, labeled by what its comparisons differ in."""
    coords = [n for n, c in side.coords.items() if "experiment" in c.dims or c.dims == ()]
    bare = side.drop_vars(coords).rename(experiment="comparison")
    if len(keys) == 1:
        return bare.isel(comparison=0).assign_coords(keys[0])
    apart = differing(keys)
    common = {name: value for name, value in keys[0].items() if name not in apart}
    labels = {name: ("comparison", [key[name] for key in keys]) for name in apart}
    return bare.assign_coords({**common, **labels})


def _aligned(a: xr.Dataset, b: xr.Dataset, names: tuple[str, str], way: Better) -> Sides:
    """Return both sides with all seeds of either, and the steps that both have.

    Raises
    ------
    SpecError
        If they differ in other labels, or share no step.
    """
    for dim in (dim for dim in a["value"].dims if dim in b["value"].dims and dim != "seed"):
        if dim in STEP_DIMS and (not a[dim].isin(b[dim]).any()):
            raise SpecError(f"the two sides have no {dim} in common; select the same of both")
        if dim not in STEP_DIMS and not same_labels(a, b, dim):
            raise SpecError(
                f"the two sides differ in their labels along {dim!r}; select the same of both, or"
                " name a variable without that dimension"
            )
    a, b = xr.align(a, b, join="inner", exclude=["seed"])
    filling = {"value": float("nan"), "there": False, "lost": False}
    a, b = xr.align(a, b, join="outer", fill_value=filling)
    a, b = (side.map(in_one_chunk, dim="seed") for side in (a, b))
    return Sides(a, b, names, way)
