"""The contents of published studies, as a page that compares them needs them.

The folders may be strangers': each file is checked against its checksum, and every label is read as
text in which nothing is a control character.
"""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import xarray as xr

from apexr import store as stores
from apexr._files._layout import ARCHIVE_STUDY as STUDY
from apexr._inert import inert
from apexr._typing import PathInput
from apexr.analysis._selection import TRAINING_KEYWORDS, read_object
from apexr.errors import ApexrError, SpecError, StoreError
from apexr.study import is_archive, verify_archive
from apexr.study._archive import config_of
from apexr.training import OPTIMIZERS

_CRATE = "ro-crate-metadata.json"
_LABELS = ("task", "net", "train")
_DATA = ("num_train_samples", "train_temporal_horizon", "subset_of", "train_seed")
"""Which trajectories are trained on: a part of the budget."""
_UNSEEN = ("report_metrics", "vlim", "record_loss_every", "callbacks", "num_trjs_returned")
"""Keywords that change neither what is predicted nor how it is learned."""
_LONGEST = 160
"""Characters of a label that are kept."""


@dataclasses.dataclass(frozen=True)
class Entry:
    """An experiment of a published study.

    Attributes
    ----------
    problem
        The task to be predicted: the scenario, and all its parameters but those of the training.
    budget
        How much it may cost: updates, windows an update, training trajectories; in words.
    method
        How it is learned: what tells it from other entries of the same study.
    result
        The stored result.
    config
        The configuration that asks for it, for ``apexr study``.
    """

    problem: tuple[str, str]
    budget: str
    method: tuple[str, ...]
    result: xr.Dataset
    config: Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class Archive:
    """A published study.

    Attributes
    ----------
    title, authors, license
        By its own description.
    folder
        Name of its folder.
    entries
        Its experiments.
    """

    title: str
    authors: str
    license: str
    folder: str
    entries: Sequence[Entry]


def read_archive(folder: PathInput) -> Archive:
    """Return what a published study holds.

    Raises
    ------
    StoreError
        If the folder is none that :func:`apexr.publish` wrote, or a file of it has changed.
    """
    root = Path(folder)
    if not is_archive(root):
        found = "is not there" if not root.exists() else "has no checksums.sha256"
        raise StoreError(
            f"{root}: no published study, the folder {found}; write one with apexr publish STUDY"
            " --to DIR"
        )
    verify_archive(root)
    title, authors, license = _described(root)
    study = stores.Study.at(root / STUDY)
    table = stores.list_experiments(study)
    names = table["id"][table["state"] == "published"].tolist()
    if not names:
        raise StoreError(f"{root}: the study has no experiment")
    entries = [_entry(stores.open_experiment(study, name)) for name in names]
    return Archive(title, authors, license, plain(root.resolve().name), entries)


def plain(text: object) -> str:
    """Return a label of a stranger on one line, and not too long."""
    said = inert(str(text), lines=False)
    return said if len(said) <= _LONGEST else f"{said[: _LONGEST - 1]}…"


def _described(root: Path) -> tuple[str, str, str]:
    """Return title, authors and license by the description of the folder."""
    try:
        graph = json.loads((root / _CRATE).read_text(encoding="utf-8"))["@graph"]
        items = {one["@id"]: one for one in graph}
        about = items["./"]
        title, license = about["name"], items[about["license"]["@id"]]["name"]
        people = [items[one["@id"]]["name"] for one in about["author"]]
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        raise StoreError(f"{root}: {_CRATE} does not say title, authors and license") from error
    return plain(title), plain("; ".join(map(str, people))), plain(license)


def _entry(result: xr.Dataset) -> Entry:
    told = read_object(str(result.attrs.get("specification", "")))
    parameters = told.get("parameters")
    if not isinstance(parameters, dict) or not {"scenario", *_LABELS} <= {*told}:
        raise StoreError("a result does not say how it was made: it has no specification")
    if (
        "seed" not in result.indexes
        or "scenario" not in result.coords
        or result["scenario"].size != 1
    ):
        raise StoreError("a result has no scenario, or no seeds: it is no result of an experiment")
    learned = {k: v for k, v in parameters.items() if k in TRAINING_KEYWORDS or k in _UNSEEN}
    posed = {k: v for k, v in parameters.items() if k not in learned}
    posed["precision"] = told.get("precision")
    own = {k: v for k, v in learned.items() if k not in (*_DATA, *_UNSEEN, "batch_size")}
    labels = [plain(told[name]) for name in _LABELS]
    method = (*labels, plain(own.pop("optim_config", "")), _dumped(own) if _any_set(own) else "")
    problem = (plain(result["scenario"].item()), _dumped(posed))
    return Entry(problem, _budget(parameters), method, result, _configuration(result, told))


def _any_set(keywords: Mapping[str, Any]) -> bool:
    """Tell whether any keyword has another value than none, nothing or the last weights."""
    return any(value not in (None, 0, "", "last") for value in keywords.values())


def _dumped(values: Mapping[str, Any]) -> str:
    return json.dumps(values, sort_keys=True, default=str)


def _budget(parameters: Mapping[str, Any]) -> str:
    """Return in words how much a training may cost."""

    def of(name: str) -> str:
        return plain(parameters.get(name, "unknown"))

    optimizer = parameters.get("optim_config")
    try:
        updates = f"{OPTIMIZERS.parse(str(optimizer)).updates:,} updates"
    except (ApexrError, AttributeError):  # one of a stranger's own, or of no fixed length
        updates = f"the optimizer {plain(optimizer)}"
    subset = f", the first of {of('subset_of')}" if parameters.get("subset_of") else ""
    return (
        f"{updates} of {of('batch_size')} windows, {of('num_train_samples')} training trajectories"
        f"{subset} of {of('train_temporal_horizon')} steps (training seed {of('train_seed')})"
    )


def _configuration(result: xr.Dataset, told: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what asks for a result; with a list of its seeds where these are no range."""
    try:
        return config_of(result)
    except (StoreError, SpecError):
        seeds = [int(seed) for seed in result["seed"].values]
        return {**{k: told[k] for k in ("scenario", *_LABELS)}, "seeds": seeds} | dict(
            told["parameters"]
        )
