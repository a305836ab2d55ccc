"""Checkpoints of an experiment that is being run: plain arrays, checksummed, two generations.

A checkpoint is one file: a line of JSON with format, digest and the circumstances in which it was
made, then arrays in NumPy's own format (``npz``). It is written aside, synced and renamed, and the
one before it is kept, so that a torn or damaged file costs one interval and no more.
"""

import hashlib
import io
import json
import logging
import shutil
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from apexr.errors import StoreError
from apexr.store import _disk
from apexr.store._files import make_folder
from apexr.store._layout import checkpoint_folder
from apexr.store._place import PathLike, place

FORMAT = "apexr-checkpoint"
GENERATIONS = 2
_SUFFIX = ".ckpt"
_LONGEST_HEAD = 2**20

_log = logging.getLogger(__name__)


class Checkpoints:
    """The checkpoints of one experiment, beside the place where its result will be published.

    Those of a result that goes to an object store lie in the cache of this machine.

    Parameters
    ----------
    unit
        The folder of a single experiment, or ``unit_path(study, id)`` in a study.
    circumstances
        All that must be equal for a checkpoint to be gone on with: experiment, versions, devices.
    seconds
        Time from one checkpoint to the next; None makes none but that of an orderly stop.
    """

    def __init__(
        self, unit: PathLike, circumstances: Mapping[str, Any], seconds: float | None
    ) -> None:
        self.folder = checkpoint_folder(place(unit).absolute())
        self._circumstances = dict(circumstances)
        self._mark = _digest(json.dumps(self._circumstances, sort_keys=True).encode())[:16]
        self._seconds = seconds
        self._last = time.monotonic()

    def is_due(self) -> bool:
        """Tell whether it is time for the next checkpoint."""
        return self._seconds is not None and time.monotonic() - self._last >= self._seconds

    def save(self, update: int, arrays: Mapping[str, np.ndarray]) -> None:
        """Write a checkpoint aside, durably, rename it into place and drop the oldest.

        Raises
        ------
        StoreError
            If it cannot be written.
        """
        path = self.folder / f"{self._mark}-{update:012d}{_SUFFIX}"
        aside = path.with_name(f".{path.name}-{uuid.uuid4().hex}")
        try:
            make_folder(self.folder)
            aside.write_bytes(_packed(arrays, self._circumstances))
            _disk.sync(aside)
            aside.replace(path)
            _disk.sync(self.folder)
        except OSError as error:
            aside.unlink(missing_ok=True)
            raise StoreError(f"{path}: the checkpoint is not written, {error}") from error
        for old in self._newest_first()[GENERATIONS:]:
            old.unlink(missing_ok=True)
        self._last = time.monotonic()

    def load(self) -> dict[str, np.ndarray] | None:
        """Return the newest checkpoint that is whole and was made in the same circumstances.

        Others are left alone, with a line in the log.
        """
        own = self._newest_first()
        if not own:
            self._tell_of_others()
        for path in own:
            try:
                return _unpacked(path, self._circumstances)
            except StoreError as error:
                _log.warning("%s; it is not used", error)
        return None

    def clear(self) -> None:
        """Remove all checkpoints: the result is published."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _newest_first(self) -> list[Path]:
        return sorted(self.folder.glob(f"{self._mark}-*{_SUFFIX}"), reverse=True)

    def _tell_of_others(self) -> None:
        """Say of checkpoints made in other circumstances what keeps them from being used."""
        for path in sorted(self.folder.glob(f"[0-9a-f]*{_SUFFIX}")):
            try:
                _unpacked(path, self._circumstances)
            except StoreError as error:
                _log.warning("%s; it is not used", error)


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=32).hexdigest()


def _packed(arrays: Mapping[str, np.ndarray], circumstances: Mapping[str, Any]) -> bytes:
    """Return the bytes of a checkpoint.

    Raises
    ------
    StoreError
        If an array is not one of numbers.
    """
    numbers: dict[str, Any] = {name: np.asarray(array) for name, array in arrays.items()}
    odd = [name for name, array in numbers.items() if array.dtype.kind not in "biufc"]
    if odd:
        raise StoreError(f"a checkpoint holds numbers alone; {odd[0]!r} are none")
    body = io.BytesIO()
    np.savez(body, **numbers)
    content = body.getvalue()
    head = {
        "format": FORMAT,
        "blake2b": _digest(content),
        "circumstances": circumstances,
    }
    return json.dumps(head).encode() + b"\n" + content


def _unpacked(path: Path, circumstances: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Return the arrays of a checkpoint.

    Raises
    ------
    StoreError
        If it is damaged or was made in other circumstances.
    """
    try:
        line, _, content = path.read_bytes().partition(b"\n")
        head = json.loads(line) if len(line) < _LONGEST_HEAD else None
    except (OSError, ValueError, RecursionError) as error:
        raise StoreError(f"{path}: the checkpoint cannot be read ({error})") from error
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise StoreError(f"{path}: not a checkpoint of apexr")
    if head.get("blake2b") != _digest(content):
        raise StoreError(f"{path}: the checkpoint is damaged, its digest does not fit")
    _check_circumstances(path, head.get("circumstances"), circumstances)
    with np.load(io.BytesIO(content)) as arrays:
        return dict(arrays)


def _check_circumstances(path: Path, made: Any, now: Mapping[str, Any]) -> None:
    made = made if isinstance(made, dict) else {}
    for name in {**made, **now}:
        if made.get(name) != now.get(name):
            raise StoreError(
                f"{path}: the checkpoint was made with {name} {made.get(name)!r}, this is"
                f" {now.get(name)!r}"
            )
