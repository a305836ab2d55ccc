"""Loading on first use, so that ``import apexr`` costs almost nothing."""

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any


def lazy_names(package: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """Return a module ``__getattr__`` that loads public names when they are asked for.

    Parameters
    ----------
    package
        The package that has the names.
    homes
        Name to ``"module:attribute"``, or to ``"module"`` where the name is a module.
    """

    def load(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        home, _, attribute = homes[name].partition(":")
        module = importlib.import_module(home)
        value = getattr(module, attribute) if attribute else module
        setattr(sys.modules[package], name, value)
        return value

    return load


def import_after(trigger: str, follower: str) -> None:
    """Import module ``follower`` as soon as ``trigger`` is imported, by whomever."""
    if trigger in sys.modules:
        importlib.import_module(follower)
    else:
        sys.meta_path.insert(0, _Watcher(trigger, follower))


class _Watcher(importlib.abc.MetaPathFinder):
    """Sees one module being found, once, and has another one follow it."""

    def __init__(self, trigger: str, follower: str) -> None:
        self.trigger = trigger
        self.follower = follower

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self.trigger:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None:
            self._follow(spec.loader)
        return spec

    def _follow(self, loader: Any) -> None:
        execute = loader.exec_module

        def execute_both(module: ModuleType) -> None:
            execute(module)
            importlib.import_module(self.follower)

        loader.exec_module = execute_both
