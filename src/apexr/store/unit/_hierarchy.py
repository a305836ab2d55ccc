"""A study as a hierarchy of Zarr groups, for readers that know nothing of apexr.

The study, its folder ``experiments`` and each unit are groups of the Zarr specification, version 3,
so that any reader gets from the study to the results: ``xr.open_datatree("study.zarr")``. Only what
never changes has consolidated metadata: a study grows, and a list made of it once would hide what
comes later.

The file of a unit is published with it, and gives the labels of the experiment. Those of the study
are always the same; whoever writes to a study adds them where they are missing.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from apexr._files._durable import json_bytes, parse_json, write_json
from apexr._files._layout import EXPERIMENTS, MANIFEST, METADATA
from apexr._files._place import Place
from apexr.errors import StoreError
from apexr.schema import CONVENTIONS
from apexr.store.unit._manifest import entries_of, experiment_of, sealed

Node = Mapping[str, Any]
"""The metadata of a group or an array."""

_STUDY = {
    "Conventions": CONVENTIONS,
    "title": "Study of apexr",
    "comment": "Below experiments, each group holds an experiment for some of its seeds.",
}
_EXPERIMENTS = {
    "comment": (
        "Each group is named by a digest of an experiment with its seeds. Groups with the same"
        " attribute experiment hold different seeds of one experiment, to be joined along seed."
    )
}


def group(attributes: Mapping[str, Any], members: Mapping[str, Node] | None = None) -> Node:
    """Return the metadata of a group, with those of all that lies in it if that is given."""
    node = {"attributes": dict(attributes), "zarr_format": 3, "node_type": "group"}
    if members is None:
        return node
    inline = {"kind": "inline", "must_understand": False, "metadata": dict(members)}
    return {**node, "consolidated_metadata": inline}


def study_groups(study: Place) -> dict[Place, Node]:
    """Return the metadata of the groups that every study has, by file."""
    return {
        study / METADATA: group(_STUDY),
        study / EXPERIMENTS / METADATA: group(_EXPERIMENTS),
    }


def keep_groups(study: Place) -> None:
    """Write the metadata of a study's groups where they are missing."""
    for path, node in study_groups(study).items():
        if not path.is_there():
            write_json(path, node, aside=study)  # what lies among the experiments is an experiment


def group_problems(study: Place) -> Iterator[tuple[Place, str]]:
    """Yield what has the name of a study's group and would mislead a reader, and why."""
    for path in study_groups(study):
        try:
            if not (_is_folder(path.parent) and path.is_there()):
                continue
            node = parse_json(str(path), path.read_bytes())
        except StoreError as error:
            yield path, str(error)
            continue
        except OSError as error:
            yield path, f"{path}: not readable ({error})"
            continue
        told = {key: node.get(key) for key in ("zarr_format", "node_type")}
        if told != {"zarr_format": 3, "node_type": "group"} or "consolidated_metadata" in node:
            yield path, f"{path}: not the metadata of a group that grows"


def _is_folder(path: Place) -> bool:
    try:
        return path.is_dir()
    except StoreError:  # named by itself
        return False


def unit_group(manifest: Mapping[str, Any], unit: str) -> Node:
    """Return the metadata of a unit: which experiment it holds, and for which seeds."""
    experiment = experiment_of(manifest["attrs"]) or unit
    return group({"experiment": experiment, "seeds": manifest["seeds"], **manifest["config"]})


def with_group(files: Mapping[str, bytes], unit: str) -> dict[str, bytes]:
    """Return what a unit that was published without metadata of its own lacks.

    Returns
    -------
    dict
        The metadata, and a manifest that lists them; nothing where they are there.
    """
    manifest = parse_json(unit, files[MANIFEST])
    if METADATA in manifest["files"]:
        return {}
    told = {METADATA: json_bytes(unit_group(manifest, unit))}
    listed = {**manifest["files"], **entries_of(told)}
    return {**told, MANIFEST: json_bytes(sealed({**manifest, "files": listed}))}
