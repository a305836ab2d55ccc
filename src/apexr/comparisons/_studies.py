"""A comparison of all experiments of a study, one after another."""

from collections.abc import Callable
from typing import Any

import xarray as xr

from apexr.errors import SpecError
from apexr.store import join_experiments, list_experiments


def of_each_experiment(store: Any, compare: Callable[[str], xr.Dataset]) -> xr.Dataset:
    """Return the comparisons of all published experiments, joined along ``experiment``.

    Raises
    ------
    SpecError
        If none is published.
    """
    listed = list_experiments(store)
    published = listed["id"][[bool(seeds) for seeds in listed["seeds"]]].tolist()
    if not published:
        raise SpecError(f"{store}: no experiment of the study is published yet")
    return join_experiments({name: compare(name) for name in published})
