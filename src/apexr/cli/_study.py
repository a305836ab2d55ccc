"""`apexr study`: many experiments, here or on workers."""

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from apexr.cli._app import app
from apexr.cli._parameters import read_parameters, use_compile_cache
from apexr.cli._text import failure_table, say, study_summary


@app.command()
def study(
    file: Annotated[Path, typer.Argument(help="Study as TOML or JSON: a list or a grid.")],
    store: Annotated[str, typer.Option(help="Folder of the study; what is there is not run.")],
    overwrite: Annotated[bool, typer.Option(help="Run finished experiments again.")] = False,
    allow_python: Annotated[
        bool, typer.Option("--allow-python", help="Run a Python file for its list CONFIGS.")
    ] = False,
    checkpoint_seconds: Annotated[float, typer.Option(help="Time between checkpoints.")] = 60.0,
    fields: Annotated[
        str, typer.Option(help="plain: read by any reader of Zarr; compact: a third less space.")
    ] = "plain",
    packed: Annotated[
        bool | None,
        typer.Option(help="One file an experiment, or a folder; by default as the file says."),
    ] = None,
    progress: Annotated[bool, typer.Option(help="Show progress bars.")] = True,
    workers: Annotated[
        int | None, typer.Option(help="Processes on this machine that share the experiments.")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="Address of a Dask scheduler whose workers run them.")
    ] = None,
    slurm: Annotated[
        int | None, typer.Option(help="SLURM jobs that run them; see --slurm-option.")
    ] = None,
    slurm_option: Annotated[
        list[str] | None,
        typer.Option(help="KEY=VALUE: cores, memory, gpus, walltime, queue, account, …"),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what lies ahead, and run nothing.")
    ] = False,
) -> None:
    """Run a study: every experiment that is not finished, failures apart.

    All errors of the file are said before anything runs. The exit code is 1 if an experiment
    failed; the same command runs what failed or is missing again, and nothing else.
    """
    from apexr.study import load_whole, preview, run_planned

    _check_one_of(("--workers", workers), ("--scheduler", scheduler), ("--slurm", slurm))
    jobs = read_parameters(slurm_option or [], "--slurm-option", ())
    elsewhere = (workers, scheduler, slurm) != (None, None, None)
    if elsewhere:
        _leave_accelerators()
    planned, settings = load_whole(file, allow_python=allow_python)
    if dry_run:
        say(str(preview(planned, store, overwrite=overwrite, workers=workers or 1)))
        return
    use_compile_cache()
    with _client(workers, scheduler, slurm, jobs) as client:
        failures = run_planned(
            planned,
            store,
            client=client,
            overwrite=overwrite,
            checkpoint_seconds=checkpoint_seconds,
            trackers=settings.trackers,
            packed=settings.packed if packed is None else packed,
            fields=fields,  # type: ignore[arg-type]  # checked there
            progress=progress,
        )
    say(study_summary(store, {one.id for one in planned}))
    if failures:
        say(failure_table(failures, len(planned)), err=True)
        raise typer.Exit(1)


def _check_one_of(*options: tuple[str, Any]) -> None:
    """Refuse options that exclude each other."""
    given = [name for name, value in options if value is not None]
    if len(given) > 1:
        raise typer.BadParameter(f"give one of {' and '.join(given)}", param_hint=given[0])


@contextlib.contextmanager
def _client(
    workers: int | None, scheduler: str | None, slurm: int | None, jobs: dict[str, Any]
) -> Iterator[Any]:
    """Give the client of the cluster that is asked for; None where this process does the work."""
    from apexr import study as studies

    if (workers, scheduler, slurm) == (None, None, None):
        yield None
    elif scheduler is not None:
        with studies.connect(scheduler) as client:
            _silence_dask()
            yield client
    else:
        cluster = (
            studies.slurm_cluster(slurm, **jobs)
            if slurm is not None
            else studies.local_cluster(workers or 0)
        )
        with cluster, cluster.get_client() as client:
            _silence_dask()
            yield client


def _silence_dask() -> None:
    """Leave it to the command to say what happens to its cluster: Dask logs tracebacks."""
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] in ("distributed", "tornado"):
            logging.getLogger(name).setLevel(logging.CRITICAL)


def _leave_accelerators() -> None:
    """Leave the GPUs to the workers: what only plans and waits needs none."""
    import jax

    jax.config.update("jax_platforms", "cpu")
