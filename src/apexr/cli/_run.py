"""`apexr run` and `apexr simulate`: one experiment, or trajectories alone."""

from pathlib import Path
from typing import Annotated, Any

import typer

from apexr._typing import Precision
from apexr.cli._app import app
from apexr.cli._parameters import check_picture, read_parameters, use_compile_cache
from apexr.cli._text import say, summary, trajectory_summary


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
    init: Annotated[
        str | None,
        typer.Option(help="Begin with stored weights: STORE, or STORE#ID of a study."),
    ] = None,
    store: Annotated[
        str | None, typer.Option(help="Zarr store for the result, also a URL.")
    ] = None,
    packed: Annotated[bool, typer.Option(help="Make the store one file, not a folder.")] = False,
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

    keywords = read_parameters(parameters or [])
    check_picture(plot)
    use_compile_cache()
    result = apexr.run(
        scenario,
        task=task,
        net=net,
        train=train,
        start_seed=start_seed,
        num_seeds=num_seeds,
        precision=precision,
        init=init,
        store=store,
        packed=packed,
        checkpoint_seconds=checkpoint_seconds,
        progress=progress,
        **keywords,
    )
    say(summary(result))
    _say_where(store, plot, "overview", result)


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

    keywords = read_parameters(parameters or [])
    check_picture(plot)
    use_compile_cache()
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
    say(trajectory_summary(trajectories))
    _say_where(store, plot, "trajectory", trajectories)


@app.command()
def inspect(
    source: Annotated[str, typer.Argument(help="File, folder, pattern or URL of trajectories.")],
    layout: Annotated[str, typer.Option(help="How it is read; auto finds out.")] = "auto",
    dims: Annotated[
        str | None, typer.Option(help="Axes of a .npy or .npz file: sample,time,channel,x.")
    ] = None,
) -> None:
    """Show what a file of recorded trajectories holds, and what would be trained on it."""
    from apexr import scenarios

    say(scenarios.inspect(source, layout=layout, dims=tuple(dims.split(",")) if dims else ()))


def _say_where(store: str | Path | None, plot: Path | None, kind: str, held: Any) -> None:
    """Say where the result is stored; draw it if that is asked for."""
    if store is not None:
        say(f"stored in {store}")
    if plot is not None:
        from apexr import plots

        plots.save(getattr(plots, kind)(held), plot)
        say(f"drawn to {plot}")
