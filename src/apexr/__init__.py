"""apexr: a laboratory for neural emulators of partial differential equations.

Every public name is loaded when it is first used, so that importing the package loads neither
JAX nor HoloViews. The names stand in ``__init__.pyi``.
"""

from typing import Any

import lazy_loader

from apexr._lazy import import_after

__version__ = "0.1.0"
"""The version of the package."""

_load, _, _names = lazy_loader.attach_stub(__name__, __file__)

__all__ = sorted({"__version__", "plot", *_names} - {"plots"})  # noqa: PLE0605 - read from the stub


def __getattr__(name: str) -> Any:
    try:
        value = _load("plots" if name == "plot" else name)
    except AttributeError as error:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from error
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__


import_after("xarray", "apexr.accessor")
