"""Layouts of recorded trajectories: each one a registered class, or a decorated function."""

import abc
import dataclasses
from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from apexr._registry import Registry
from apexr.exchange.readers._hdf5 import Hdf5
from apexr.exchange.readers._recording import Recording

R = TypeVar("R", bound="type[Reader]")
F = TypeVar("F", bound=Callable[[str], Any])


class Reader(abc.ABC):
    """How one layout of HDF5 files is recognized and read.

    Attributes
    ----------
    name
        Its name for ``layout=``.
    """

    name: ClassVar[str]

    @abc.abstractmethod
    def recognises(self, file: Hdf5) -> bool:
        """Tell whether a file has this layout, by the names in it."""

    @abc.abstractmethod
    def recordings(self, file: Hdf5) -> list[Recording]:
        """Return the trajectories of a file; one record for each part of a split in it."""


@dataclasses.dataclass(frozen=True)
class OwnReader:
    """A function of the user's that opens a file.

    Attributes
    ----------
    function
        Takes a path and returns a DataArray, a Dataset or a dictionary of arrays.
    """

    function: Callable[[str], Any]


LAYOUTS: "Registry[Reader | OwnReader]" = Registry("layout", "apexr.layouts")
"""Every layout of recorded trajectories by its name."""


def reader(cls: R) -> R:
    """Register a reader of HDF5 files under its name."""
    LAYOUTS.register(cls.name)(cls())
    return cls


def layout(name: str) -> Callable[[F], F]:
    """Return the decorator that registers a function as reader of a layout of one's own.

    The function takes the path of a file and returns its trajectories as an xarray DataArray or
    Dataset with named dimensions ``sample``, ``time``, ``channel``, ``x``, ``y``, ``z``.

    Parameters
    ----------
    name
        Its name for ``layout=``.

    Examples
    --------
    >>> @apexr.scenarios.layout("mine")
    ... def read(path):
    ...     values = np.fromfile(path, "<f4").reshape(20, 51, 64)
    ...     return xr.DataArray(values, dims=("sample", "time", "x"))
    >>> apexr.Recorded("run.bin", layout="mine")
    """

    def register(function: F) -> F:
        LAYOUTS.unregister(name)
        LAYOUTS.register(name)(OwnReader(function))
        return function

    return register
