"""The settings of a study, in words."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from apexr.analysis._selection import keyword_rows
from apexr.store import open_experiment

_SIZES = (
    "num_spatial_dims",
    "num_points",
    "num_channels",
    "ic_config",
    "num_warmup_steps",
    "num_train_samples",
    "subset_of",
    "train_temporal_horizon",
    "num_test_samples",
    "test_temporal_horizon",
    "optim_config",
    "batch_size",
)
"""Parameters that have words of their own."""
_SILENT = (
    "train_seed",
    "test_seed",
    "valid_seed",
    "num_trjs_returned",
    "record_loss_every",
    "vlim",
    "report_metrics",
    "callbacks",
)
_MADE_WITH = ("apexr_version", "jax_version", "device", "precision")


def settings(study: xr.Dataset, store: Any) -> list[str]:
    """Return sentences about scenarios, networks, trainings, seeds and machines.

    Parameters
    ----------
    study
        The results, along ``experiment``.
    store
        Where they are from; None where that is not known.
    """
    told = [_counts(study)]
    for name, place in _scenarios(study).items():
        given = _specification(study, store, place)
        told.append(f"{name}: {_words(given)}" if given else f"{name}.")
    for label, words in (("net", "Networks"), ("train", "Trainings"), ("task", "Tasks")):
        values = _values(study, label)
        if values:
            told.append(f"{words}: {', '.join(values)}.")
    told.append(_machine(study))
    return [sentence for sentence in told if sentence]


def deviations(study: xr.Dataset, store: Any) -> list[str]:
    """Return how data differ from those of the stated equations, a sentence for each scenario."""
    told = []
    for name, place in _scenarios(study).items():
        attrs = _attributes(study, store, place)
        if attrs.get("numerics_deviations"):
            told.append(f"{name}: {attrs['numerics_deviations']}.")
    return told


def _counts(study: xr.Dataset) -> str:
    number = study.sizes["experiment"]
    runs = _numbers_of_seeds(study)
    each = f"{runs.min()}" if runs.min() == runs.max() else f"{runs.min()} to {runs.max()}"
    kinds = [
        f"{len(_values(study, label))} {one if len(_values(study, label)) == 1 else many}"
        for label, one, many in (
            ("scenario", "scenario", "scenarios"),
            ("net", "network", "networks"),
            ("train", "training", "trainings"),
            ("task", "task", "tasks"),
        )
        if label in study.coords
    ]
    return (
        f"{number} experiment{'s' if number != 1 else ''} ({', '.join(kinds)}) with {each} seeds"
        f" each, {int(runs.sum())} runs in all."
    )


def _numbers_of_seeds(study: xr.Dataset) -> np.ndarray:
    held = study.coords.get("has_seed")
    if held is None:
        return np.full(study.sizes["experiment"], study.sizes.get("seed", 1))
    return np.asarray(held.transpose("experiment", "seed").values.sum(axis=1))


def _values(study: xr.Dataset, label: str) -> list[str]:
    if label not in study.coords:
        return []
    return list(dict.fromkeys(str(value) for value in np.atleast_1d(study[label].values)))


def _scenarios(study: xr.Dataset) -> dict[str, int]:
    """Return the place of one experiment of each scenario and its keywords, by their names."""
    found: dict[str, int] = {}
    names = np.broadcast_to(study["scenario"].values, study.sizes["experiment"])
    for place, (name, keywords) in enumerate(zip(names, keyword_rows(study), strict=True)):
        found.setdefault(f"{name}{_in_brackets(keywords)}", place)
    return found


def _in_brackets(keywords: Mapping[str, Any]) -> str:
    own = {k: v for k, v in keywords.items() if k not in (*_SIZES, *_SILENT)}
    return f" ({', '.join(f'{k} {v}' for k, v in own.items())})" if own else ""


def _attributes(study: xr.Dataset, store: Any, place: int) -> Mapping[str, Any]:
    if store is None or "experiment" not in study.coords:
        return study.attrs
    return open_experiment(store, str(study["experiment"].values[place])).attrs


def _specification(study: xr.Dataset, store: Any, place: int) -> Mapping[str, Any]:
    """Return all parameters of the scenario of an experiment, or those that are known."""
    try:
        told = json.loads(str(_attributes(study, store, place).get("specification", "{}")))
    except ValueError:
        told = {}
    parameters = told.get("parameters") if isinstance(told, dict) else None
    return parameters if isinstance(parameters, dict) else keyword_rows(study)[place]


def _words(given: Mapping[str, Any]) -> str:
    """Return the sizes of a scenario as a sentence, then its other parameters."""

    def of(name: str) -> str:
        value = given.get(name, "unknown")
        return " x ".join(map(str, value)) if isinstance(value, list) else str(value)

    parts = []
    if "num_points" in given:
        dims, channels = of("num_spatial_dims"), of("num_channels")
        space = f"{dims}D, " if "num_spatial_dims" in given else ""
        more = f", {channels} channel{'s' if channels != '1' else ''}" * ("num_channels" in given)
        parts.append(f"{space}{of('num_points')} points an axis{more}")
    for which, words in (("train", "training"), ("test", "test")):
        if f"num_{which}_samples" in given:
            steps = f" of {of(f'{which}_temporal_horizon')} steps"
            known = f"{which}_temporal_horizon" in given
            subset = f", the first of {of('subset_of')}" * (
                which == "train" and "subset_of" in given
            )
            parts.append(
                f"{of(f'num_{which}_samples')} {words} trajectories{steps * known}{subset}"
            )
    for name, words in (
        ("ic_config", "initial states {}"),
        ("optim_config", "optimizer {}"),
        ("batch_size", "mini-batches of {} windows"),
    ):
        if name in given:
            parts.append(words.format(of(name)))
    rest = [f"{name} {of(name)}" for name in given if name not in (*_SIZES, *_SILENT)]
    own = f" Its parameters: {', '.join(rest)}." if rest else ""
    return "; ".join(parts) + "." + own


def _machine(study: xr.Dataset) -> str:
    said = [
        f"{name.removesuffix('_version')} {study.attrs[name]}"
        for name in _MADE_WITH
        if name in study.attrs
    ]
    return f"Made with {', '.join(said)}." if said else ""


def in_brief(values: Sequence[str], most: int) -> str:
    """Return some values, and how many more there are."""
    more = len(values) - most
    return ", ".join(values[:most]) + (f" and {more} more" if more > 0 else "")
