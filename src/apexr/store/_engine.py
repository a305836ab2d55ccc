"""The door of xarray: ``xr.open_dataset("study.zarr", engine="apexr")``."""

import os
from collections.abc import Iterable
from typing import Any

import xarray as xr
from xarray.backends import BackendEntrypoint

from apexr.errors import SpecError
from apexr.store._layout import is_study
from apexr.store._place import place
from apexr.store._read import open_experiment
from apexr.store._study import open_study


class ApexrBackend(BackendEntrypoint):
    """Opens a study, joined along ``experiment``, or a single experiment."""

    description = "Studies and experiments of apexr"
    url = "https://github.com/apexr/apexr"
    open_dataset_parameters = ("filename_or_obj", "drop_variables")

    def open_dataset(
        self, filename_or_obj: Any, *, drop_variables: str | Iterable[str] | None = None
    ) -> xr.Dataset:
        """Return a study as :func:`apexr.open_study` does, or an experiment.

        Raises
        ------
        SpecError
            If what is given is no path.
        StoreError
            If nothing of apexr is there.
        """
        if not isinstance(filename_or_obj, str | os.PathLike):
            raise SpecError(f"a store is named by its path, got {type(filename_or_obj).__name__}")
        where = place(filename_or_obj)
        ds = open_study(where) if is_study(where) else open_experiment(where)
        dropped = [drop_variables] if isinstance(drop_variables, str) else [*(drop_variables or ())]
        return ds.drop_vars(dropped, errors="ignore")

    def guess_can_open(self, filename_or_obj: Any) -> bool:
        """Return False: a single experiment is a Zarr group, which others open, too."""
        return False
