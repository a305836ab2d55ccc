"""The table of a study: the state of each experiment, from small files alone."""

import math
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import pandas as pd

from apexr._files._place import PathLike, Place, at_once
from apexr.errors import StoreError
from apexr.schema import CONFIG_COORDS, diverged_seeds
from apexr.store.runs._notes import DAMAGED_RECORD
from apexr.store.study._experiment import open_experiment
from apexr.store.study._study import Study
from apexr.store.unit._manifest import experiment_of, read_manifest

_TWICE = "twice"
_COLUMNS = (
    *("id", "state", "progress"),
    *CONFIG_COORDS,
    *("seeds", "num_diverged", "bytes", "error"),
)


def list_experiments(path: PathLike | Study) -> pd.DataFrame:
    """Return a table of a study's experiments, also while it runs.

    Columns: ``id``, ``state``, ``progress`` (of a training that runs, the part of its updates that
    are done; else NaN), the config coordinates, ``seeds`` (those that are published),
    ``num_diverged``, ``bytes``, ``error``. Rows stand in the order in which the study has been
    asked for its experiments, as far as this is noted in it.

    ==========  ================================================================
    state       meaning
    ==========  ================================================================
    published   all seeds that were asked for are there
    running     a living process works on it
    failed      the last try ended with an error; the next run tries again
    pending     a run that has not come to its end was asked for it
    damaged     its files are not what was published
    ==========  ================================================================

    Raises
    ------
    StoreError
        If ``path`` is not a study.
    """
    study = Study.open(path)
    rows = _published(study)
    planned = study.notes.plans()
    for name, plan in planned.items():
        row = rows.setdefault(name, {"id": name, "state": "pending", **plan["config"], "seeds": []})
        rows[name] = row = {**plan["config"], **row}  # what is damaged has no labels of its own
        if row["state"] != "damaged" and not set(plan["seeds"]) <= set(row["seeds"]):
            row["state"] = "pending"
    for name, record in study.notes.failures().items():
        row = rows.setdefault(name, {"id": name, **record.get("config", {}), "seeds": []})
        if row.get("state") == "damaged":
            continue
        state = "damaged" if record["error"] == DAMAGED_RECORD else "failed"
        row |= {"state": state, "error": f"{record['error']}: {record['message']}"}
    for name in study.notes.claimed() & rows.keys():
        rows[name] |= {"state": "running", "progress": _progress(study, name)}
    empty = {"progress": math.nan, "num_diverged": 0, "bytes": 0, "error": ""}
    filled = [{**empty, **rows[name]} for name in study.notes.in_order(rows)]
    return pd.DataFrame(filled, columns=list(_COLUMNS))


def recorded_sources(study: Study) -> dict[str, tuple[dict[str, str], str]]:
    """Return of each published experiment on recorded data its labels and the digest of these."""
    found = {}
    for unit, manifest in _manifests(study):
        if not isinstance(manifest, StoreError) and "source_digest" in manifest["attrs"]:
            attrs = manifest["attrs"]
            labels = {name: str(label) for name, label in manifest["config"].items()}
            found[experiment_of(attrs, unit.name)] = labels, str(attrs["source_digest"])
    return found


def _progress(study: Study, name: str) -> float:
    done, total = study.notes.progress(name) or (0, 0)
    return done / total if total > 0 else math.nan


def _manifests(study: Study) -> Iterator[tuple[Place, dict[str, Any] | StoreError]]:
    units = study.units()
    return zip(units, at_once(_manifest, units, study.place), strict=True)


def _published(study: Study) -> dict[str, dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = {}
    for unit, manifest in _manifests(study):
        if isinstance(manifest, StoreError):
            told = {"state": "damaged", "seeds": [], "error": str(manifest)}
            rows[unit.name] = {"id": unit.name, **told}
            continue
        name = experiment_of(manifest["attrs"], unit.name)
        rows[name] = _joined(rows.get(name), _row(name, manifest))
    for name, row in rows.items():
        if row.pop(_TWICE, False):  # of seeds that lie in two units one counts
            with suppress(StoreError):
                row["num_diverged"] = int(diverged_seeds(open_experiment(study, name)).sum())
    return rows


def _manifest(unit: Place) -> dict[str, Any] | StoreError:
    try:
        return read_manifest(unit)
    except StoreError as error:
        return error


def _row(name: str, manifest: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": name,
        "state": "published",
        **manifest["config"],
        "seeds": manifest["seeds"],
        "num_diverged": manifest.get("num_diverged", 0),
        "bytes": sum(entry["size"] for entry in manifest["files"].values()),
    }


def _joined(before: dict[str, Any] | None, part: dict[str, Any]) -> dict[str, Any]:
    """Return the row of an experiment after one more of its parts."""
    if before is None:
        return part
    sums = {key: before[key] + part[key] for key in ("num_diverged", "bytes")}
    seeds = sorted({*before["seeds"], *part["seeds"]})
    twice = len(seeds) < len(before["seeds"]) + len(part["seeds"])
    return {**before, **sums, "seeds": seeds, _TWICE: before.get(_TWICE, False) or twice}
