"""Whether a result is as declared."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import xarray as xr

from apexr.errors import SchemaError, suggest
from apexr.schema._declared import COORDINATES, SCHEMA_VERSION, VARIABLES, declaration
from apexr.schema._records import CALLBACK
from apexr.schema._variable import KINDS, SPATIAL_DIMS, Variable


def plain_attrs(attrs: Mapping[Any, Any]) -> dict[str, Any]:
    """Return ``attrs`` as strings, numbers and flat lists.

    Raises
    ------
    SchemaError
        If a value is anything else, or a key is not a string.
    """
    problems = list(_attr_problems("attrs", attrs))
    if problems:
        raise SchemaError("\n".join(problems))
    return {key: _plain(value) for key, value in attrs.items()}


def validate(ds: xr.Dataset) -> None:
    """Check a result or a study against the schema; lazy, no value is computed.

    Raises
    ------
    SchemaError
        Listing every problem found.
    """
    problems = [
        *_version_problems(ds),
        *_attr_problems("attrs", ds.attrs),
        *(problem for name, array in ds.variables.items() for problem in _problems(ds, str(name))),
        *(f"dimension {dim!r}: has no coordinate" for dim in ds.dims if dim not in ds.coords),
    ]
    if problems:
        lines = "\n  ".join(problems)
        raise SchemaError(f"not a result of schema version {SCHEMA_VERSION}:\n  {lines}")


def _version_problems(ds: xr.Dataset) -> Iterator[str]:
    version = ds.attrs.get("schema_version")
    if version != SCHEMA_VERSION:
        yield f"attrs['schema_version']: expected {SCHEMA_VERSION}, got {version!r}"


def _problems(ds: xr.Dataset, name: str) -> Iterator[str]:
    array = ds[name]
    if name.removeprefix("has_") in ds.dims and name.startswith(("has_", "update_step_")):
        return
    declared = declaration(name, array)
    if declared is None:
        near = suggest(name, [*VARIABLES, *COORDINATES])
        yield f"variable {name!r}: not declared{near}"
        return
    yield from _dim_problems(ds, array, declared)
    yield from _dtype_problems(array, declared)
    yield from _attr_problems(f"{name}.attrs", array.attrs)
    has_own = name == "time_value" or set(declared.dims) & {"space", *SPATIAL_DIMS}
    if not has_own and array.attrs.get("units", declared.units) != declared.units:
        yield f"variable {name!r}: units are {declared.units!r}, got {array.attrs['units']!r}"
    if name == "time" and array.size and array.dtype.kind in "iu" and array.to_index()[0] < 1:
        yield "coordinate 'time': starts at step 1; step 0 is 'initial_state'"


def _dim_problems(ds: xr.Dataset, array: xr.DataArray, declared: Variable) -> Iterator[str]:
    given = tuple(str(dim) for dim in array.dims if dim != "experiment" or declared.name == dim)
    if declared.dims == CALLBACK.dims:
        if given[:1] != ("seed",) or not any(d.startswith("update_step_") for d in given):
            yield f"variable {declared.name!r}: expected dims (seed, update_step_…, …), got {given}"
        return
    space = sum(dim in ds.dims for dim in SPATIAL_DIMS)
    expected = declared.dims_for(space)
    shorter = tuple(dim for dim in expected if dim not in declared.optional)
    if given not in (expected, shorter):
        yield f"variable {declared.name!r}: expected dims {expected}, got {given}"


def _dtype_problems(array: xr.DataArray, declared: Variable) -> Iterator[str]:
    kinds = KINDS[declared.kind]
    if "experiment" in array.dims and declared.kind == "int":
        kinds += "f"  # whole numbers filled up with NaN
    if array.dtype.kind not in kinds:
        yield f"variable {declared.name!r}: expected {declared.kind}, got {array.dtype}"


def _attr_problems(where: str, attrs: Mapping[Any, Any]) -> Iterator[str]:
    for key, value in attrs.items():
        items = value if isinstance(value, list | tuple) else [value]
        if isinstance(value, np.ndarray) and value.ndim == 1:
            items = value.tolist()
        if not isinstance(key, str) or not all(_is_plain(item) for item in items):
            yield f"{where}[{key!r}]: expected a string, a number or a flat list, got {value!r}"


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int | float | np.integer | np.floating | np.bool_)


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return value
