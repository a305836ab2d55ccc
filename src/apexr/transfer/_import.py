"""From a table and its weights to published experiments."""

import dataclasses
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from apexr import labels
from apexr import store as stores
from apexr._digest import canonical_json, experiment_id
from apexr._precision import computing_in
from apexr._typing import PathInput
from apexr.engine import count_parameters, named_shapes, skeleton
from apexr.errors import SpecError
from apexr.exchange.benchmark._table import Table, read_tables
from apexr.exchange.benchmark._weights import read_blocks, weights_of
from apexr.experiment import Experiment
from apexr.scenarios import Request, plan
from apexr.schema import identifier
from apexr.transfer._scenario import scenario_of

WEIGHTS = ".eqx"
_SEEDS = re.compile(r".*__(\d+)-(\d+)")
ORIGIN = "table of results"
"""The origin in an imported experiment's specification: apexr has not run it."""


@dataclasses.dataclass(frozen=True)
class Imported:
    """An experiment that has been imported.

    Attributes
    ----------
    id
        Its id in the study.
    seeds
        Which.
    weights
        The file of its weights, None if there is none.
    """

    id: str
    seeds: tuple[int, ...]
    weights: Path | None


def import_results(
    file: PathInput,
    store: PathInput,
    *,
    weights: PathInput | None = None,
    scenario: str | None = None,
    **scenario_kwargs: Any,
) -> list[Imported]:
    """Return the experiments that a table of the published benchmark has brought into a study.

    The numbers stay what they are. Experiments carry ids of their own, so that they stand next to
    those that apexr runs; importing a file again changes nothing. Nothing in the files is run.

    Parameters
    ----------
    file
        Wide table (CSV): one row for each seed. It is read whole before anything is published.
    store
        A study; it is made where there is none.
    weights
        The networks (``.eqx``) of a table of one experiment. By default the file of the same name
        next to the table, or in the folder ``network_weights`` next to its folder, if there is one;
        then :func:`apexr.load_networks` gives the networks.
    scenario
        Key of the scenario, where neither the name of the file nor its content tells.
    **scenario_kwargs
        Parameters of the scenario that the table does not say, but which differ from the defaults.

    Raises
    ------
    SpecError
        If the table is not of this form or does not fit the scenario.
    StoreError
        If a file cannot be read, is cut, or the weights are of another experiment; if the store
        cannot be written.

    Examples
    --------
    >>> apexr.import_results("results/raw/diff_adv__predict__…__0-9.csv", "published.zarr")
    """
    path = Path(file)
    tables = read_tables(path)
    _check_seeds(path, tables)
    given = _weights_file(path, weights, len(tables))
    made = [_experiment(table, given, scenario, scenario_kwargs) for table in tables]
    study = stores.Study.at(store)
    stores.create_study(study.place)
    found = []
    for result, arrays in made:
        stores.publish_seeds(result, arrays, study)
        name = experiment_id(json.loads(result.attrs["specification"]))
        found.append(Imported(name, tuple(result["seed"].values.tolist()), given))
    stores.keep_index(study, least=stores.WORTH_AN_INDEX)
    return found


def _check_seeds(path: Path, tables: list[Table]) -> None:
    """Refuse a table that lacks seeds which its name promises: the file is cut."""
    match = _SEEDS.fullmatch(path.stem)
    if match is None or len(tables) != 1:
        return
    wanted = tuple(range(int(match[1]), int(match[2]) + 1))
    if tuple(sorted(tables[0].seeds)) != wanted:
        raise SpecError(
            f"{path}: its name says seeds {stores.in_short(wanted)}, it has"
            f" {stores.in_short(tables[0].seeds)}; the file is cut, or has another name"
        )


def _weights_file(path: Path, given: PathInput | None, num_experiments: int) -> Path | None:
    if given is None:
        beside = path.with_suffix(WEIGHTS)
        places = (beside, path.parent.parent / "network_weights" / beside.name)
        return next((place for place in places if place.is_file()), None)
    if num_experiments > 1:
        raise SpecError(f"{path}: holds {num_experiments} experiments; weights are of one alone")
    return Path(given)


def _experiment(
    table: Table, weights: Path | None, key: str | None, keywords: Mapping[str, Any]
) -> tuple[xr.Dataset, dict[str, np.ndarray]]:
    """Return the labeled result of a table, and the weights."""
    scenario, told = scenario_of(table, key, keywords)
    blocks = read_blocks(weights) if weights else []
    double = any(b.dtype == np.float64 for b in blocks if b.ndim) if blocks else table.double
    request = Request(
        task=table.labels["task"],
        net=table.labels["net"],
        train=table.labels["train"],
        start_seed=min(table.seeds),
        precision="float64" if double else "float32",
    )
    experiment = plan(scenario, request, told or None)
    result = _result(table, experiment)
    if weights is None:
        return result, {}
    with computing_in(experiment.precision):
        shapes = named_shapes(skeleton(experiment.emulator))
    arrays = weights_of(
        weights,
        blocks,
        shapes,
        network=str(experiment.emulator.network).partition(";")[0],
        num_seeds=len(table.seeds),
        alone=request.task == "predict",
    )
    return result, arrays


def _result(table: Table, experiment: Experiment) -> xr.Dataset:
    dtype = np.dtype(experiment.precision)
    arrays: dict[str, Any] = {
        identifier(name): values.astype(dtype) for name, values in table.metrics.items()
    }
    if table.update_steps:
        arrays["train_loss"] = table.losses.astype(dtype)
    arrays |= _states(table, dtype)
    arrays["num_parameters"] = count_parameters(experiment.emulator)
    arrays["num_train_samples"] = experiment.shapes["train"][0]
    specification = {**json.loads(experiment.attrs["specification"]), "origin": ORIGIN}
    return labels.experiment(
        arrays,
        experiment.axes,
        seeds=table.seeds,
        update_steps=table.update_steps,
        config=experiment.config,
        metrics={identifier(name): name for name in table.metrics},
        records=[labels.Recorded(name, *held) for name, held in table.records.items()],
        attrs={
            **experiment.attrs,
            "specification": canonical_json(specification),
            "origin": ORIGIN,
            "precision": experiment.precision,
        },
    )


def _states(table: Table, dtype: np.dtype[Any]) -> dict[str, np.ndarray]:
    """Return the trajectories of a table: predictions from step 1 on, and their initial states."""
    if table.rollouts is None:
        return {}
    states = table.rollouts.astype(dtype)
    if not np.array_equal(states[:1, :, 0].repeat(len(states), axis=0), states[:, :, 0]):
        raise SpecError(f"{table.where}: the seeds do not start from the same states")
    return {"sample_rollout": states[:, :, 1:], "initial_state": states[0, :, 0]}
