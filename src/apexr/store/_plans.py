"""What a study still has to do: a note that others look at meanwhile.

A runner writes down what it has been asked for (``.plans/<digest>.json``) and takes the note away
when it is through. Nothing is decided by these files; ``list_experiments`` shows them.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from apexr._digest import digest
from apexr.errors import StoreError
from apexr.schema import CONFIG_COORDS
from apexr.store import _disk
from apexr.store._files import is_seeds, is_text, read_json, write_json
from apexr.store._layout import is_id
from apexr.store._place import PathLike, entries, place

PLANS = ".plans"
_NAME = re.compile(r"[0-9a-f]{32}\.json")


@contextmanager
def planned(study: PathLike, entries: Sequence[Mapping[str, Any]]) -> Iterator[None]:
    """Write down what a study has been asked for until it is through; after a kill it stays.

    Parameters
    ----------
    study
        The study.
    entries
        For each experiment ``id``, ``config`` and ``seeds``.
    """
    path = place(study) / PLANS / f"{digest(list(entries))}.json"
    write_json(path, {"experiments": [dict(entry) for entry in entries]})
    yield
    _disk.unlink(path)


def read_plans(study: PathLike) -> dict[str, dict[str, Any]]:
    """Return by id what unfinished calls have been asked for: ``config`` and ``seeds``."""
    folder = place(study) / PLANS
    held = entries(folder)
    plans = [path for path in held if _NAME.fullmatch(path.name)]
    found: dict[str, dict[str, Any]] = {}
    for path in plans:
        with suppress(StoreError):  # gone meanwhile, or not one of ours
            told = read_json(path).get("experiments")
            for entry in told if isinstance(told, list) and all(map(_is_entry, told)) else ():
                seeds = {*found.get(entry["id"], {}).get("seeds", ()), *entry["seeds"]}
                found[entry["id"]] = {"config": dict(entry["config"]), "seeds": sorted(seeds)}
    return found


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
