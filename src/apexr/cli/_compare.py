"""`apexr decompose`, `apexr climate`: stored emulators compared with their solver."""

from pathlib import Path
from typing import Annotated

import typer

from apexr.cli._app import app
from apexr.cli._parameters import check_picture, use_compile_cache
from apexr.cli._text import climate_summary, decomposition_summary, say


@app.command()
def decompose(
    store: Annotated[str, typer.Argument(help="Store of an experiment or a study, also a URL.")],
    experiment: Annotated[str | None, typer.Option(help="Id of one experiment of a study.")] = None,
    steps: Annotated[int | None, typer.Option(help="Steps; by default the test horizon.")] = None,
    output: Annotated[
        Path | None, typer.Option(help="File for all parts: .nc or .zarr; replaced if there.")
    ] = None,
    plot: Annotated[Path | None, typer.Option(help="Picture of one experiment's parts.")] = None,
) -> None:
    """Split the error of rollouts into one-step and propagated parts."""
    import apexr
    from apexr import store as stores

    check_picture(plot)
    if output is not None:
        stores.check_dataset_path(output)
    use_compile_cache()
    parts = apexr.decompose(store, num_steps=steps, experiment=experiment)
    say(decomposition_summary(parts))
    if output is not None:
        say(f"written to {stores.publish_dataset(parts, output, overwrite=True)}")
    if plot is not None:
        from apexr import plots

        plots.save(plots.decomposition(parts), plot)
        say(f"drawn to {plot}")


@app.command()
def climate(
    store: Annotated[str, typer.Argument(help="Store of an experiment or a study, also a URL.")],
    experiment: Annotated[str | None, typer.Option(help="Id of one experiment of a study.")] = None,
    steps: Annotated[int, typer.Option(help="Steps that count.")] = 10_000,
    spinup: Annotated[int, typer.Option(help="Steps before these.")] = 1_000,
    every: Annotated[int, typer.Option(help="Steps from one state that counts to the next.")] = 1,
    samples: Annotated[
        int | None, typer.Option(help="Runs, at most; by default one a test sample.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="File for all statistics: .nc or .zarr; replaced if there.")
    ] = None,
    plot: Annotated[Path | None, typer.Option(help="Picture of one experiment.")] = None,
) -> None:
    """Compare the statistics of long rollouts with those of the solver."""
    import apexr
    from apexr import store as stores

    check_picture(plot)
    if output is not None:
        stores.check_dataset_path(output)
    use_compile_cache()
    told = apexr.climate(
        store, experiment=experiment, steps=steps, spinup=spinup, every=every, num_samples=samples
    )
    say(climate_summary(told))
    if output is not None:
        say(f"written to {stores.publish_dataset(told, output, overwrite=True)}")
    if plot is not None:
        from apexr import plots

        plots.save(plots.climate(told), plot)
        say(f"drawn to {plot}")
