"""A disk that fails or loses power at the n-th operation, in place of ``apexr._files._disk``.

Every operation is done on the real disk and noted in a model that knows what is durable: the
content of a file once it was synced, the names in a folder once the folder was synced. After a
crash nothing more can be done; :func:`Disk.after_power_loss` then makes the real folder what a
machine finds when it starts again.
"""

import errno
import io
import shutil
from pathlib import Path

from apexr._files import _disk

CHANGES = ("mkdir", "write", "sync", "rename", "link", "exchange", "unlink", "remove")


class Crash(BaseException):
    """The machine is off: nothing handles this, and nothing can be done after it."""


class Node:
    """A file (content) or a folder (names)."""

    def __init__(self, content=None):
        self.content = content  # None: a folder
        self.synced = None
        self.names = {}
        self.durable = {}


class Disk:
    """Count operations below ``root``; let the n-th fail (``error``) or be the last (``crash``)."""

    def __init__(self, root, monkeypatch, fault_at=None, how="error"):
        self.root, self.fault_at, self.how = Path(root), fault_at, how
        self.count, self.dead = 0, False
        self.top = self._scan(self.root)
        self.real = {name: getattr(_disk, name) for name in CHANGES}
        for name in CHANGES:
            monkeypatch.setattr(_disk, name, self._wrapped(name))
        monkeypatch.setattr(_disk, "write_all", self._write_all)
        monkeypatch.setattr(_disk, "write_by", self._write_by)

    def _scan(self, folder):
        node = Node()
        for path in folder.iterdir():
            child = self._scan(path) if path.is_dir() else Node(path.read_bytes())
            child.synced = child.content
            node.names[path.name] = node.durable[path.name] = child
        return node

    def _wrapped(self, name):
        def operation(*arguments):
            if self.dead:
                raise Crash
            self.count += 1
            if self.count == self.fault_at:
                self._fault(name, arguments)
            done = self._do(name, arguments)
            getattr(self, f"_{name}")(*arguments)
            return done

        return operation

    def _write_all(self, files):
        """Write file by file: each is an operation that may fail."""
        for path, data in files.items():
            _disk.write(path, data)

    def _write_by(self, path, fill):
        """Write what a function fills in as one operation."""
        held = io.BytesIO()
        fill(held)
        _disk.write(path, held.getvalue())

    def _do(self, name, arguments):
        """Do it on the real disk; what is durable is known to the model, so nothing is synced."""
        if name == "write":
            arguments[0].write_bytes(arguments[1])
            return None
        return None if name == "sync" else self.real[name](*arguments)

    def _fault(self, name, arguments):
        if name == "write":  # half of it has come to the disk
            path, data = arguments
            path.write_bytes(data[: len(data) // 2])
            self._parent(path).names[path.name] = Node(data[: len(data) // 2])
        if self.how == "error":
            raise OSError(errno.EIO, "I/O error")
        self.dead = True
        raise Crash

    # --- the model ---------------------------------------------------------------------------

    def _node(self, path):
        node = self.top
        for part in Path(path).relative_to(self.root).parts:
            node = node.names[part]
        return node

    def _parent(self, path):
        return self._node(Path(path).parent)

    def _mkdir(self, path):
        self._parent(path).names[path.name] = Node()

    def _write(self, path, data):
        node = Node(data)
        node.synced = data
        self._parent(path).names[path.name] = node

    def _sync(self, path):
        node = self._node(path)
        node.synced, node.durable = node.content, dict(node.names)

    def _rename(self, source, target):
        self._parent(target).names[target.name] = self._parent(source).names.pop(source.name)

    def _link(self, source, target):
        self._parent(target).names[target.name] = self._node(source)

    def _exchange(self, source, target):
        first, second = self._parent(source).names, self._parent(target).names
        first[source.name], second[target.name] = second[target.name], first[source.name]

    def _unlink(self, path):
        self._parent(path).names.pop(path.name, None)

    def _remove(self, path):
        self._parent(path).names.pop(path.name, None)

    # --- after the crash ---------------------------------------------------------------------

    def after_power_loss(self, keep_names):
        """Make the real folder what survives: synced content, and names.

        Parameters
        ----------
        keep_names
            Whether names that were not synced have come to the disk all the same; their content
            has not.
        """
        for path in self.root.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        self._lay_down(self.top, self.root, keep_names)

    def _lay_down(self, node, folder, keep_names):
        for name, child in (node.names if keep_names else node.durable).items():
            if child.content is None:
                (folder / name).mkdir()
                self._lay_down(child, folder / name, keep_names)
            else:
                (folder / name).write_bytes(child.synced or b"")
