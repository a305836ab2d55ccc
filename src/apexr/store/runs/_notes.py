"""Notes of runs in a study: claims, how far they are, failures, plans.

At most one living process runs an experiment: it holds a lock, the file of which tells how far
it is. A runner writes down what it has been asked for (``.plans/<digest>.json``) and takes the
note away when it is through; nothing is decided by these files. Of each experiment that failed
the last error is kept, and how often it was tried.
"""

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from apexr._digest import digest
from apexr._files import _disk
from apexr._files._durable import (
    hold,
    is_held,
    is_seeds,
    is_text,
    make_folder,
    read_json,
    write_json,
)
from apexr._files._layout import FAILURES, LOCKS, check_id, is_id
from apexr._files._local import Local
from apexr._files._place import Place, at_once, entries
from apexr._files._remote import Remote
from apexr.errors import StoreError
from apexr.schema import CONFIG_COORDS

DAMAGED_RECORD = "damaged"
"""Name of the error where a record of a failure cannot be read."""
PLANS = ".plans"
_ORDER = "order.json"
_PLAN = re.compile(r"[0-9a-f]{32}\.json")
_RECORD = ".json"
_NOTE = 64
"""Characters of a note: always as many, so that a new one covers the old one."""


@dataclass(frozen=True)
class Notes:
    """The notes of the runs in a study.

    Attributes
    ----------
    study
        Where the study lies.
    """

    study: Place

    # --- claims ----------------------------------------------------------------------------------

    @contextmanager
    def claim(self, experiment: str, *, wait: bool = True) -> Iterator[bool]:
        """Claim an experiment while the block runs; yield whether it is claimed.

        The claim ends with the process, however that ends. Object stores have no locks: there every
        claim is granted, and the one who runs the study must share out the experiments.

        Parameters
        ----------
        experiment
            Its id.
        wait
            Whether to wait while another process has it, or to yield False at once.
        """
        folder = self.study / LOCKS
        if isinstance(folder, Remote):
            yield True
            return
        make_folder(folder)
        with hold(folder / check_id(experiment), wait=wait) as mine:
            if mine:
                _write(folder / experiment, "")  # what one who died has noted
            yield mine

    def claimed(self) -> set[str]:
        """Return the ids of the experiments that a living process has claimed."""
        folder = self.study / LOCKS
        if isinstance(folder, Remote):
            return set()
        held = set()
        for path in entries(folder):
            with suppress(StoreError):  # what is no file is nobody's lock
                if isinstance(path, Local) and is_id(path.name) and is_held(path):
                    held.add(path.name)
        return held

    def note_progress(self, experiment: str, done: int, total: int) -> None:
        """Note how many updates of a claimed experiment are done."""
        path = self.study / LOCKS / check_id(experiment)
        if isinstance(path, Remote):
            return
        with suppress(OSError):  # gone where nobody has claimed it
            _write(path, json.dumps([done, total]).ljust(_NOTE))

    def progress(self, experiment: str) -> tuple[int, int] | None:
        """Return what was noted of an experiment that runs: updates done, and all; None without."""
        path = self.study / LOCKS / check_id(experiment)
        if isinstance(path, Remote):
            return None
        with suppress(OSError, ValueError, TypeError, RecursionError), path.reading() as file:
            done, total = json.loads(file.read(_NOTE))
            return int(done), int(total)
        return None

    # --- failures --------------------------------------------------------------------------------

    def record_failure(
        self,
        experiment: str,
        error: BaseException,
        config: Mapping[str, Any],
        *,
        attempts: int = 1,
    ) -> None:
        """Note that an experiment failed; a second failure replaces the first and counts.

        Parameters
        ----------
        experiment
            Its id.
        error
            The error.
        config
            The experiment's labels, as JSON-able data.
        attempts
            How often it was tried.
        """
        path = self._failure(experiment)
        before = _record(path)["attempts"] if path.is_file() else 0
        write_json(
            path,
            {
                "id": experiment,
                "error": type(error).__name__,
                "message": str(error),
                "attempts": before + attempts,
                "config": dict(config),
            },
        )

    def failures(self) -> dict[str, dict[str, Any]]:
        """Return the recorded failures by experiment id.

        A record that cannot be read has ``damaged`` in place of the error's name.
        """
        folder = self.study / FAILURES
        names = (path for path in entries(folder) if path.suffix == _RECORD)
        files = [path for path in names if is_id(path.name.removesuffix(_RECORD))]
        records = at_once(_record, files, folder)
        return {record["id"]: record for record in records}

    def copy_failure(self, record: Mapping[str, Any]) -> None:
        """Take over the record of another study, unless there is one."""
        path = self._failure(record["id"])
        if not path.is_there():
            write_json(path, record)

    def forget_failure(self, experiment: str) -> None:
        """Drop the record of an experiment that has succeeded after all."""
        path = self._failure(experiment)
        if path.is_there():
            _disk.unlink(path)

    def _failure(self, experiment: str) -> Place:
        return self.study / FAILURES / f"{check_id(experiment)}{_RECORD}"

    # --- plans -----------------------------------------------------------------------------------

    @contextmanager
    def planned(self, entries: Sequence[Mapping[str, Any]]) -> Iterator[None]:
        """Write down what a study has been asked for until it is through; after a kill it stays.

        Parameters
        ----------
        entries
            For each experiment ``id``, ``config`` and ``seeds``.
        """
        path = self.study / PLANS / f"{digest(list(entries))}.json"
        write_json(path, {"experiments": [dict(entry) for entry in entries]})
        self.note_order([str(entry["id"]) for entry in entries])
        yield
        _disk.unlink(path)

    def plans(self) -> dict[str, dict[str, Any]]:
        """Return by id what unfinished calls have been asked for: ``config`` and ``seeds``."""
        plans = [path for path in entries(self.study / PLANS) if _PLAN.fullmatch(path.name)]
        found: dict[str, dict[str, Any]] = {}
        for path in plans:
            with suppress(StoreError):  # gone meanwhile, or not one of ours
                told = read_json(path).get("experiments")
                for entry in told if isinstance(told, list) and all(map(_is_entry, told)) else ():
                    seeds = {*found.get(entry["id"], {}).get("seeds", ()), *entry["seeds"]}
                    found[entry["id"]] = {"config": dict(entry["config"]), "seeds": sorted(seeds)}
        return found

    def note_order(self, asked_for: Sequence[str]) -> None:
        """Write down in which order the study is asked for, once there are new experiments."""
        known = self.order()
        order = [*dict.fromkeys([*known, *asked_for])]
        if len(order) > len(known):
            write_json(self.study / PLANS / _ORDER, {"order": order})

    def order(self) -> list[str]:
        """Return the ids in the order in which the study was asked for them, as far as noted."""
        with suppress(StoreError):  # not noted, or not by apexr
            noted = read_json(self.study / PLANS / _ORDER).get("order")
            if isinstance(noted, list) and all(map(is_id, noted)):
                return noted
        return []

    def in_order(self, names: Iterable[str]) -> list[str]:
        """Return ids as the study was asked for them; those that it does not note come last."""
        held, noted = {*names}, self.order()
        return [*(name for name in dict.fromkeys(noted) if name in held), *sorted(held - {*noted})]


# --- the form of a note --------------------------------------------------------------------------


def _write(path: Local, note: str) -> None:
    """Write a note over the one before; an empty one removes it."""
    with os.fdopen(path.descriptor(os.O_RDWR), "r+") as file:
        if os.fstat(file.fileno()).st_nlink > 1:
            raise StoreError(f"{path}: has other names besides, which is not allowed in a store")
        file.write(note)
        if not note:
            file.truncate()


def _record(path: Place) -> dict[str, Any]:
    """Return a record of the form in which :meth:`Notes.record_failure` writes it."""
    name = path.name.removesuffix(_RECORD)
    empty = {"id": name, "attempts": 0, "config": {}}
    try:
        held = read_json(path)
        config = held.get("config", {})
        whole = {
            **empty,
            "error": held["error"],
            "message": held["message"],
            "attempts": held.get("attempts", 0),
            "config": {key: value for key, value in config.items() if key in CONFIG_COORDS},
        }
        texts = [whole["error"], whole["message"], *whole["config"].values()]
        if not (all(map(is_text, texts)) and type(whole["attempts"]) is int):
            raise StoreError(f"{path}: not a record of a failure")
    except (StoreError, LookupError, AttributeError, TypeError) as error:
        return {**empty, "error": DAMAGED_RECORD, "message": str(error)}
    return whole


def _is_entry(entry: Any) -> bool:
    """Tell whether something has the form of what is asked for."""
    return (
        isinstance(entry, dict)
        and is_id(entry.get("id"))
        and is_seeds(entry.get("seeds"))
        and isinstance(entry.get("config"), dict)
        and entry["config"].keys() <= {*CONFIG_COORDS}
        and all(map(is_text, entry["config"].values()))
    )
