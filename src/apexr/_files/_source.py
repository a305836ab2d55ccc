"""Where the bytes of a unit come from: a folder, objects, or one packed file."""

import functools
import io
import zipfile
from dataclasses import dataclass
from typing import Any, BinaryIO

from apexr._files._durable import Source, packed_into
from apexr._files._layout import MANIFEST, PACKED
from apexr._files._local import Local
from apexr._files._place import Place
from apexr._files._remote import Remote
from apexr._memory import FILE_LIMIT, format_bytes
from apexr.errors import StoreError

_HEAD = 30
"""Bytes of the head of an entry, before its name."""
_LONGEST_LIST = 2**23
"""Bytes of the list of entries of a packed file, which is parsed at once."""
_SHORT = 4096
_SOON = 2**16
"""Bytes of an entry that is read together with its head: of an object, that saves a request."""


@dataclass(frozen=True)
class Folder:
    """A unit as it is published."""

    path: Local

    @property
    def where(self) -> str:
        """The path, for messages."""
        return str(self.path)

    def sizes(self) -> dict[str, int]:
        """Return the size of each file."""
        return self.path.sizes()

    def read(self, name: str) -> bytes:
        """Return the content of a file; FileNotFoundError where there is none."""
        return (self.path / name).read_bytes()


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
        return (self.place / name).read_bytes()


@dataclass(frozen=True)
class Packed:
    """A unit in one zip file: nothing is compressed in it beyond the chunks themselves."""

    path: Place

    @property
    def where(self) -> str:
        """The path, for messages."""
        return str(self.path)

    def sizes(self) -> dict[str, int]:
        """Return the size of each file."""
        return {name: entry.file_size for name, entry in self._entries.items()}

    def read(self, name: str) -> bytes:
        """Return the content of a file; FileNotFoundError where there is none."""
        entry = self._entries.get(name)
        if entry is None:
            raise FileNotFoundError(name)
        if entry.file_size > FILE_LIMIT:
            raise StoreError(f"{self.path}: {name}: over {format_bytes(FILE_LIMIT)}")
        start, size = entry.header_offset, entry.file_size
        held = self.path.read_part(
            start, _HEAD + len(name.encode()) + (size if size <= _SOON else 0)
        )
        if held[:4] != b"PK\3\4" or len(held) < _HEAD:
            raise StoreError(f"{self.path}: {name} not readable (no entry is where it should)")
        begin = _HEAD + sum(int.from_bytes(held[at : at + 2], "little") for at in (26, 28))
        if begin + size <= len(held):
            return held[begin : begin + size]
        data = self.path.read_part(start + begin, size)
        if len(data) < entry.file_size:
            raise StoreError(f"{self.path}: {name} not readable (the file ends within it)")
        return data

    def is_as_packed(self) -> bool:
        """Tell whether every byte is as :func:`packed_into` writes it of the same files."""
        with self.path.reading() as file:
            compared = _Compared(file)
            packed_into(compared, self.sizes(), self.read)
            return compared.is_equal()

    @functools.cached_property
    def _entries(self) -> dict[str, zipfile.ZipInfo]:
        try:
            with self.path.reading() as file, zipfile.ZipFile(_Guarded(file)) as archive:
                entries = archive.infolist()
        # zipfile says NotImplementedError of an archive of a newer version of the format
        except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError) as error:
            raise StoreError(f"{self.path}: not readable ({error})") from error
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
            raise StoreError(f"{self.path}: compressed entries are not allowed in a packed store")
        return {entry.filename: entry for entry in entries}


class _Guarded(io.RawIOBase):
    """A file of which no more can be read at once than the list of its entries may take."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(min(size, _LONGEST_LIST + 1) if size >= 0 else _LONGEST_LIST + 1)
        if len(data) > _LONGEST_LIST:
            raise ValueError("its list of entries is too long")
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True


class _Compared(io.RawIOBase):
    """A sink that compares the bytes written to it with those of a file.

    Short pieces are kept until the end: the heads of entries are written twice.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._place, self._end = 0, 0
        self._short: dict[int, bytes] = {}
        self._differs = False

    def write(self, data: Any) -> int:
        size = len(data)
        if size <= _SHORT:
            self._short[self._place] = bytes(data)
        elif self._held(self._place, size) != data:
            self._differs = True
        self._place += size
        self._end = max(self._end, self._place)
        return size

    def _held(self, place: int, size: int) -> bytes:
        self._file.seek(place)
        return self._file.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        self._place = offset + (0, self._place, self._end)[whence]
        return self._place

    def tell(self) -> int:
        return self._place

    def seekable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def is_equal(self) -> bool:
        """Tell whether all was the same, and the file holds nothing else."""
        same = all(self._held(place, len(data)) == data for place, data in self._short.items())
        return same and not self._differs and self._file.seek(0, io.SEEK_END) == self._end


def source_of(unit: Place) -> Source:
    """Return the files of a unit, wherever they are; those of the folder where both are."""
    packed = unit if unit.suffix == PACKED else unit.with_name(unit.name + PACKED)
    if isinstance(unit, Remote):  # asking for what is there takes fewer requests
        whole = packed != unit and (unit / MANIFEST).is_file()
        return Packed(packed) if not whole and packed.is_file() else Objects(unit)
    if not packed.is_file() or (packed != unit and (unit / MANIFEST).is_file()):
        return Folder(unit)
    return Packed(packed)
