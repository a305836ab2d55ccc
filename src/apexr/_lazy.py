"""Importing one module as soon as another one is imported."""

import importlib
import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any


def import_after(trigger: str, follower: str) -> None:
    """Import module ``follower`` as soon as ``trigger`` is imported, by whomever."""
    if trigger in sys.modules:
        importlib.import_module(follower)
    else:
        sys.meta_path.insert(0, _Watcher(trigger, follower))


class _Watcher:
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
