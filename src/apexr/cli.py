"""The command line: thin commands over the Python interface."""

import contextlib
import enum
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from apexr import __version__
from apexr._typing import Precision
from apexr.errors import (
    ApexrError,
    DivergenceError,
    MissingExtraError,
    StoreError,
    WorkerDiedError,
)

app = typer.Typer(
    help="A laboratory for neural emulators of partial differential equations.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

STEPS = (1, 2, 3, 4, 5, 10, 20, 50, 100, 200)
"""Time steps of the tables that commands print."""

_OPTIONS = (
    "scenario",
    "task",
    "net",
    "train",
    "start_seed",
    "num_seeds",
    "precision",
    "store",
    "checkpoint_seconds",
    "progress",
)
_PICTURES = (".png", ".svg", ".pdf", ".html")
_PYTHON_WORDS = {"True": "true", "False": "false"}


class Registered(enum.StrEnum):
    """What ``apexr list`` knows."""

    scenarios = enum.auto()
    networks = enum.auto()
    activations = enum.auto()
    metrics = enum.auto()
    trainings = enum.auto()
    tasks = enum.auto()
    optimizers = enum.auto()
    schedules = enum.auto()
    initial_conditions = enum.auto()
    callbacks = enum.auto()


class Format(enum.StrEnum):
    """File formats of ``apexr export``."""

    csv = enum.auto()
    parquet = enum.auto()
    netcdf = enum.auto()
    safetensors = enum.auto()


_WRITERS = {
    Format.csv: ("pandas", "pandas"),
    Format.parquet: ("pyarrow", "pyarrow"),
    Format.netcdf: ("h5netcdf", '"apexr[netcdf]"'),
    Format.safetensors: ("safetensors", '"apexr[safetensors]"'),
}
"""The package that writes a format, and how to install it."""


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"apexr {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Say which.")
    ] = False,
) -> None:
    """Options of all commands."""


@app.command()
def run(
    scenario: Annotated[str, typer.Argument(help="Scenario key; see `apexr list scenarios`.")],
    task: Annotated[str, typer.Option(help="Config string of the task.")] = "predict",
    net: Annotated[str, typer.Option(help="Config string of the network.")] = "Conv;34;10;relu",
    train: Annotated[str, typer.Option(help="Config string of the training.")] = "one",
    start_seed: Annotated[int, typer.Option(help="First seed.")] = 0,
    num_seeds: Annotated[int, typer.Option(help="Number of seeds.")] = 1,
    precision: Annotated[
        Precision | None, typer.Option(help="Of everything; by default what JAX is set to.")
    ] = None,
    store: Annotated[Path | None, typer.Option(help="Zarr store for the result.")] = None,
    checkpoint_seconds: Annotated[
        float, typer.Option(help="Time between checkpoints, with a store.")
    ] = 60.0,
    plot: Annotated[Path | None, typer.Option(help="Picture of the result, .png or .html.")] = None,
    progress: Annotated[bool, typer.Option(help="Show a progress bar.")] = True,
    parameters: Annotated[
        list[str] | None,
        typer.Option("--set", help="Scenario parameter, KEY=VALUE; may be repeated."),
    ] = None,
) -> None:
    """Run one experiment and print its errors; a finished one is read from the store."""
    import apexr

    keywords = _read_parameters(parameters or [])
    _check_picture(plot)
    _use_compile_cache()
    result = apexr.run(
        scenario,
        task=task,
        net=net,
        train=train,
        start_seed=start_seed,
        num_seeds=num_seeds,
        precision=precision,
        store=store,
        checkpoint_seconds=checkpoint_seconds,
        progress=progress,
        **keywords,
    )
    typer.echo(_summary(result))
    if store is not None:
        typer.echo(f"stored in {store}")
    if plot is not None:
        from apexr import plots

        plots.save(plots.overview(result), plot)
        typer.echo(f"drawn to {plot}")


@app.command()
def simulate(
    scenario: Annotated[str, typer.Argument(help="Scenario key; see `apexr list scenarios`.")],
    steps: Annotated[int | None, typer.Option(help="Steps; by default its test horizon.")] = None,
    samples: Annotated[int | None, typer.Option(help="Number of initial states.")] = None,
    ic: Annotated[str | None, typer.Option(help="Config string of the initial states.")] = None,
    seed: Annotated[int | None, typer.Option(help="Random seed of the initial states.")] = None,
    warmup: Annotated[int | None, typer.Option(help="Steps before the first frame.")] = None,
    every: Annotated[int, typer.Option(help="Steps from frame to frame.")] = 1,
    store: Annotated[Path | None, typer.Option(help="Zarr store for the trajectories.")] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace what the store holds.")] = False,
    memory: Annotated[str | None, typer.Option(help='Memory to take, such as "4GB".')] = None,
    plot: Annotated[Path | None, typer.Option(help="Picture of the first trajectory.")] = None,
    progress: Annotated[bool, typer.Option(help="Show a progress bar.")] = True,
    parameters: Annotated[
        list[str] | None,
        typer.Option("--set", help="Scenario parameter, KEY=VALUE; may be repeated."),
    ] = None,
) -> None:
    """Make trajectories of a scenario's reference solver; nothing is trained."""
    import apexr

    keywords = _read_parameters(parameters or [])
    _check_picture(plot)
    _use_compile_cache()
    trajectories = apexr.simulate(
        scenario,
        ic,
        steps,
        num_samples=samples,
        seed=seed,
        num_warmup_steps=warmup,
        save_every=every,
        store=store,
        overwrite=overwrite,
        memory_budget=memory,
        progress=progress,
        **keywords,
    )
    typer.echo(_trajectory_summary(trajectories))
    if store is not None:
        typer.echo(f"stored in {store}")
    if plot is not None:
        from apexr import plots

        plots.save(plots.trajectory(trajectories), plot)
        typer.echo(f"drawn to {plot}")


@app.command()
def study(
    file: Annotated[Path, typer.Argument(help="Study as TOML or JSON: a list or a grid.")],
    store: Annotated[Path, typer.Option(help="Folder of the study; what is there is not run.")],
    overwrite: Annotated[bool, typer.Option(help="Run finished experiments again.")] = False,
    allow_python: Annotated[
        bool, typer.Option("--allow-python", help="Run a Python file for its list CONFIGS.")
    ] = False,
    checkpoint_seconds: Annotated[float, typer.Option(help="Time between checkpoints.")] = 60.0,
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
    from apexr.study import plan_study, preview, run_planned

    _check_one_of(("--workers", workers), ("--scheduler", scheduler), ("--slurm", slurm))
    jobs = _read_parameters(slurm_option or [], "--slurm-option", ())
    elsewhere = (workers, scheduler, slurm) != (None, None, None)
    if elsewhere:
        _leave_accelerators()
    planned = plan_study(file, allow_python=allow_python)
    if dry_run:
        typer.echo(str(preview(planned, store, overwrite=overwrite, workers=workers or 1)))
        return
    _use_compile_cache()
    with _client(workers, scheduler, slurm, jobs) as client:
        failures = run_planned(
            planned,
            store,
            client=client,
            overwrite=overwrite,
            checkpoint_seconds=checkpoint_seconds,
            progress=progress,
        )
    typer.echo(_study_summary(store, {one.id for one in planned}))
    if failures:
        typer.echo(_failure_table(failures, len(planned)), err=True)
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
            yield client
    else:
        cluster = (
            studies.slurm_cluster(slurm, **jobs)
            if slurm is not None
            else studies.local_cluster(workers or 0)
        )
        with cluster, cluster.get_client() as client:
            yield client


def _leave_accelerators() -> None:
    """Leave the GPUs to the workers: what only plans and waits needs none."""
    import jax

    jax.config.update("jax_platforms", "cpu")


@app.command("list")
def list_registered(
    what: Annotated[Registered, typer.Argument(help="What to list.")],
) -> None:
    """List what can be named in a configuration, with its form and meaning."""
    for line in _listing(what):
        typer.echo(line)


@app.command()
def show(store: Annotated[Path, typer.Argument(help="Store of an experiment or a study.")]) -> None:
    """Show what a store holds; of a study the state of each experiment, also while it runs."""
    from apexr import store as stores

    if stores.is_published(store) and stores.kind_of(store) == "trajectories":
        typer.echo(_trajectory_summary(stores.open_trajectories(store)))
    elif stores.is_study(store):
        typer.echo(_study_table(stores.list_experiments(store)))
    else:
        typer.echo(_summary(stores.open_experiment(store)))


@app.command()
def verify(
    store: Annotated[Path, typer.Argument(help="Store of an experiment or a study.")],
) -> None:
    """Check every byte of a store; name the files that are damaged."""
    from apexr import store as stores

    typer.echo(f"{_counted(stores.verify(store), 'unit')} checked: nothing is damaged")


@app.command()
def repair(
    store: Annotated[Path, typer.Argument(help="Store of an experiment or a study.")],
) -> None:
    """Put damaged experiments aside, so that they are run again; sweep what died writers left."""
    from apexr import store as stores

    done = stores.repair(store)
    for problem, place in done.moved.items():
        typer.echo(f"{problem}\n  now in {place}")
    swept = _counted(done.swept, "unfinished writing")
    typer.echo(f"{_counted(len(done.moved), 'damaged thing')} put aside, {swept} removed")


@app.command()
def pack(store: Annotated[Path, typer.Argument(help="Store of an experiment or a study.")]) -> None:
    """Put each experiment into one file; it is read as before."""
    from apexr import store as stores

    typer.echo(f"{_counted(stores.pack(store), 'unit')} packed")


@app.command()
def merge(
    into: Annotated[Path, typer.Argument(help="Study that takes the experiments in.")],
    others: Annotated[list[Path], typer.Argument(help="Studies that are read.")],
) -> None:
    """Bring the experiments of other studies into one."""
    from apexr import store as stores

    typer.echo(f"{_counted(stores.merge(into, *others), 'experiment')} merged into {into}")


@app.command()
def export(
    store: Annotated[Path, typer.Argument(help="Store of an experiment or a study.")],
    format: Annotated[Format, typer.Option(help="File format.")] = Format.csv,
    variable: Annotated[str, typer.Option(help="Variable of the long table.")] = "mean_nRMSE",
    output: Annotated[Path | None, typer.Option(help="File to write.")] = None,
) -> None:
    """Write one variable as a long table, the whole result as netCDF, or the weights."""
    from apexr import analysis
    from apexr import store as stores
    from apexr.schema import identifier

    if format is Format.safetensors:
        path = output or Path(f"{store.absolute().name.removesuffix('.zarr')}.safetensors")
        typer.echo(f"written to {stores.export_safetensors(store, path)}")
        return
    data = stores.open_study(store) if stores.is_study(store) else stores.open_experiment(store)
    stem = store.absolute().name.removesuffix(".zarr")
    whole = format is Format.netcdf
    path = output or Path(f"{stem}.nc" if whole else f"{stem}_{identifier(variable)}.{format}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if whole:
            data.to_netcdf(path, engine="h5netcdf")
        else:
            getattr(analysis.to_long(data, variable), f"to_{format}")(path, index=False)
    except (ImportError, OSError) as error:
        raise _not_written(path, format, error) from error
    typer.echo(f"written to {path}")


def _not_written(path: Path, format: Format, error: Exception) -> ApexrError:
    """Return what to say of a file that could not be written."""
    if isinstance(error, ImportError):
        package, how = _WRITERS[format]
        return MissingExtraError(f"{format} files need the package {package}: pip install {how}")
    return StoreError(f"{path}: cannot be written ({error})")


def _check_picture(path: Path | None) -> None:
    """Refuse a picture that cannot be drawn, before any work."""
    if path is not None and path.suffix.lower() not in _PICTURES:
        wanted = ", ".join(_PICTURES)
        raise typer.BadParameter(f"{path} must end in one of {wanted}", param_hint="--plot")


def _read_parameters(
    texts: list[str], option: str = "--set", beside: tuple[str, ...] = _OPTIONS
) -> dict[str, Any]:
    """Return the values of all ``--set KEY=VALUE``; those of ``beside`` are options themselves."""
    keywords: dict[str, Any] = {}
    for text in texts:
        name, found, value = text.partition("=")
        if not found or not name:
            raise typer.BadParameter(f"expected KEY=VALUE, got {text!r}", param_hint=option)
        if name in beside:
            how = "the argument" if name == "scenario" else f"--{name.replace('_', '-')}"
            raise typer.BadParameter(f"{name} is given by {how}", param_hint=option)
        if name in keywords:
            raise typer.BadParameter(f"{name} is set twice", param_hint=option)
        keywords[name] = _read_value(value)
    return keywords


def _read_value(text: str) -> Any:
    """Return the value of a parameter: JSON, or Python's True and False, else text."""
    import json

    try:
        return json.loads(_PYTHON_WORDS.get(text, text))
    except json.JSONDecodeError:
        return text


def _summary(result: Any) -> str:
    """Return what a result is, and the median over seeds of each metric at some steps."""
    from apexr import schema

    labels = {name: result[name].item() for name in ("scenario", "task", "net", "train")}
    steps = [step for step in STEPS if step in result["time"].values]
    names = schema.metric_identifiers(result)
    rows = [f"{name} {value}" for name, value in labels.items()]
    rows.append(f"seeds {result.sizes['seed']}{_diverged(schema.diverged_seeds(result))}")
    rows += ["", f"median over seeds at time step\n{'step':>6}  " + "  ".join(names)]
    medians = {name: result[name].sel(time=steps).median("seed").values for name in names}
    for place, step in enumerate(steps):
        cells = "  ".join(f"{medians[name][place]:>{len(name)}.3f}" for name in names)
        rows.append(f"{step:>6}  {cells}")
    return "\n".join(rows)


def _study_table(table: Any) -> str:
    """Return the experiments of a study, one a line, and how many are in which state."""
    from apexr.store import in_short

    if table.empty:
        return "no experiment yet"
    shown = table.drop(columns="bytes").assign(seeds=table["seeds"].map(in_short))
    far = table["progress"].notna()
    shown["state"] += table["progress"].map("{:.0%}".format).where(far, "").radd(" ").where(far, "")
    shown = shown.drop(columns="progress")
    counts = ", ".join(f"{count} {state}" for state, count in table["state"].value_counts().items())
    return f"{shown.to_string(index=False)}\n{counts}"


def _study_summary(store: Path, asked_for: set[str]) -> str:
    """Return how many of the experiments asked for are published, and how many seeds diverged."""
    from apexr import store as stores

    table = stores.list_experiments(store)
    table = table[table["id"].isin(asked_for) & (table["state"] == "published")]
    lost = table[table["num_diverged"] > 0]
    rows = [f"{len(table)} of {len(asked_for)} experiments published in {store}"]
    for _, row in lost.iterrows():
        what = f"{row['scenario']} {row['net']} {row['train']}"
        rows.append(f"diverged: {row['num_diverged']} of {len(row['seeds'])} seeds of {what}")
    return "\n".join(rows)


def _failure_table(failures: list[Any], total: int) -> str:
    """Return what failed, one a line."""
    import pandas as pd

    names = ("scenario", "task", "net", "train")
    rows = [
        {
            "id": one.experiment.id,
            **{name: one.experiment.experiment.config[name] for name in names},
            "error": one.error,
        }
        for one in failures
    ]
    table = pd.DataFrame(rows).to_string(index=False)
    return f"{len(failures)} of {total} experiments failed:\n{table}"


def _trajectory_summary(trajectories: Any) -> str:
    """Return what trajectories are, their sizes, and how many diverged."""
    import numpy as np

    from apexr._memory import format_bytes

    named = ("scenario", "scenario_kwargs", "equation", "dt", "initial_states", "seed")
    told = {name: trajectories.attrs[name] for name in named if name in trajectories.attrs}
    sizes = ", ".join(f"{dim} {size}" for dim, size in trajectories.sizes.items())
    steps = trajectories["time"].values
    rows = [f"{name} {value}" for name, value in told.items()]
    rows.append(f"{sizes} ({format_bytes(trajectories.nbytes)}, {trajectories.dtype})")
    lost = trajectories.coords.get("diverged_at", np.array(-1)) >= 0
    rows.append(f"steps {steps[0]} to {steps[-1]}{_diverged(lost)}")
    return "\n".join(rows)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _diverged(lost: Any) -> str:
    count = int(lost.sum())
    return f" ({count} diverged)" if count else ""


def _listing(what: Registered) -> list[str]:
    from apexr import engine, initial, metrics, networks, objectives, scenarios, training

    if what is Registered.activations:
        return list(networks.ACTIVATIONS.names())
    if what is Registered.scenarios:
        classes = scenarios.scenario_dict
        return [f"{key:<20} {(classes[key].__doc__ or '').splitlines()[0]}" for key in classes]
    kinds: dict[Registered, Any] = {
        Registered.networks: networks.NETWORKS,
        Registered.metrics: metrics.METRICS,
        Registered.trainings: objectives.OBJECTIVES,
        Registered.tasks: engine.TASKS,
        Registered.optimizers: training.OPTIMIZERS,
        Registered.schedules: training.SCHEDULES,
        Registered.initial_conditions: initial.INITIAL_CONDITIONS,
        Registered.callbacks: engine.CALLBACKS,
    }
    kind = kinds[what]
    return [kind.describe(name) for name in kind.names()]


def _use_compile_cache() -> None:
    from apexr._compile import keep_compiled

    keep_compiled()


def main() -> None:
    """Run the command line; errors of apexr are printed without a traceback.

    The exit code is 0 for success, 2 for what cannot be meant, read or written, 1 for a run that
    failed on its way, 130 after Ctrl-C.
    """
    warnings.formatwarning = lambda message, *_: f"warning: {message}\n"
    try:
        app(prog_name="apexr")
    except SystemExit as stop:
        _say_what_was_interrupted(stop)
        raise
    except ApexrError as error:
        print(f"error: {error}", file=sys.stderr)
        failed = isinstance(error, DivergenceError | WorkerDiedError)
        raise SystemExit(1 if failed else 2) from None


def _say_what_was_interrupted(error: BaseException | None) -> None:
    """Print the message of the interruption that made typer exit, if there is one."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    if error is not None:
        print(f"interrupted: {error}" if str(error) else "interrupted", file=sys.stderr)
