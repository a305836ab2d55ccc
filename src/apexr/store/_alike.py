"""Reading the small variables of many results of one form at once.

Most experiments of a study differ in their numbers alone: their arrays have the same metadata and
the same labels. One of them is opened as usual; of the others only the chunks are decoded, which
takes a tenth of the time.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from apexr.errors import StoreError
from apexr.schema import CONFIG_COORDS, COORDINATES, SCHEMA_VERSION
from apexr.store._files import canonical_json, parse_json
from apexr.store._join import agreed
from apexr.store._layout import ORDER, WEIGHTS
from apexr.store._manifest import read_manifest
from apexr.store._place import Place
from apexr.store._read import checked_store
from apexr.store._zarr import CODECS, METADATA, CheckedStore

_CODECS = ["bytes", *(codec.to_dict()["name"] for codec in CODECS)]

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
        The metadata of its arrays, by name.
    store
        Its files.
    form
        What it shares with those that are read together with it.
    """

    unit: Place
    config: Mapping[str, str]
    attrs: Mapping[str, Any]
    nodes: Mapping[str, Node]
    store: CheckedStore
    form: str

    def read(self, name: str) -> np.ndarray:
        """Return the values of an array; see the Zarr specification, version 3."""
        node = self.nodes[name]
        shape, chunk = node["shape"], node["chunk_grid"]["configuration"]["chunk_shape"]
        dtype = np.dtype(node["data_type"]).newbyteorder("<")
        fill = node["fill_value"]
        separator = node["chunk_key_encoding"]["configuration"]["separator"]
        values = np.full(shape, float(fill) if isinstance(fill, str) else fill, dtype)
        for index in np.ndindex(*(-(-n // c) for n, c in zip(shape, chunk, strict=True))):
            key = f"{name}/{separator.join(('c', *map(str, index)))}"
            if key in self.store.files:  # else it holds nothing but the fill value
                block = np.frombuffer(self.store.checked(key), dtype)
                place = tuple(slice(i * c, (i + 1) * c) for i, c in zip(index, chunk, strict=True))
                within = tuple(slice(0, n) for n in values[place].shape)
                values[place] = block.reshape(chunk)[within]
        return values


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
    form = canonical_json(
        {"nodes": nodes, "labels": labels, "version": manifest["schema_version"]}
        | {"order": root["attributes"].get(ORDER), "config": sorted(manifest["config"])}
    )
    attrs = {key: value for key, value in root["attributes"].items() if key != ORDER}
    return Member(unit, manifest["config"], attrs, nodes, store, form)


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
    return json.loads(first.form)["version"] == SCHEMA_VERSION and all(
        [codec["name"] for codec in first.nodes[str(name)]["codecs"]] == _CODECS
        and np.dtype(first.nodes[str(name)]["data_type"]) == array.dtype
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
