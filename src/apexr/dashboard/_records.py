"""The experiments of a study: listed again at every request, opened one experiment at a time."""

import os
import time
from collections.abc import Mapping, Sequence

import pandas as pd
import xarray as xr

from apexr import store
from apexr.errors import SpecError, suggest

FILTERS = ("scenario", "task", "net", "train", "state")
"""Columns that a table can be filtered by."""


class Records:
    """The experiments of a study: a table of all, and Datasets of those that are looked at.

    Parameters
    ----------
    path
        The study.

    Raises
    ------
    StoreError
        If that is no study.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = path
        self.study = store.Study.open(path)
        self.table = pd.DataFrame()
        self.seconds = 0.0
        self._opened: dict[str, tuple[str, xr.Dataset]] = {}
        self.refresh()

    def refresh(self) -> bool:
        """List the experiments again; tell whether anything has changed."""
        start = time.perf_counter()
        table = store.list_experiments(self.study)
        self.seconds = time.perf_counter() - start
        changed = not table.equals(self.table)
        self.table = table
        return changed

    def stamps(self, experiments: Sequence[str]) -> dict[str, str]:
        """Return what is published of each experiment, as text that changes with it."""
        rows = self.table[self.table["id"].isin(experiments)]
        stamps = rows["seeds"].map(str) + rows["bytes"].map(str)
        return dict(zip(rows["id"], stamps, strict=True))

    def open(self, experiments: Sequence[str]) -> dict[str, xr.Dataset]:
        """Return experiments by id, lazily; those that were opened last are not opened again."""
        stamps = self.stamps(experiments)
        fresh = {}
        for name in experiments:
            stamp, ds = self._opened.get(name, ("", None))
            if ds is None or stamp != stamps.get(name):
                ds = store.open_experiment(self.study, name)
            fresh[name] = (stamps.get(name, ""), ds)
        self._opened = fresh
        return {name: ds for name, (_, ds) in fresh.items()}


def finished(table: pd.DataFrame) -> pd.DataFrame:
    """Return the experiments of which something can be shown."""
    return table[table["seeds"].map(len) > 0]


def filtered(table: pd.DataFrame, wanted: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Return the experiments that fit all filters.

    Parameters
    ----------
    table
        Of :func:`apexr.list_experiments`.
    wanted
        For each of some columns the values to keep; none keeps all.

    Raises
    ------
    SpecError
        If a column is none of :data:`FILTERS`.
    """
    for name, values in wanted.items():
        if name not in FILTERS:
            near = suggest(name, FILTERS)
            raise SpecError(f"filters are {', '.join(FILTERS)}; got {name!r}{near}")
        if values:
            table = table[table[name].isin(list(values))]
    return table


def choices(table: pd.DataFrame) -> dict[str, list[str]]:
    """Return the values that each filter can have, in order."""
    return {name: sorted(table[name].dropna().astype(str).unique()) for name in FILTERS}


def counted(table: pd.DataFrame) -> str:
    """Return how many experiments are in which state, and how many seeds diverged."""
    if table.empty:
        return "no experiment yet"
    counts = [f"{number} {state}" for state, number in table["state"].value_counts().items()]
    lost, of = int(table["num_diverged"].sum()), int((table["num_diverged"] > 0).sum())
    words = f"{lost} seed{'s' * (lost != 1)} diverged in {of} experiment{'s' * (of != 1)}"
    return " · ".join([f"{len(table)} experiments", *counts, *([words] if lost else [])])
