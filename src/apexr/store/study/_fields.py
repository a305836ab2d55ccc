"""Reading fields, and what else is too large for the index, out of many experiments.

Most experiments of a study differ in their numbers alone: their arrays have the same metadata
and the same labels. One of them is opened as usual; of the others only the chunks are decoded,
which takes a tenth of the time. Each experiment is opened once, whichever of its variables are
asked for and in which order.
"""

import math
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from apexr.errors import StoreError
from apexr.schema import CONFIG_COORDS, COORDINATES, SCHEMA_VERSION, trajectory_name
from apexr.store.files._files import canonical_json, digest, parse_json
from apexr.store.files._layout import MANIFEST, METADATA, ORDER, WEIGHTS
from apexr.store.study._join import agreed, along_seed
from apexr.store.study._study import Study
from apexr.store.unit._manifest import Unit
from apexr.store.unit._read import checked_store, open_plain
from apexr.store.unit._source import source_of
from apexr.store.unit._zarr import CODECS, CheckedStore

# --- experiments of one form ---------------------------------------------------------------------

_CODECS = ["bytes", *(codec.to_dict()["name"] for codec in CODECS)]
_FORMS = 256
"""Forms of which the metadata are kept, so that members of one form share them."""

Node = Mapping[str, Any]
"""The metadata of one array."""


@dataclass(frozen=True)
class Member:
    """A result of which the metadata alone have been read.

    Attributes
    ----------
    unit
        The open unit.
    config, attrs
        Its labels.
    nodes
        The metadata of its arrays, by name; what is filled in where chunks are missing is that of
        ``fills``.
    fills
        By name, what its own arrays are filled with.
    store
        Its files.
    version
        The version of the schema.
    form
        Digest of what it shares with those that are read together with it.
    """

    unit: Unit
    config: Mapping[str, str]
    attrs: Mapping[str, Any]
    nodes: Mapping[str, Node]
    fills: Mapping[str, Any]
    store: CheckedStore
    version: int
    form: str

    def read(self, name: str) -> np.ndarray:
        """Return the numbers of an array; see the Zarr specification, version 3."""
        node = self.nodes[name]
        shape, chunk = node["shape"], node["chunk_grid"]["configuration"]["chunk_shape"]
        dtype = np.dtype(node["data_type"]).newbyteorder("<")
        fill = self.fills[name]
        order = _order(node)
        separator = node["chunk_key_encoding"]["configuration"]["separator"]
        values = np.full(shape, float(fill) if isinstance(fill, str) else fill, dtype)
        for index in np.ndindex(*(-(-n // c) for n, c in zip(shape, chunk, strict=True))):
            key = f"{name}/{separator.join(('c', *map(str, index)))}"
            if key in self.store.files:  # else it holds nothing but the fill value
                block = np.frombuffer(self.store.checked(key), dtype)
                place = tuple(slice(i * c, (i + 1) * c) for i, c in zip(index, chunk, strict=True))
                within = tuple(slice(0, n) for n in values[place].shape)
                stored = block.reshape([chunk[axis] for axis in order])
                values[place] = stored.transpose(np.argsort(order))[within]
        return values

    def can_read(self, name: str, array: xr.DataArray) -> bool:
        """Tell whether :meth:`read` gives the numbers that xarray gives, in which ``array`` is."""
        node = self.nodes[name]
        kind = node["data_type"]
        return self.version == SCHEMA_VERSION and kind != "string" and np.dtype(kind) == array.dtype


def _order(node: Node) -> list[int]:
    """Return the order in which the axes of an array are stored."""
    first = node["codecs"][0]
    if first["name"] == "transpose":
        return [int(axis) for axis in first["configuration"]["order"]]
    return list(range(len(node["shape"])))


def read_member(unit: Unit) -> Member:
    """Return a result with its metadata read.

    Raises
    ------
    StoreError
        If its metadata are damaged; its other files are checked when they are read.
    """
    manifest = unit.manifest
    store = checked_store(unit)
    root = parse_json(str(unit.place), store.content(METADATA))
    described = root["consolidated_metadata"]["metadata"]
    nodes = {n: node for n, node in described.items() if n.partition("/")[0] != WEIGHTS}
    shared = _coordinates(root, nodes) - {*CONFIG_COORDS}
    labels = {
        key: entry["blake2b"]
        for key, entry in store.files.items()
        if key.partition("/")[0] in shared
    }
    fills = {name: node["fill_value"] for name, node in nodes.items()}
    bare = {n: node if n in shared else {**node, "fill_value": None} for n, node in nodes.items()}
    told = canonical_json(
        {"nodes": bare, "labels": labels, "version": manifest["schema_version"]}
        | {"order": root["attributes"].get(ORDER), "config": sorted(manifest["config"])}
    )
    form = digest(told.encode())
    attrs = {key: value for key, value in root["attributes"].items() if key != ORDER}
    version = manifest["schema_version"]
    return Member(unit, manifest["config"], attrs, _shared(form, bare), fills, store, version, form)


def _shared(form: str, nodes: Mapping[str, Node]) -> Mapping[str, Node]:
    """Return the metadata of a form, the same object for all members of it."""
    if len(_known) >= _FORMS:
        _known.clear()
    return _known.setdefault(form, nodes)


_known: dict[str, Mapping[str, Node]] = {}


def _coordinates(root: Node, nodes: Mapping[str, Node]) -> set[str]:
    told = [node.get("attributes", {}).get("coordinates", "") for node in (root, *nodes.values())]
    indexes = {name for name, node in nodes.items() if node.get("dimension_names") == [name]}
    return indexes.union(*(text.split() for text in told))


def of_one_form(members: Mapping[str, Member]) -> list[dict[str, Member]]:
    """Return members, by the id of the experiment, in groups that can be read together."""
    groups: dict[str, dict[str, Member]] = {}
    for name, member in members.items():
        groups.setdefault(member.form, {})[name] = member
    return list(groups.values())


def can_stack(first: Member, small: xr.Dataset) -> bool:
    """Tell whether the chunks of these variables can be decoded without Zarr."""
    return all(
        first.can_read(str(name), array)
        and [codec["name"] for codec in first.nodes[str(name)]["codecs"]] == _CODECS
        and math.prod(array.shape) > 0
        for name, array in small.data_vars.items()
    )


def stacked(members: Mapping[str, Member], small: xr.Dataset, damaged: list[str]) -> xr.Dataset:
    """Return some variables of members of one form along ``experiment``.

    Parameters
    ----------
    members
        The results, by the id of the experiment.
    small
        The variables of the first of them; the others have the same labels.
    damaged
        Takes what is wrong with members that cannot be read; they are left out.
    """
    values: dict[str, dict[str, np.ndarray]] = {}
    for name, member in members.items():
        try:
            values[name] = {str(v): member.read(str(v)) for v in small.data_vars}
        except StoreError as error:
            damaged.append(str(error))
    names = list(values)
    variables = {
        variable: xr.Variable(
            ("experiment", *array.dims),
            np.stack([values[name][str(variable)] for name in names]),
            array.attrs,
        )
        for variable, array in small.data_vars.items()
    }
    config = {
        key: xr.Variable(
            "experiment", np.array([members[n].config[key] for n in names], object), coord.attrs
        )
        for key, coord in small.coords.items()
        if key in CONFIG_COORDS
    }
    ids = xr.Variable("experiment", np.array(names, object), COORDINATES["experiment"].attrs)
    bare = small.drop_vars([*small.data_vars, *config])
    rows = bare.assign_coords({"experiment": ids, **config}).assign(variables)
    return rows.drop_attrs(deep=False).assign_attrs(agreed([members[n].attrs for n in names]))


# --- fields --------------------------------------------------------------------------------------

_KEPT = 1024
"""Experiments that are kept open: some tens of kilobytes each."""


@dataclass(frozen=True)
class _Form:
    """The common part of results of one form: labels of dimensions, and plain variables.

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

    def __init__(self, study: Study) -> None:
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
        path = self._study.unit(unit)
        stamp = digest(source_of(path).read(MANIFEST))
        held = self._members.get(unit)
        if held is not None and held[0] == stamp:
            return held[1]
        member = read_member(Unit.open(path))
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
