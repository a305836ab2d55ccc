"""Running a study: what is finished never again, what fails stops nobody."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import pandas as pd
import xarray as xr

from apexr import analysis
from apexr import store as stores
from apexr._digest import digest
from apexr._memory import available_memory
from apexr._run import CHECKPOINT_SECONDS, Storing
from apexr._typing import PathInput
from apexr.engine import available_bytes
from apexr.errors import SpecError, StoreError, Terminated, suggest, warn
from apexr.experiment import Attendants
from apexr.kernels import keep_compiled
from apexr.study._clients import check_client, count_workers, memory_of_workers
from apexr.study._configs import Configs, load_whole, spelt_as_stored
from apexr.study._estimate import Estimate, Outlook, Progress, measured, outlook, require_room
from apexr.study._planned import Planned
from apexr.study._work import (
    Failure,
    Programs,
    Work,
    check_data,
    in_turn,
    pending_work,
    remaining,
    run_parts,
    told,
)
from apexr.trackers import Watcher, as_trackers

if TYPE_CHECKING:
    from distributed import Client

Fields = Literal["plain", "compact"]
"""How fields are stored: as any reader of Zarr reads them, or in less space."""


def run_study(
    configs: Configs,
    store: PathInput | None = None,
    *,
    base_path: PathInput | None = None,
    client: "Client | None" = None,
    overwrite: bool = False,
    allow_python: bool = False,
    checkpoint_seconds: float | None = CHECKPOINT_SECONDS,
    trackers: Sequence[Watcher | str] = (),
    fields: Fields = "plain",
    packed: bool | None = None,
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
        A folder or a URL for the study; each experiment is published there as soon as it is done.
        Of an experiment that is there with some of its seeds, only the others are run.
    base_path
        The published benchmark's name for the store.
    client
        A client of a Dask cluster whose workers run the experiments, one each at a time, and
        publish them; they must see the store by the same path or URL. The cluster may be adaptive
        and have no worker yet. By default this process runs them. See
        :func:`apexr.study.local_cluster`.
    overwrite
        Whether to run finished experiments again.
    allow_python
        Whether a file may be a Python program, which is run for its list ``CONFIGS``.
    checkpoint_seconds
        Time from one checkpoint of a training to the next; see :func:`apexr.run`.
    trackers
        Who watches the trainings, here or on the workers, besides those in the study's table
        ``trackers``: ``"tensorboard"``, ``"mlflow"``, ``"wandb"`` or what else
        :mod:`apexr.trackers` and :func:`apexr.run` know. The workers get copies.
    fields
        ``"plain"`` stores all with codecs of the Zarr specification, which any reader has;
        ``"compact"`` stores fields and errors of samples with pcodec, in a third less space.
    packed
        True publishes one file an experiment instead of a folder of some fifty, False folders; by
        default what the study's key ``packed`` says, else folders. A study may hold both, and
        everything reads both; see :func:`apexr.store.pack`.
    progress
        Whether to show what lies ahead, and progress bars.

    Raises
    ------
    SpecError
        Listing everything that is wrong in the configurations, or what cannot fit into memory,
        before anything runs.
    StoreError
        If the store cannot be written, and something is left to be run, or holds something else;
        if recorded data have changed since experiments of the study were run on them.
    KeyboardInterrupt
        After Ctrl-C: what runs is left with a checkpoint, and the same call goes on from there. A
        second Ctrl-C ends at once.
    Terminated
        After SIGTERM, likewise.
    ClusterError
        If the scheduler of the cluster is lost; the same call goes on from there.

    Warns
    -----
    ApexrWarning
        Naming the experiments that failed. The others are run all the same; the failures are
        recorded in the store and tried again at the next call.
    """
    check_client(client)
    store = _store_of(store, base_path)
    if store is None:
        raise SpecError("run_study needs a store: a folder for the study, such as 'study.zarr'")
    study = stores.Study.at(store)
    given = as_trackers(trackers)
    planned, settings = load_whole(configs, allow_python=allow_python)
    failures = run_planned(
        planned,
        study,
        client=client,
        overwrite=overwrite,
        checkpoint_seconds=checkpoint_seconds,
        trackers=(*given, *settings.trackers),
        fields=fields,
        packed=settings.packed if packed is None else packed,
        progress=progress,
    )
    _warn_of_failures(failures, planned)
    return stores.open_study(study)


def run_planned(
    planned: Sequence[Planned],
    store: PathInput | stores.Study,
    *,
    client: "Client | None" = None,
    overwrite: bool = False,
    checkpoint_seconds: float | None = CHECKPOINT_SECONDS,
    trackers: Sequence[Watcher | str] = (),
    fields: Fields = "plain",
    packed: bool = False,
    progress: bool = True,
) -> list[Failure]:
    """Run what is not finished of a planned study and return what failed.

    Parameters and errors are those of :func:`run_study`.
    """
    storing = Storing(checkpoint_seconds, overwrite, fields == "compact", packed)
    check_client(client)
    attendants = Attendants(progress, as_trackers(trackers))
    if fields not in get_args(Fields):
        near = suggest(str(fields), get_args(Fields))
        raise SpecError(f'fields must be "plain" or "compact", got {fields!r}{near}')
    study = stores.Study.at(store)
    held = study.parts()
    planned = spelt_as_stored(planned, study, held)
    pending = pending_work(planned, held, overwrite=overwrite)
    if not overwrite:
        check_data([one for one, _ in pending], study)
    if pending:
        require_room(pending, available_bytes() if client is None else memory_of_workers(client))
    elif not _can_be_written(study):
        return []
    stores.create_study(study.place)
    study.note_parts(held)
    estimate = measured(planned, pending, study, held) if pending else Estimate()
    bar = Progress(planned, [one for one, _ in pending], estimate, shown=progress)
    with study.notes.planned([_entry(one) for one in planned]):
        try:
            if pending:
                workers = 1 if client is None else count_workers(client)
                bar.say(str(outlook(planned, pending, estimate, workers=max(1, workers))))
            if client is None:
                failures = _run_here(pending, study, bar, attendants, storing)
            else:
                from apexr.study._cluster import run_on

                failures = run_on(client, pending, study, bar, attendants, storing)
        finally:
            bar.close()
    stores.keep_index(study, least=stores.WORTH_AN_INDEX)
    return failures


def preview(
    planned: Sequence[Planned],
    store: PathInput | stores.Study,
    *,
    overwrite: bool = False,
    workers: int = 1,
) -> Outlook:
    """Return what lies ahead of a study; nothing is run or written.

    Raises
    ------
    SpecError
        If an experiment cannot fit into memory.
    """
    study = stores.Study.at(store)
    held = study.parts()
    planned = spelt_as_stored(planned, study, held)
    pending = pending_work(planned, held, overwrite=overwrite)
    require_room(pending, available_memory() // workers)
    return outlook(planned, pending, measured(planned, pending, study, held), workers=workers)


def _run_here(
    pending: Sequence[Work],
    study: stores.Study,
    bar: Progress,
    attendants: Attendants,
    storing: Storing,
) -> list[Failure]:
    """Run experiments in this process, those of equal shape in a row."""
    keep_compiled()
    programs = Programs()
    failures = []
    try:
        for one, parts in in_turn(pending, study, lambda one: remaining(one, study)):
            programs.enter(one.shape)
            spent, published = None, False
            try:
                again = parts if storing.overwrite else ()
                spent = run_parts(one, remaining(one, study, again), study, attendants, storing)
                published = True
            except Exception as error:  # whatever one experiment does, the others go on
                study.notes.record_failure(one.id, error, one.experiment.config)
                failures.append(Failure(one, told(error)))
            bar.finish(one, spent, published=published)
    except (KeyboardInterrupt, Terminated) as stop:  # a training that was stopped says how far
        far = f"{bar.published()}; the same call goes on from there"
        raise type(stop)(str(stop) or far) from stop
    return failures


def _can_be_written(study: stores.Study) -> bool:
    try:
        stores.check_writable(study.place, "study")
    except StoreError:
        return False
    return True


def _entry(one: Planned) -> dict[str, Any]:
    return {"id": one.id, "config": dict(one.experiment.config), "seeds": list(one.seeds)}


def _warn_of_failures(failures: Sequence[Failure], planned: Sequence[Planned]) -> None:
    if failures:
        lines = "\n".join(map(str, failures))
        warn(f"{len(failures)} of {len(planned)} experiments failed:\n{lines}")


def run_study_convenience(
    configs: Configs,
    store: PathInput | None = None,
    *,
    base_path: PathInput | None = None,
    do_metrics: bool = True,
    do_loss: bool = False,
    do_sample_rollouts: bool = False,
    metric_name: str | list[str] = "mean_nRMSE",
    parse_kwargs: bool = True,
    overwrite: bool = False,
    progress: bool = True,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, list[stores.Place]]:
    """Return the tables of a study and where its trained networks lie.

    Parameters
    ----------
    configs, store, base_path, overwrite, progress
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
    store = _store_of(store, base_path)
    planned, settings = load_whole(configs)
    named = Path(f"apexr_study_{digest(sorted(one.id for one in planned))}.zarr")
    study = stores.Study.at(named if store is None else store)
    failures = run_planned(
        planned,
        study,
        overwrite=overwrite,
        trackers=settings.trackers,
        packed=settings.packed,
        progress=progress,
    )
    _warn_of_failures(failures, planned)
    held = study.parts()
    there = [one for one in planned if one.id in held]
    results = [_asked_for(stores.open_experiment(study, one.id), one) for one in there]

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
        [_where(study, held[one.id], one.id) for one in there],
    )


def _store_of(store: PathInput | None, base_path: PathInput | None) -> PathInput | None:
    """Return the one of two names of a store that is given."""
    if store is not None and base_path is not None:
        raise SpecError("base_path is another name of store; give one of them alone")
    return base_path if store is None else store


def _asked_for(result: xr.Dataset, one: Planned) -> xr.Dataset:
    """Return the seeds of a result that the study asks for; the store may hold more."""
    return result.isel(seed=result["seed"].isin(one.seeds).values)


def _where(study: stores.Study, parts: list[stores.Part], experiment: str) -> stores.Place:
    """Return the folder of an experiment; one that lies in several goes by its id."""
    return stores.unit_path(study.place, parts[0].unit if len(parts) == 1 else experiment)
