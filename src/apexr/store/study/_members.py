"""Experiments of one form, of which the metadata alone are read at first.

Most experiments of a study differ in their numbers alone: their arrays have the same metadata
and the same labels. One of them is opened as usual; of the others only the chunks are decoded,
which takes a tenth of the time. Variables that are too large for that stay in the experiments.
"""

import math
from collections.abc import Mapping, MutableMapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from apexr._files._durable import canonical_json, digest, parse_json
from apexr._files._layout import METADATA, ORDER, WEIGHTS
from apexr.errors import StoreError
from apexr.schema import CONFIG_COORDS, COORDINATES, SCHEMA_VERSION
from apexr.store.study._join import agreed
from apexr.store.unit._manifest import Unit
from apexr.store.unit._zarr import CODECS, CheckedStore, checked_store

# --- reading them together -----------------------------------------------------------------------

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


# --- what stays in the experiments ---------------------------------------------------------------


@dataclass(frozen=True)
class Deferred:
    """Facts about a variable that is left in the experiments.

    Parameters
    ----------
    dims, dtype, attrs
        As in an experiment.
    count
        How many experiments have it.
    """

    dims: tuple[str, ...]
    dtype: str
    attrs: dict[str, Any] = field(default_factory=dict)
    count: int = 1

    def merged(self, other: "Deferred | None") -> "Deferred":
        """Return what holds for the variable of both; the first one's attributes that agree."""
        if other is None:
            return self
        dtype = np.result_type(np.dtype(self.dtype), np.dtype(other.dtype)).str
        attrs = {k: v for k, v in other.attrs.items() if self.attrs.get(k) == v}
        return Deferred(other.dims, dtype, attrs, self.count + other.count)

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON-able data."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Deferred":
        """Return what :meth:`as_json` has written."""
        return cls(tuple(data["dims"]), data["dtype"], dict(data["attrs"]), data["count"])


def deferred_of(large: xr.Dataset, known: MutableMapping[str, Deferred]) -> None:
    """Add what one experiment holds to what is known of the variables."""
    for name, array in large.data_vars.items():
        dims = tuple(str(dim) for dim in array.dims)
        entry = Deferred(dims, array.dtype.str, dict(array.attrs))
        known[str(name)] = entry.merged(known.get(str(name)))
