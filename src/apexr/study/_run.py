"""Running a study: one experiment after another, what is finished never again."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr
from tqdm.auto import tqdm

from apexr import analysis
from apexr import store as stores
from apexr._run import CHECKPOINT_SECONDS, check_interval, run_stored
from apexr._typing import PathInput
from apexr.errors import warn
from apexr.scenarios import digest
from apexr.study._configs import Planned, plan_study
from apexr.study._turns import in_turn

Configs = Iterable[Mapping[str, Any]]


def run_study(
    configs: Configs,
    store: PathInput,
    *,
    overwrite: bool = False,
    checkpoint_seconds: float | None = CHECKPOINT_SECONDS,
    progress: bool = True,
) -> xr.Dataset:
    """Return a study, lazily opened, after running what of it is not finished yet.

    Parameters
    ----------
    configs
        Dictionaries with ``scenario``, ``task``, ``net``, ``train``, ``start_seed``,
        ``num_seeds``, ``precision`` and parameters of the scenario.
    store
        A folder for the study; each experiment is published there as soon as it is done.
    overwrite
        Whether to run finished experiments again.
    checkpoint_seconds
        Time from one checkpoint of a training to the next; see :func:`apexr.run`.
    progress
        Whether to show progress bars.

    Raises
    ------
    SpecError
        Listing everything that is wrong in the configurations, before anything runs.
    StoreError
        If the store cannot be written or holds something else.

    Warns
    -----
    ApexrWarning
        Naming the experiments that failed. The others are run all the same; the failures are
        recorded in the store and tried again at the next call.
    """
    planned = plan_study(configs)
    check_interval(checkpoint_seconds)
    options: dict[str, Any] = {"overwrite": overwrite, "checkpoint_seconds": checkpoint_seconds}
    _run_all(planned, store, progress=progress, **options)
    return stores.open_study(store)


def _run_all(planned: list[Planned], store: PathInput, *, progress: bool, **options: Any) -> None:
    stores.create_study(store)
    failures = []
    with tqdm(total=len(planned), desc="study", unit="experiment", disable=not progress) as bar:
        for one in in_turn(planned, store):
            try:
                _run_one(one, store, progress=progress, **options)
            except Exception as error:  # whatever one experiment does, the others go on
                stores.record_failure(store, one.id, error, one.experiment.config)
                failures.append(f"{one.id} {dict(one.experiment.config)}: {error}")
            bar.update()
    if failures:
        message = f"{len(failures)} of {len(planned)} experiments failed:\n" + "\n".join(failures)
        warn(message)


def _run_one(one: Planned, store: PathInput, **options: Any) -> None:
    unit = stores.unit_path(store, one.id)
    run_stored(one.scenario, one.experiment, unit, **options)
    stores.forget_failure(store, one.id)


def run_study_convenience(
    configs: Configs,
    store: PathInput | None = None,
    *,
    do_metrics: bool = True,
    do_loss: bool = False,
    do_sample_rollouts: bool = False,
    metric_name: str | list[str] = "mean_nRMSE",
    parse_kwargs: bool = True,
    overwrite: bool = False,
    progress: bool = True,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, list[Path]]:
    """Return the tables of a study and where its trained networks lie.

    Parameters
    ----------
    configs, store, overwrite, progress
        As in :func:`run_study`. Without a store, a folder in the working directory named by the
        digest of the configurations, so that the same study is found again by any process.
    do_metrics, do_loss, do_sample_rollouts
        Which tables to make; the others are empty.
    metric_name
        The metrics of the first table.
    parse_kwargs
        Whether to give each scenario parameter a column of its own.

    Returns
    -------
    metric_df, loss_df, sample_rollout_df
        Tidy tables, see :func:`apexr.melt_metrics`, :func:`apexr.melt_loss` and
        :func:`apexr.melt_sample_rollouts`.
    network_list
        The stores that :func:`apexr.load_networks` reads, one an experiment.
    """
    planned = plan_study(configs)
    folder = Path(f"apexr_study_{digest(sorted(one.id for one in planned))}.zarr")
    folder = folder if store is None else Path(store)
    _run_all(planned, folder, overwrite=overwrite, progress=progress)
    units = [stores.unit_path(folder, one.id) for one in planned]
    units = [unit for unit in units if stores.is_published(unit)]
    results = [stores.open_experiment(unit) for unit in units]

    def table(wanted: bool, melt: Any, *arguments: Any) -> pd.DataFrame:
        if not wanted or not results:
            return pd.DataFrame()
        parts = [melt(result, *arguments) for result in results]
        joined = pd.concat(parts, ignore_index=True)
        return analysis.read_in_kwargs(joined) if parse_kwargs else joined

    return (
        table(do_metrics, analysis.melt_metrics, metric_name),
        table(do_loss, analysis.melt_loss),
        table(do_sample_rollouts, analysis.melt_sample_rollouts),
        units,
    )
