"""Reading fields, and what else is too large for the index, out of many experiments.

Each experiment is opened once, whichever of its variables are asked for and in which order, and
only the chunks that are asked for are decoded. The labels are read once for all experiments of one
form, see ``_alike``.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from apexr.schema import trajectory_name
from apexr.store._alike import Member, read_member
from apexr.store._along_seed import along_seed
from apexr.store._files import digest
from apexr.store._layout import MANIFEST, unit_of
from apexr.store._place import Place
from apexr.store._read import open_plain
from apexr.store._source import source_of

_KEPT = 1024
"""Experiments that are kept open: some tens of kilobytes each."""


@dataclass(frozen=True)
class _Form:
    """What results of one form share: the labels of their dimensions, and what is plain.

    Attributes
    ----------
    coords
        The coordinates of dimensions.
    dims
        The dimensions of each variable.
    plain
        The variables of which the chunks can be decoded without Zarr.
    configs
        The config string of each metric.
    """

    coords: Mapping[str, np.ndarray]
    dims: Mapping[str, tuple[str, ...]]
    plain: frozenset[str]
    configs: Mapping[str, str]

    def stored_as(self, name: str, config: str | None) -> str | None:
        """Return what a variable is called here; None if there is none of that meaning.

        Of a metric, the errors per trajectory may be called as they usually are, and that name may
        be another metric's.
        """
        names = (name,) if config is None else (name, trajectory_name(config))
        meant = (n for n in names if n in self.dims and self.configs.get(n, config) == config)
        return next(meant, None)


class FieldReader:
    """Reads variables of the experiments of a study.

    Parameters
    ----------
    study
        Where the experiments lie.
    """

    def __init__(self, study: Place) -> None:
        self._study = study
        self._members: OrderedDict[str, tuple[str, Member]] = OrderedDict()
        self._forms: dict[str, _Form] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave what is open behind: another process opens what it needs."""
        return FieldReader, (self._study,)

    def __dask_tokenize__(self) -> str:
        """Return what tells readers of different studies apart."""
        return f"{type(self).__name__}:{self._study}"

    def read(
        self,
        units: Sequence[str],
        name: str,
        labels: Mapping[str, np.ndarray],
        config: str | None = None,
    ) -> np.ndarray | None:
        """Return a variable of one experiment at some labels; None if it has none of that meaning.

        Parameters
        ----------
        units
            The units that hold the parts of the experiment.
        name
            The variable.
        labels
            For each dimension the labels that are wanted; what the experiment lacks is NaN.
        config
            The config string of a metric.

        Raises
        ------
        StoreError
            If a file is missing or damaged.
        """
        opened = [(member, self._form(member)) for member in map(self._member, units)]
        held = [(member, form) for member, form in opened if form.stored_as(name, config)]
        if not held:
            return None
        member, form = min(held, key=_seeds)
        name = form.stored_as(name, config) or name
        dims = form.dims[name]
        if len(held) > 1 and "seed" in dims:
            return _at(along_seed([_part(*pair, name) for pair in held])[name], labels)
        values = _values(member, form, name)
        if all(np.array_equal(form.coords[dim], labels[dim]) for dim in dims):
            return values
        return _at(_part(member, form, name)[name], labels)

    def _member(self, unit: str) -> Member:
        """Return a unit that is open; what is published in its place since then is opened."""
        path = unit_of(self._study, unit)
        stamp = digest(source_of(path).read(MANIFEST))
        held = self._members.get(unit)
        if held is not None and held[0] == stamp:
            return held[1]
        member = read_member(path)
        self._members[unit] = (stamp, member)
        while len(self._members) > _KEPT:
            self._members.popitem(last=False)
        return member

    def _form(self, member: Member) -> _Form:
        form = self._forms.get(member.form)
        if form is None:
            form = self._forms[member.form] = _form_of(member)
        return form


def _form_of(member: Member) -> _Form:
    held = open_plain(member.unit)
    dims = {str(name): tuple(map(str, array.dims)) for name, array in held.data_vars.items()}
    coords = {str(dim): held[dim].values for dim in held.dims}
    plain = {name for name in dims if member.can_read(name, held[name])}
    configs = {n: str(held[n].attrs["config"]) for n in dims if "config" in held[n].attrs}
    return _Form(coords, dims, frozenset(plain), configs)


def _values(member: Member, form: _Form, name: str) -> np.ndarray:
    if name in form.plain:
        return member.read(name)
    return open_plain(member.unit)[name].values


def _part(member: Member, form: _Form, name: str) -> xr.Dataset:
    """Return one variable of one part of an experiment."""
    dims = form.dims[name]
    coords = {dim: form.coords[dim] for dim in dims}
    return xr.Dataset({name: (dims, _values(member, form, name))}, coords)


def _at(array: xr.DataArray, labels: Mapping[str, np.ndarray]) -> np.ndarray:
    return array.reindex({dim: labels[str(dim)] for dim in array.dims if dim in labels}).values


def _seeds(opened: tuple[Member, _Form]) -> list[int]:
    return list(opened[1].coords.get("seed", np.empty(0)))
