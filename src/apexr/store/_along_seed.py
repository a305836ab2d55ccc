"""Parts of one experiment as one result: lazily joined along ``seed``."""

import json
from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from apexr._digest import SEED_KEYS, canonical_json
from apexr.errors import StoreError
from apexr.store._parts import experiment_of

_SECONDS = "_seconds"


def along_seed(parts: Sequence[xr.Dataset]) -> xr.Dataset:
    """Return one result from results of the same experiment for other seeds, seeds in order.

    A seed that several parts hold is taken from the first of them. Times that a part spent on all
    its seeds together are added up; what does not depend on the seed is taken from the first part;
    attributes in which the parts differ are left out.

    Raises
    ------
    StoreError
        If the parts do not fit together.
    """
    if len(parts) == 1:
        return parts[0]
    parts = sorted(parts, key=_seeds)
    try:
        joined = xr.concat(
            _own_seeds(parts),
            dim="seed",
            data_vars="minimal",
            coords="minimal",
            compat="override",
            join="outer",
            combine_attrs="drop_conflicts",
        )
    except ValueError as error:
        raise StoreError(f"parts of one experiment do not fit together: {error}") from error
    joined = joined.assign(_total_seconds(parts))[list(parts[0].data_vars)]
    return _in_order(joined).assign_attrs(_identity(parts[0]))


def weights_along_seed(
    parts: Sequence[Mapping[str, np.ndarray]], seeds: Sequence[Sequence[int]]
) -> dict[str, np.ndarray]:
    """Return the weights of all seeds, leading with them, as :func:`along_seed` orders them.

    Parameters
    ----------
    parts
        The weights of each part; those of a single seed do not lead with it.
    seeds
        The seeds of each part.
    """
    if len(parts) == 1:
        return dict(parts[0])
    leading = [
        {name: values[None] if len(held) == 1 else values for name, values in part.items()}
        for part, held in zip(parts, seeds, strict=True)
    ]
    _, first = np.unique(np.concatenate([np.asarray(held) for held in seeds]), return_index=True)
    return {name: np.concatenate([part[name] for part in leading])[first] for name in leading[0]}


def _seeds(part: xr.Dataset) -> list[int]:
    return part["seed"].values.tolist() if "seed" in part.coords else []


def _own_seeds(parts: Sequence[xr.Dataset]) -> list[xr.Dataset]:
    """Return the parts without the seeds that a part before them holds."""
    taken: set[int] = set()
    kept = []
    for part in parts:
        seeds = part["seed"].values.tolist()
        own = [index for index, seed in enumerate(seeds) if seed not in taken]
        taken.update(seeds)
        if own:
            kept.append(part if len(own) == len(seeds) else part.isel(seed=own))
    return kept


def _total_seconds(parts: Sequence[xr.Dataset]) -> dict[str, xr.DataArray]:
    """Return the times that each part has one number of, added up."""
    names = [str(name) for name in parts[0].data_vars if str(name).endswith(_SECONDS)]
    shared = [n for n in names if all(n in part and not part[n].dims for part in parts)]
    return {
        name: sum((part[name] for part in parts[1:]), parts[0][name]).assign_attrs(
            parts[0][name].attrs
        )
        for name in shared
    }


def _in_order(joined: xr.Dataset) -> xr.Dataset:
    order = np.argsort(joined["seed"].values, kind="stable")
    ordered = np.array_equal(order, np.arange(order.size))
    return joined if ordered else joined.isel(seed=order)


def _identity(part: xr.Dataset) -> dict[str, str]:
    """Return the attributes that say which experiment it is, whatever its seeds."""
    if "specification" not in part.attrs:
        return {}
    held = json.loads(part.attrs["specification"])
    bare = {key: value for key, value in held.items() if key not in SEED_KEYS}
    return {"experiment_id": experiment_of(part.attrs), "specification": canonical_json(bare)}
