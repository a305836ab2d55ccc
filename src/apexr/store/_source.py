"""Where the bytes of a unit come from: a folder, or one packed file. Both read alike."""

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from apexr._memory import format_bytes
from apexr.errors import StoreError
from apexr.store._files import files_in
from apexr.store._layout import MANIFEST, PACKED
from apexr.store._place import Place, Remote

FILE_LIMIT = 2**27
"""Bytes of one file of a unit: chunks are far smaller."""
_EPOCH = (1980, 1, 1, 0, 0, 0)


class Source(Protocol):
    """The files of a unit, by their paths relative to it."""

    @property
    def where(self) -> str:
        """The path, for messages."""

    def sizes(self) -> dict[str, int]:
        """Return the size of each file."""

    def read(self, name: str) -> bytes:
        """Return the content of a file; FileNotFoundError where there is none."""


@dataclass(frozen=True)
class Folder:
    """A unit as it is published."""

    path: Path

    @property
    def where(self) -> str:
        """The path, for messages."""
        return str(self.path)

    def sizes(self) -> dict[str, int]:
        """Return the size of each file."""
        return {
            path.relative_to(self.path).as_posix(): path.stat().st_size
            for path in files_in(self.path)
        }

    def read(self, name: str) -> bytes:
        """Return the content of a file; FileNotFoundError where there is none."""
        path = self.path / name
        if not path.is_file():
            raise FileNotFoundError(name)
        _check_size(f"{path}", path.stat().st_size)
        return path.read_bytes()


@dataclass(frozen=True)
class Objects:
    """A unit in an object store."""

    place: Remote

    @property
    def where(self) -> str:
        """The URL, for messages."""
        return str(self.place)

    def sizes(self) -> dict[str, int]:
        """Return the size of each object."""
        return self.place.sizes()

    def read(self, name: str) -> bytes:
        """Return the content of an object; FileNotFoundError where there is none."""
        data = (self.place / name).read_bytes()
        _check_size(f"{self.place}/{name}", len(data))
        return data


@dataclass(frozen=True)
class Packed:
    """A unit in one zip file: nothing is compressed in it beyond the chunks themselves."""

    path: Path

    @property
    def where(self) -> str:
        """The path, for messages."""
        return str(self.path)

    def sizes(self) -> dict[str, int]:
        """Return the size of each file."""
        try:
            with zipfile.ZipFile(self.path) as archive:
                entries = archive.infolist()
        # zipfile says NotImplementedError of an archive of a newer version of the format
        except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise StoreError(f"{self.path}: not readable ({error})") from error
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
            raise StoreError(f"{self.path}: compressed entries are not allowed in a packed store")
        return {entry.filename: entry.file_size for entry in entries}

    def read(self, name: str) -> bytes:
        """Return the content of a file; FileNotFoundError where there is none."""
        try:
            with zipfile.ZipFile(self.path) as archive:
                entry = archive.getinfo(name)
                if entry.compress_type != zipfile.ZIP_STORED:
                    raise StoreError(f"{self.path}: {name} is compressed")
                _check_size(f"{self.path}: {name}", entry.file_size)
                return archive.read(entry)
        except KeyError:
            raise FileNotFoundError(name) from None
        # NotImplementedError as in sizes; EOFError where the archive ends within the entry
        except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError) as error:
            raise StoreError(f"{self.path}: {name} not readable ({error})") from error


def _check_size(where: str, size: int) -> None:
    if size > FILE_LIMIT:
        raise StoreError(f"{where}: over {format_bytes(FILE_LIMIT)}, no part of a store")


def source_of(unit: Place) -> Source:
    """Return the files of a unit, wherever they are; those of the folder where both are."""
    if isinstance(unit, Remote):
        return Objects(unit)
    packed = unit if unit.suffix == PACKED else unit.with_name(unit.name + PACKED)
    if (unit / MANIFEST).is_file() or not packed.is_file():
        return Folder(unit)
    return Packed(packed)


def read_all(source: Source) -> dict[str, bytes]:
    """Return every file of a unit."""
    return {name: source.read(name) for name in sorted(source.sizes())}


def pack_files(files: Mapping[str, bytes]) -> bytes:
    """Return the packed form of some files, the same bytes for the same files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), files[name])
    return buffer.getvalue()


def plain_name(unit: Path) -> Path:
    """Return the unit without the suffix of its packed form."""
    return unit.with_name(unit.name.removesuffix(PACKED))
