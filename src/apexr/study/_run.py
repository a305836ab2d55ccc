"""Running a study: one experiment after another, what is finished never again."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import pandas as pd
import xarray as xr

from apexr import analysis
from apexr import store as stores
from apexr._compile import keep_compiled
from apexr._digest import digest
from apexr._run import CHECKPOINT_SECONDS, check_interval, run_stored
from apexr._typing import PathInput
from apexr.errors import warn
from apexr.experiment import Experiment
from apexr.study._configs import Planned, Study, plan_study
from apexr.study._progress import Progress
from apexr.study._turns import Work, in_turn


@dataclass(frozen=True)
class Failure:
    """An experiment that did not come to its end.

    Attributes
    ----------
    experiment
        Which.
    error
        What it failed with.
    """

    experiment: Planned
    error: Exception

    def __str__(self) -> str:
        """Return one line: id, configuration, error."""
        config = dict(self.experiment.experiment.config)
        return f"{self.experiment.id} {config}: {type(self.error).__name__}: {self.error}"


def run_study(
    configs: Study,
    store: PathInput,
    *,
    overwrite: bool = False,
    allow_python: bool = False,
    checkpoint_seconds: float | None = CHECKPOINT_SECONDS,
    progress: bool = True,
) -> xr.Dataset:
    """Return a study, lazily opened, after running what of it is not finished yet.

    Parameters
    ----------
    configs
        A list of dictionaries with ``scenario``, ``task``, ``net``, ``train``, ``start_seed``,
        ``num_seeds`` and parameters of the scenario; a grid, in which lists are axes; or a TOML or
        JSON file. See :mod:`apexr.study`.
    store
        A folder for the study; each experiment is published there as soon as it is done. Of an
        experiment that is there with some of its seeds, only the others are run.
    overwrite
        Whether to run finished experiments again.
    allow_python
        Whether a file may be a Python program, which is run for its list ``CONFIGS``.
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
    planned = plan_study(configs, allow_python=allow_python)
    options: dict[str, Any] = {"overwrite": overwrite, "checkpoint_seconds": checkpoint_seconds}
    _warn_of_failures(run_planned(planned, store, progress=progress, **options), planned)
    return stores.open_study(store)


def run_planned(
    planned: Sequence[Planned],
    store: PathInput,
    *,
    overwrite: bool = False,
    checkpoint_seconds: float | None = CHECKPOINT_SECONDS,
    progress: bool = True,
) -> list[Failure]:
    """Run what is not finished of a planned study and return what failed.

    Experiments of equal shape run one after the other with the same compiled programs, which are
    dropped when the shape changes: a process may only hold so many of them.
    """
    check_interval(checkpoint_seconds)
    keep_compiled()
    stores.create_study(store)
    pending = _pending(planned, store, overwrite=overwrite)

    def remaining(one: Planned) -> list[Experiment]:
        """Return what another process has left to be run."""
        return _missing(one, stores.find_parts(store).get(one.id, []), overwrite=False)

    bar = Progress(planned, [one for one, _ in pending], shown=progress)
    options: dict[str, Any] = {"overwrite": overwrite, "checkpoint_seconds": checkpoint_seconds}
    failures = []
    with stores.planned(store, [_entry(one) for one in planned]), _compiled_per_shape() as enter:
        for one, parts in in_turn(pending, store, remaining):
            enter(one.shape)
            with bar.running(one):
                try:
                    _run_parts(one, parts, store, progress=progress, **options)
                except Exception as error:  # whatever one experiment does, the others go on
                    stores.record_failure(store, one.id, error, one.experiment.config)
                    failures.append(Failure(one, error))
        bar.close()
    return failures


def _entry(one: Planned) -> dict[str, Any]:
    return {"id": one.id, "config": dict(one.experiment.config), "seeds": list(one.seeds)}


def _pending(planned: Sequence[Planned], store: PathInput, *, overwrite: bool) -> list[Work]:
    """Return the experiments of which something is to be run, equal shapes side by side."""
    held = stores.find_parts(store, remember=True)
    work = [(one, _missing(one, held.get(one.id, []), overwrite=overwrite)) for one in planned]
    pending = [(one, parts) for one, parts in work if parts]
    first = {one.shape: place for place, (one, _) in reversed(list(enumerate(pending)))}
    return sorted(pending, key=lambda item: first[item[0].shape])


def _missing(one: Planned, held: list[stores.Part], *, overwrite: bool) -> list[Experiment]:
    """Return the parts of an experiment that are to be run."""
    wanted = set(one.seeds)
    overlapping = [part.seeds for part in held if wanted & set(part.seeds)]
    again = overlapping if overwrite else []
    absent = wanted - {seed for seeds in overlapping for seed in seeds}
    return [one.part(seeds) for seeds in (*again, *stores.ranges(absent))]


def _run_parts(one: Planned, parts: Sequence[Experiment], store: PathInput, **options: Any) -> None:
    for part in parts:
        unit = stores.unit_path(store, part.attrs["experiment_id"])
        stores.forget_failure(store, unit.name)  # noted by an older release, seeds and all
        run_stored(one.scenario, part, unit, **options)
    stores.forget_failure(store, one.id)


@contextmanager
def _compiled_per_shape() -> Iterator[Any]:
    """Give the function that is told the shape of the next experiment."""
    shapes: list[str] = []

    def enter(shape: str) -> None:
        if shapes and shapes[-1] != shape:
            jax.clear_caches()
        shapes[:] = [shape]

    yield enter


def _warn_of_failures(failures: Sequence[Failure], planned: Sequence[Planned]) -> None:
    if failures:
        lines = "\n".join(map(str, failures))
        warn(f"{len(failures)} of {len(planned)} experiments failed:\n{lines}")


def run_study_convenience(
    configs: Study,
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
        digest of the experiments, so that the same study is found again by any process, also
        when it asks for more seeds.
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
    failures = run_planned(planned, folder, overwrite=overwrite, progress=progress)
    _warn_of_failures(failures, planned)
    held = stores.find_parts(folder)
    there = [one for one in planned if one.id in held]
    results = [_asked_for(stores.open_experiment(folder, one.id), one) for one in there]

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
        [_where(folder, held[one.id], one.id) for one in there],
    )


def _asked_for(result: xr.Dataset, one: Planned) -> xr.Dataset:
    """Return the seeds of a result that the study asks for; the store may hold more."""
    return result.isel(seed=result["seed"].isin(one.seeds).values)


def _where(folder: Path, parts: list[stores.Part], experiment: str) -> Path:
    """Return the folder of an experiment; one that lies in several goes by its id."""
    return stores.unit_path(folder, parts[0].unit if len(parts) == 1 else experiment)
