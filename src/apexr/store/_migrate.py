"""Older results are brought to the present schema when they are read; files are never rewritten."""

from collections.abc import Callable, Mapping

import xarray as xr

from apexr import schema
from apexr.errors import StoreError

MIGRATIONS: Mapping[int, Callable[[xr.Dataset], xr.Dataset]] = {}
"""What brings a result of a schema version to the next one; must stay lazy."""


def migrated(ds: xr.Dataset, version: int, where: str) -> xr.Dataset:
    """Return a result of an older schema version as one of the present version.

    Raises
    ------
    StoreError
        If this apexr does not know how.
    """
    for step in range(version, schema.SCHEMA_VERSION):
        if step not in MIGRATIONS:
            raise StoreError(
                f"{where}: written with schema version {version}, this apexr reads"
                f" {schema.SCHEMA_VERSION} and has no way from {step} to {step + 1}"
            )
        ds = MIGRATIONS[step](ds).assign_attrs(schema_version=step + 1)
    return ds
