"""A study as a folder for an archive, and whether such a folder is still what it was."""

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from apexr import store as stores
from apexr._files._layout import ARCHIVE_STUDY as STUDY
from apexr._files._layout import ARCHIVED as CHECKSUMS
from apexr._inert import inert
from apexr.analysis import to_long
from apexr.errors import SpecError, StoreError
from apexr.schema import metric_identifiers
from apexr.study._configs import plan_study, spelt_as_stored
from apexr.study._crate import About, Made, citation, crate, croissant, readme
from apexr.study._run import run_study

LOCK, ERRORS = "requirements.lock", "errors.csv"
_MADE_LAST = (CHECKSUMS, "ro-crate-metadata.json")
_BLOCK = 2**20
_SHOWN = 40
_CLOSE = 1e-3
"""Relative difference of the first recorded loss that other machines may make."""


def publish(
    study: str | os.PathLike[str],
    to: str | os.PathLike[str],
    *,
    title: str,
    authors: Sequence[str],
    license: str = "CC-BY-4.0",
    study_file: str | os.PathLike[str] | None = None,
    allow_unfinished: bool = False,
) -> Path:
    """Write a study as a folder that an archive takes, and return its path.

    The folder holds the study, one file an experiment; the file that it was asked for with; the
    errors as a table; the versions of all packages; descriptions for machines
    (``ro-crate-metadata.json``, ``croissant.json``, ``CITATION.cff``) and for people
    (``README.md``); and the checksum of every file.

    Parameters
    ----------
    study
        The study.
    to
        The folder, which is made.
    title
        Name of the data set.
    authors
        Names of those to be cited.
    license
        Identifier of SPDX.
    study_file
        The file that ``apexr study`` was given, TOML or JSON; by default one is written that asks
        for the same.
    allow_unfinished
        Whether a study is published of which experiments failed or are missing. The published
        study lists those that failed, with their errors; what they were asked for is not published.

    Raises
    ------
    SpecError
        If there is no title or no author, or the file asks for other experiments.
    StoreError
        If the study is none, or not finished, or the folder is there already or lies in the study.
    """
    if not title.strip() or not authors or not all(one.strip() for one in authors):
        raise SpecError("publish needs a title and at least one author, to be cited by")
    folder = Path(to)
    if Path(study).resolve() in (folder.resolve(), *folder.resolve().parents):
        raise StoreError(f"{folder}: lies in the study itself; name a folder elsewhere")
    if folder.exists() and any(folder.iterdir() if folder.is_dir() else [folder]):
        raise StoreError(f"{folder}: there is something already; name a new folder")
    table = _finished(study, allow_unfinished)
    if study_file is not None:
        _check_asks_for(study_file, study, table["id"].tolist())
    folder.mkdir(parents=True, exist_ok=True)
    held = stores.Study.at(folder / STUDY)
    stores.merge(held, study)
    stores.pack(held)
    held.notes.note_order(table["id"].tolist())
    parts = held.parts()
    results = [
        Made(
            name,
            tuple(part.unit.removesuffix(".zip") for part in parts[name]),
            stores.open_experiment(held, name),
        )
        for name in table["id"]
    ]
    name = _write_study_file(folder, study_file, [one.result for one in results])
    joined = stores.open_study(held)
    to_long(joined, metric_identifiers(joined)[0], folder / ERRORS)
    (folder / LOCK).write_text("\n".join(locked()) + "\n", encoding="utf-8")
    about = About(title, tuple(authors), license, datetime.now(UTC).date().isoformat(), name)
    _describe(folder, about, results)
    return folder


def _finished(study: str | os.PathLike[str], allow_unfinished: bool) -> pd.DataFrame:
    """Return the finished experiments of a study; refuse one that has others, unless allowed."""
    table = stores.list_experiments(study)
    finished = table[table["state"] == "published"]
    left = len(table) - len(finished)
    if finished.empty:
        raise StoreError(f"{study}: no experiment is finished; see apexr show {study}")
    if (table["state"] == "damaged").any():
        raise StoreError(
            f"{study}: experiments are damaged; run apexr repair {study}, then the study"
        )
    if left and not allow_unfinished:
        raise StoreError(
            f"{study}: {left} of {len(table)} experiments are not finished (see apexr show"
            f" {study}). Run the study again, or publish the others with allow_unfinished=True, on"
            " the command line --allow-unfinished"
        )
    return finished


def _check_asks_for(
    given: str | os.PathLike[str], study: str | os.PathLike[str], stored: Sequence[str]
) -> None:
    """Refuse a file of a study that asks for other experiments than those that are published.

    Raises
    ------
    SpecError
        Naming an experiment that only one of both has.
    """
    if Path(given).suffix.lower() not in (".toml", ".json"):
        raise SpecError(
            f"the file of a study is published as TOML or JSON, got {Path(given).name!r}; without"
            " one, a file that asks for the same is written"
        )
    held = stores.Study.open(study)
    planned = spelt_as_stored(plan_study(given), held, held.parts())
    asked = {one.id for one in planned}
    if lacking := {*stored} - asked:
        raise SpecError(
            f"{given} does not ask for {len(lacking)} of the {len(stored)} experiments of {study},"
            f" such as {min(lacking)}; give the file that the study was run with, or none"
        )
    others = [one for one in planned if one.id not in {*stored, *held.notes.failures()}]
    if others:
        said = dict(others[0].experiment.config)
        raise SpecError(
            f"{given} asks for {len(others)} experiments that {study} does not have, such as {said}"
        )


def _write_study_file(
    folder: Path, given: str | os.PathLike[str] | None, results: Sequence[xr.Dataset]
) -> str:
    """Write what the study was asked for with; return the name of the file."""
    if given is not None:
        target = folder / f"study{Path(given).suffix.lower()}"
        target.write_bytes(Path(given).read_bytes())
        return target.name
    target = folder / "study.json"
    target.write_text(json.dumps([config_of(one) for one in results], indent=1), encoding="utf-8")
    return target.name


def config_of(result: xr.Dataset) -> dict[str, Any]:
    """Return the configuration that asks for a stored result.

    Raises
    ------
    StoreError
        If the result does not say which experiment it is of.
    """
    try:
        told = json.loads(str(result.attrs["specification"]))
        seeds = [int(seed) for seed in result["seed"].values]
        if seeds != [*range(seeds[0], seeds[0] + len(seeds))]:
            raise SpecError(f"seeds {seeds} are no range: give the file of the study")
        return {
            "scenario": told["scenario"],
            **{name: told[name] for name in ("task", "net", "train")},
            "start_seed": seeds[0],
            "num_seeds": len(seeds),
            **dict(told["parameters"]),
        }
    except (LookupError, TypeError, ValueError) as error:
        raise StoreError(f"a result does not say how it was made ({error})") from error


def locked() -> list[str]:
    """Return the packages that apexr needs here, and those that they need, with their versions."""
    found: dict[str, str] = {}
    wanted = ["apexr"]
    while wanted:
        name = wanted.pop()
        try:
            held = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue  # of another platform, or an extra
        if held.metadata["Name"] in found:
            continue
        found[held.metadata["Name"]] = held.version
        needed = [text for text in held.requires or () if "extra ==" not in text]
        wanted += [re.split(r"[^\w.-]", text, maxsplit=1)[0] for text in needed]
    return sorted((f"{name}=={version}" for name, version in found.items()), key=str.lower)


def _describe(folder: Path, about: About, results: Sequence[Made]) -> None:
    """Write the descriptions and the checksums of all files, each after what it is about."""
    texts = {
        "README.md": readme(about, results),
        "CITATION.cff": citation(about),
        "croissant.json": croissant(about, folder / ERRORS, digest_of(folder / ERRORS)),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    sums = {name: digest_of(folder / name) for name in files_of(folder)}
    (folder / _MADE_LAST[1]).write_text(crate(about, folder, sums, results), encoding="utf-8")
    sums[_MADE_LAST[1]] = digest_of(folder / _MADE_LAST[1])
    lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items()))
    (folder / CHECKSUMS).write_text(lines, encoding="utf-8")


def files_of(folder: Path) -> list[str]:
    """Return the files of a folder by their paths within it, in order."""
    found = (path for path in folder.rglob("*") if path.is_file() or path.is_symlink())
    return sorted(path.relative_to(folder).as_posix() for path in found)


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    state = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            state.update(block)
    return state.hexdigest()


# --- is it still what it was ---------------------------------------------------------------------


def is_archive(folder: str | os.PathLike[str]) -> bool:
    """Tell whether a folder is one that :func:`publish` wrote."""
    return (Path(folder) / CHECKSUMS).is_file()


@dataclass(frozen=True)
class Repeated:
    """An experiment that was run again.

    Attributes
    ----------
    id, config
        Its id, and its scenario, network and training.
    loss, error
        Largest relative difference of the first recorded loss and of the last error over seeds.
    """

    id: str
    config: str
    loss: float
    error: float


def verify_archive(folder: str | os.PathLike[str], rerun: int = 0) -> list[Repeated]:
    """Check every file of a published study, run some experiments again, and return these.

    Parameters
    ----------
    folder
        The folder that :func:`publish` wrote.
    rerun
        How many experiments are run again, those of the fewest parameters first.

    Raises
    ------
    StoreError
        Naming the files that are damaged, missing or new, or an experiment whose first loss is
        another than that which was published.
    """
    root = Path(folder)
    problems = [*_changed(root)]
    if problems:
        raise StoreError("\n".join(f"{root}: {inert(one, lines=False)}" for one in problems))
    study = stores.Study.at(root / STUDY)
    stores.verify(study)
    table = stores.list_experiments(study)
    names = table["id"][table["state"] == "published"].tolist()
    held = {name: stores.open_experiment(study, name) for name in names}
    cheapest = sorted(held, key=lambda name: int(held[name]["num_parameters"].max()))
    return [_repeat(name, held[name].load()) for name in cheapest[:rerun]]


def _changed(root: Path) -> Iterator[str]:
    """Yield what is not as the checksums say."""
    noted: dict[str, str] = {}
    for line in (root / CHECKSUMS).read_text(encoding="utf-8", errors="replace").splitlines():
        digest, _, name = line.partition("  ")
        if not (re.fullmatch("[0-9a-f]{64}", digest) and name):
            yield f"{CHECKSUMS} is damaged: {line[:_SHOWN]!r} names no file with its digest"
            return
        noted[name] = digest
    there = {*files_of(root)} - {CHECKSUMS}
    for name in sorted(there | {*noted}):
        if name not in there:
            yield f"{name} is missing"
        elif name not in noted:
            yield f"{name} is new"
        elif (root / name).is_symlink() or digest_of(root / name) != noted[name]:
            yield f"{name} has changed"


def _repeat(name: str, held: xr.Dataset) -> Repeated:
    """Run an experiment again, in a store of its own, and compare."""
    with tempfile.TemporaryDirectory() as scratch:
        made = run_study([config_of(held)], Path(scratch) / STUDY, progress=False)
        again = made.isel(experiment=0).load()
    metric = metric_identifiers(held)[0]
    pairs = [
        [one["train_loss"].isel(update_step=0), one[metric].isel(time=-1)] for one in (held, again)
    ]
    loss, error = (_difference(*both) for both in zip(*pairs, strict=True))
    if not loss <= _CLOSE:
        raise StoreError(
            f"experiment {name} run again has another first loss, by {loss:.2g} of it: the data or"
            " the initial weights are not those that were published"
        )
    config = "  ".join(str(held[label].item()) for label in ("scenario", "net", "train"))
    return Repeated(name, inert(config, lines=False), loss, error)


def _difference(held: xr.DataArray, again: xr.DataArray) -> float:
    """Return the largest relative difference, infinite where only one is finite."""
    one, other = (np.asarray(array.values, float) for array in (held, again))
    both = np.isfinite(one) & np.isfinite(other)
    if (np.isfinite(one) != np.isfinite(other)).any():
        return float("inf")
    scale = np.maximum(np.abs(one[both]), np.finfo(np.float32).tiny)
    return float((np.abs(one - other)[both] / scale).max(initial=0.0))


def summary_of(folder: str | os.PathLike[str], repeated: Sequence[Repeated]) -> str:
    """Return in words what was checked."""
    lines = [f"{len(files_of(Path(folder))) - 1} files checked: none has changed"]
    lines += [
        f"{one.id} ({one.config}) run again: relative difference of the first loss {one.loss:.2g},"
        f" of the last error {one.error:.2g}"
        for one in repeated
    ]
    return "\n".join(lines)
