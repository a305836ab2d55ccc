"""Files of this machine, reached without following a link.

A :class:`Local` has two halves: a root, which the user has named and which may be reached through
links, and the names below it, which a stranger may have written. Every operation opens the root and
walks down from there, folder by folder, by descriptors: a link on the way is an error, also one
that is put there meanwhile. Only regular files are read or locked; a pipe, a socket or a device
is an error. Nothing else in apexr opens, makes, renames or removes what lies in a store.
"""

import ctypes
import errno
import os
import shutil
import stat
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from apexr._memory import FILE_LIMIT, format_bytes
from apexr.errors import StoreError

MOST_FILES = 250_000
"""Files of one unit."""
_DEEPEST = 32

_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_CLOEXEC = getattr(os, "O_CLOEXEC", 0)
_NONBLOCK = getattr(os, "O_NONBLOCK", 0)  # opening a pipe would wait for its other end
_DIRECTORY = getattr(os, "O_DIRECTORY", 0)
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL
_BY_DESCRIPTOR = os.open in os.supports_dir_fd
"""Whether this system opens names relative to an open folder; where not, links are looked for."""

_NOT_ALLOWED = (errno.EACCES, errno.EPERM, errno.EROFS)
_NO_LINKS = (errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EMLINK)
"""Errors of file systems on which a file has one name."""

Parent = tuple[int | None, str]
"""An open folder, and the name of an entry in it; or None, and a whole path."""


@dataclass(frozen=True)
class Local(os.PathLike[str]):
    """A place on this machine.

    Attributes
    ----------
    root
        An absolute path, as the user named it.
    inner
        The names that lead on from there; none of them is followed if it is a link.
    """

    root: Path
    inner: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        """The whole path."""
        return Path(self.root, *self.inner)

    def __str__(self) -> str:
        return str(self.path)

    def __fspath__(self) -> str:
        return str(self.path)

    def __truediv__(self, name: str) -> "Local":
        parts = tuple(name.split("/"))
        if any(part in ("", ".", "..") or "\0" in part for part in parts):
            raise StoreError(f"{self}: {name!r} is no name in a store")
        return Local(self.root, (*self.inner, *parts))

    @property
    def name(self) -> str:
        """The last part."""
        return self.inner[-1] if self.inner else self.root.name

    @property
    def suffix(self) -> str:
        """The end of the name, from its last dot on."""
        return Path(self.name).suffix

    @property
    def parent(self) -> "Local":
        """The folder that it lies in; that of a root is named by the user, too."""
        return Local(self.root, self.inner[:-1]) if self.inner else Local(self.root.parent)

    def with_name(self, name: str) -> "Local":
        """Return the place of another name in the same folder."""
        return self.parent / name

    # --- looking -----------------------------------------------------------------------------

    def stat(self) -> os.stat_result:
        """Return what the system says of it; FileNotFoundError where nothing is there."""
        with self._parent() as (folder, name):
            return os.stat(name, dir_fd=folder, follow_symlinks=not self.inner)

    def is_there(self) -> bool:
        """Tell whether anything has this name, also a link."""
        try:
            self.stat()
        except (FileNotFoundError, NotADirectoryError):
            return not self.inner and os.path.lexists(self.root)
        return True

    def exists(self) -> bool:
        """Tell whether a file or a folder has this name; StoreError if it is something else."""
        return self.is_there() and bool(self._checked(self.stat()))

    def is_file(self) -> bool:
        """Tell whether a file has this name; StoreError if it is neither file nor folder."""
        try:
            return stat.S_ISREG(self._checked(self.stat()).st_mode)
        except (FileNotFoundError, NotADirectoryError):
            return False

    def is_dir(self) -> bool:
        """Tell whether a folder has this name; StoreError if it is neither file nor folder."""
        try:
            return stat.S_ISDIR(self._checked(self.stat()).st_mode)
        except (FileNotFoundError, NotADirectoryError):
            return False

    def _checked(self, held: os.stat_result) -> os.stat_result:
        """Return what the system says of a file or a folder; StoreError if it is neither."""
        if stat.S_ISLNK(held.st_mode):
            raise StoreError(f"{self}: symbolic links are not allowed in a store")
        if not (stat.S_ISREG(held.st_mode) or stat.S_ISDIR(held.st_mode)):
            raise StoreError(f"{self}: neither a file nor a folder")
        return held

    def iterdir(self) -> Iterator["Local"]:
        """Yield what lies right below it, whatever it is."""
        with self.opened() as folder:
            names = os.listdir(folder)
        yield from (Local(self.root, (*self.inner, name)) for name in names)

    def sizes(self) -> dict[str, int]:
        """Return the sizes of all files below it, by relative path, in a fixed order.

        Raises
        ------
        StoreError
            If anything but files and folders lies there, or more of them than a unit may have.
        """
        found: dict[str, int] = {}
        self._measure("", found, 0)
        return dict(sorted(found.items()))

    def _measure(self, prefix: str, found: dict[str, int], depth: int) -> None:
        if depth > _DEEPEST:
            raise StoreError(f"{self}: folders within folders, {depth} deep; no part of a store")
        below = []
        with self.opened() as folder, os.scandir(folder) as entries:
            for entry in entries:
                held = entry.stat(follow_symlinks=False)
                (self / entry.name)._checked(held)
                if stat.S_ISDIR(held.st_mode):
                    below.append(entry.name)
                else:
                    found[f"{prefix}{entry.name}"] = held.st_size
                if len(found) + len(below) > MOST_FILES:
                    raise StoreError(f"{self}: over {MOST_FILES} files, no part of a store")
        for name in below:
            (self / name)._measure(f"{prefix}{name}/", found, depth + 1)

    # --- reading -----------------------------------------------------------------------------

    @contextmanager
    def reading(self) -> Iterator[BinaryIO]:
        """Lend the open file; FileNotFoundError where there is none, StoreError if it is none."""
        with os.fdopen(self.descriptor(os.O_RDONLY), "rb") as file:
            yield file

    def read_bytes(self, limit: int = FILE_LIMIT) -> bytes:
        """Return the content of the file; FileNotFoundError where there is none.

        Raises
        ------
        StoreError
            If it is no regular file, or has more bytes than ``limit``.
        """
        with self.reading() as file:
            data = b"" if os.fstat(file.fileno()).st_size > limit else file.read(limit + 1)
            if (not data and os.fstat(file.fileno()).st_size) or len(data) > limit:
                raise StoreError(f"{self}: over {format_bytes(limit)}, no part of a store")
            return data

    def read_part(self, start: int, size: int) -> bytes:
        """Return some bytes of the file, fewer where it ends."""
        with self.reading() as file:
            file.seek(start)
            return file.read(size)

    def size(self) -> int:
        """Return the size of the file; FileNotFoundError where there is none."""
        return self._checked(self.stat()).st_size

    def descriptor(self, flags: int) -> int:
        """Return the descriptor of a regular file that is opened."""
        with self._parent() as (folder, name):
            if not flags & os.O_CREAT:  # to open a device may already do something
                self._checked(os.stat(name, dir_fd=folder, follow_symlinks=not self.inner))
            flags |= _CLOEXEC | _NONBLOCK | (_NOFOLLOW if self.inner else 0)
            try:
                found = os.open(name, flags, 0o666, dir_fd=folder)
            except OSError as error:
                if error.errno in (errno.ELOOP, errno.EMLINK):
                    raise StoreError(f"{self}: symbolic links are not allowed in a store") from None
                if error.errno == errno.ENXIO:
                    raise StoreError(f"{self}: neither a file nor a folder") from None
                raise
        mode = os.fstat(found).st_mode
        if not stat.S_ISREG(mode):
            os.close(found)
            if stat.S_ISDIR(mode):
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(self))
            raise StoreError(f"{self}: neither a file nor a folder")
        return found

    # --- changing ----------------------------------------------------------------------------

    def write_bytes(self, data: bytes) -> None:
        """Write a new file."""
        with os.fdopen(self.descriptor(_NEW), "wb") as file:
            file.write(data)

    def write_durably(self, files: Mapping[str, bytes]) -> None:
        """Write new files right below it, which survive a loss of power; few enough to be open."""
        with self.opened() as folder, ExitStack() as held:
            descriptors = []
            for name, data in files.items():
                place = self / name
                if isinstance(folder, str):
                    opened = place.descriptor(_NEW)
                else:
                    opened = os.open(name, _NEW | _CLOEXEC | _NOFOLLOW, 0o666, dir_fd=folder)
                file = held.enter_context(os.fdopen(opened, "wb", buffering=0))
                left = memoryview(data)
                while left:
                    left = left[file.write(left) or 0 :]
                descriptors.append(opened)
            for opened in descriptors:
                os.fsync(opened)

    def mkdir(self) -> None:
        """Make a new folder."""
        with self._parent() as (folder, name):
            os.mkdir(name, dir_fd=folder)

    def sync(self) -> None:
        """Make its content, or its list of names, survive a loss of power."""
        try:
            with self.opened() as folder:
                if isinstance(folder, int):
                    os.fsync(folder)
        except NotADirectoryError:
            with self.reading() as file:
                os.fsync(file.fileno())

    def unlink(self, missing_ok: bool = False) -> None:
        """Remove a file, or a link, never what that leads to."""
        try:
            with self._parent() as (folder, name):
                os.unlink(name, dir_fd=folder)
        except (FileNotFoundError, NotADirectoryError):
            if not missing_ok:
                raise

    def remove(self) -> None:
        """Remove a folder and all below it, as far as that is possible; links are not followed."""
        try:
            with self._parent() as (folder, name):
                shutil.rmtree(name, ignore_errors=True, dir_fd=folder)
        except (FileNotFoundError, NotADirectoryError):
            return

    def remove_empty(self) -> None:
        """Remove a folder, if it is there and empty."""
        try:
            with self._parent() as (folder, name):
                os.rmdir(name, dir_fd=folder)
        except OSError:
            return

    def move_to(self, target: "Local") -> None:
        """Give it another name; a file or an empty folder of that name is replaced."""
        with self._parent() as (here, old), target._parent() as (there, new):
            os.rename(old, new, src_dir_fd=here, dst_dir_fd=there)

    def link_to(self, target: "Local") -> None:
        """Give a file one more name; FileExistsError where something has that name already."""
        with self._parent() as (here, old), target._parent() as (there, new):
            try:
                os.link(old, new, src_dir_fd=here, dst_dir_fd=there)
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                if target.is_there():
                    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), new) from None
                os.rename(old, new, src_dir_fd=here, dst_dir_fd=there)

    def exchange_with(self, target: "Local") -> bool:
        """Let two names change places in one step, and tell whether the system can (Linux)."""
        if not sys.platform.startswith("linux"):
            return False
        cwd, swap = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
        try:
            function = ctypes.CDLL(None, use_errno=True).renameat2
        except AttributeError:
            return False
        with self._parent() as (here, old), target._parent() as (there, new):
            names = (cwd if here is None else here, os.fsencode(old))
            others = (cwd if there is None else there, os.fsencode(new))
            return bool(function(*names, *others, swap) == 0)

    # --- walking down ------------------------------------------------------------------------

    @contextmanager
    def opened(self) -> Iterator[int | str]:
        """Lend the open folder: its descriptor, or its path where there are none of folders."""
        with self._allowed():
            if not _BY_DESCRIPTOR:
                self._look_for_links(len(self.inner))
                yield str(self)
                return
            descriptor = self._descend(len(self.inner))
            try:
                yield descriptor
            finally:
                os.close(descriptor)

    @contextmanager
    def _parent(self) -> Iterator[Parent]:
        """Lend the open folder in which it lies, and its name there."""
        with self._allowed():
            if not self.inner:
                yield None, str(self.root)
            elif not _BY_DESCRIPTOR:
                self._look_for_links(len(self.inner) - 1)
                yield None, str(self)
            else:
                descriptor = self._descend(len(self.inner) - 1)
                try:
                    yield descriptor, self.inner[-1]
                finally:
                    os.close(descriptor)

    @contextmanager
    def _allowed(self) -> Iterator[None]:
        """Turn what the system does not allow into an error that names the place."""
        try:
            yield
        except StoreError:
            raise
        except OSError as error:
            if error.errno not in _NOT_ALLOWED:
                raise
            raise StoreError(f"{self}: the system refuses it ({error.strerror})") from error

    def _descend(self, depth: int) -> int:
        """Return the descriptor of the folder that some of the names lead to."""
        flags = os.O_RDONLY | _DIRECTORY | _CLOEXEC | _NONBLOCK
        folder = os.open(self.root, flags)
        for number, name in enumerate(self.inner[:depth]):
            try:
                below = os.open(name, flags | _NOFOLLOW, dir_fd=folder)
            except OSError as error:
                if error.errno in (errno.ELOOP, errno.ENOTDIR, errno.EMLINK):
                    held = os.stat(name, dir_fd=folder, follow_symlinks=False)
                    Local(self.root, self.inner[: number + 1])._checked(held)
                raise
            finally:
                os.close(folder)
            folder = below
        return folder

    def _look_for_links(self, depth: int) -> None:
        for number in range(1, depth + 1):
            place = Local(self.root, self.inner[:number])
            place._checked(os.stat(place.path, follow_symlinks=False))
