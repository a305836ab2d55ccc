"""Reading variables of many results of one form.

Most experiments of a study differ in their numbers alone: their arrays have the same metadata and
the same labels. One of them is opened as usual; of the others only the chunks are decoded, which
takes a tenth of the time.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from apexr.errors import StoreError
from apexr.schema import CONFIG_COORDS, COORDINATES, SCHEMA_VERSION
from apexr.store._files import canonical_json, digest, parse_json
from apexr.store._join import agreed
from apexr.store._layout import METADATA, ORDER, WEIGHTS
from apexr.store._manifest import read_manifest
from apexr.store._place import Place
from apexr.store._read import checked_store
from apexr.store._zarr import CODECS, CheckedStore

_CODECS = ["bytes", *(codec.to_dict()["name"] for codec in CODECS)]
_SCALED = {"scale_factor", "add_offset", "missing_value", "_Unsigned"}
"""Attributes by which xarray makes other numbers of those that are stored; apexr writes none."""
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
        Where it lies.
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

    unit: Place
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
        return (
            self.version == SCHEMA_VERSION
            and kind != "string"
            and np.dtype(kind) == array.dtype
            and not _SCALED & node.get("attributes", {}).keys()
        )


def _order(node: Node) -> list[int]:
    """Return the order in which the axes of an array are stored."""
    first = node["codecs"][0]
    if first["name"] == "transpose":
        return [int(axis) for axis in first["configuration"]["order"]]
    return list(range(len(node["shape"])))


def read_member(unit: Place) -> Member:
    """Return a result with its metadata read.

    Raises
    ------
    StoreError
        If its metadata are damaged; its other files are checked when they are read.
    """
    manifest = read_manifest(unit)
    store = checked_store(unit, manifest)
    root = parse_json(str(unit), store.content(METADATA))
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


def alike(members: Mapping[str, Member]) -> list[dict[str, Member]]:
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
