"""Checkpoints of an experiment that is being run: plain arrays, checksummed, two generations.

A checkpoint is one file: a line of JSON with format, digest and the circumstances in which it was
made, then arrays in NumPy's own format (``npz``). It is written aside, synced and renamed, and the
one before it is kept, so that a torn or damaged file costs one interval and no more.
"""

import hashlib
import io
import json
import logging
import os
import re
import time
import uuid
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from apexr._files import _disk
from apexr._files._durable import make_folder
from apexr._files._layout import checkpoint_folder
from apexr._files._local import Local
from apexr._files._place import PathLike, entries, place
from apexr.errors import StoreError

FORMAT = "apexr-checkpoint"
GENERATIONS = 2
_SUFFIX = ".ckpt"
_NAME = re.compile(r"\.?[0-9a-f]{16}-[0-9]{12}\.ckpt(-[0-9a-f]{32})?")
"""Names of checkpoint files, also while they are written: no others are removed."""
_LONGEST_HEAD = 2**20
_BLOCK = 2**20
_SPARSE = 16
"""Bytes that a file says it has for each that the disk holds: weights are not as compressible."""

_log = logging.getLogger(__name__)


class Checkpoints:
    """The checkpoints of one experiment, next to the place where its result will be published.

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
        self._folder = checkpoint_folder(place(unit))
        self._circumstances = dict(circumstances)
        self._mark = _digest(json.dumps(self._circumstances, sort_keys=True).encode())[:16]
        self._seconds = seconds
        self._last = time.monotonic()

    @property
    def folder(self) -> Path:
        """Where they lie."""
        return self._folder.path

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
        path = self._folder / f"{self._mark}-{update:012d}{_SUFFIX}"
        aside = path.with_name(f".{path.name}-{uuid.uuid4().hex}")
        try:
            make_folder(self._folder)
            aside.write_bytes(_packed(arrays, self._circumstances))
            _disk.sync(aside)
            aside.move_to(path)
            _disk.sync(self._folder)
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
        drop_checkpoints(self._folder)

    def _newest_first(self) -> list[Local]:
        return [path for path in reversed(_held(self._folder)) if path.name.startswith(self._mark)]

    def _tell_of_others(self) -> None:
        """Say of checkpoints made in other circumstances what keeps them from being used."""
        for path in _held(self._folder):
            try:
                _unpacked(path, self._circumstances)
            except StoreError as error:
                _log.warning("%s; it is not used", error)


def newest_update(unit: PathLike) -> int | None:
    """Return the update at which the newest checkpoint of an experiment was made; None without.

    Parameters
    ----------
    unit
        As for :class:`Checkpoints`.
    """
    held = _held(checkpoint_folder(place(unit)))
    return max((int(path.name.split("-")[1][:12]) for path in held), default=None)


def drop_checkpoints(folder: Local) -> None:
    """Remove all checkpoints of an experiment, and nothing else that may lie there."""
    for path in entries(folder):
        if _NAME.fullmatch(path.name):
            path.unlink(missing_ok=True)
    folder.remove_empty()


def _held(folder: Local) -> list[Local]:
    """Return the checkpoints of an experiment, those of the most updates last."""
    named = (path for path in entries(folder) if isinstance(path, Local))
    return [path for path in named if _NAME.fullmatch(path.name) and path.suffix == _SUFFIX]


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


def _unpacked(path: Local, circumstances: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Return the arrays of a checkpoint.

    Raises
    ------
    StoreError
        If it is damaged or was made in other circumstances.
    """
    try:
        with path.reading() as file:
            held = os.fstat(file.fileno())
            line = file.readline(_LONGEST_HEAD)
            head = json.loads(line) if line.endswith(b"\n") else None
            if not isinstance(head, dict) or head.get("format") != FORMAT:
                raise StoreError(f"{path}: not a checkpoint of apexr")
            _check_circumstances(path, head.get("circumstances"), circumstances)
            if getattr(held, "st_blocks", held.st_size) * 512 * _SPARSE < held.st_size:
                raise StoreError(f"{path}: the checkpoint is mostly a hole; refused")
            return _arrays(path, file, head.get("blake2b"))
    except StoreError:
        raise
    except _UNREADABLE as error:
        raise StoreError(f"{path}: the checkpoint cannot be read ({error})") from error


_UNREADABLE = (
    *(OSError, ValueError, LookupError, RecursionError, MemoryError, EOFError),
    *(zipfile.BadZipFile, NotImplementedError),
)
"""Errors from reading a file that is no checkpoint; ``zipfile`` raises NotImplementedError
for an archive of a newer version of the format."""


def _arrays(path: Local, file: BinaryIO, expected: object) -> dict[str, np.ndarray]:
    """Return the arrays that begin where an open file is, once their digest is checked."""
    start, state = file.tell(), hashlib.blake2b(digest_size=32)
    while block := file.read(_BLOCK):
        state.update(block)
    if state.hexdigest() != expected:
        raise StoreError(f"{path}: the checkpoint is damaged, its digest does not fit")
    with zipfile.ZipFile(file) as archive:
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
            raise StoreError(f"{path}: the checkpoint is compressed; refused")
    file.seek(start)
    with np.load(file) as arrays:
        return dict(arrays)


def _check_circumstances(path: Local, made: Any, now: Mapping[str, Any]) -> None:
    made = made if isinstance(made, dict) else {}
    for name in {**made, **now}:
        if made.get(name) != now.get(name):
            raise StoreError(
                f"{path}: the checkpoint was made with {name} {made.get(name)!r}, this is"
                f" {now.get(name)!r}"
            )
