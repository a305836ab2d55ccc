"""`apexr ladder` and `apexr breakeven`: solvers of a scenario, and whether emulators pay."""

from pathlib import Path
from typing import Annotated

import typer

from apexr._typing import Precision
from apexr.cli._app import app
from apexr.cli._parameters import check_picture, read_parameters, use_compile_cache
from apexr.cli._text import breakeven_summary, ladder_summary, say


@app.command()
def ladder(
    scenario: Annotated[str, typer.Argument(help="Scenario key; see `apexr list scenarios`.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File: .nc or .zarr; replaced if there.")
    ] = None,
    points: Annotated[
        list[int] | None, typer.Option(help="Points along the longest axis; may be repeated.")
    ] = None,
    substeps: Annotated[list[int] | None, typer.Option(help="Solver steps in a step.")] = None,
    solver: Annotated[list[str] | None, typer.Option(help="See `apexr list solvers`.")] = None,
    steps: Annotated[int | None, typer.Option(help="Steps; by default the test horizon.")] = None,
    samples: Annotated[int | None, typer.Option(help="Test samples; by default all.")] = None,
    truth_substeps: Annotated[int | None, typer.Option(help="Substeps of the truth.")] = None,
    precision: Annotated[
        Precision | None, typer.Option(help="Of the rungs; by default what JAX is set to.")
    ] = None,
    parameters: Annotated[
        list[str] | None,
        typer.Option("--set", help="Scenario parameter, KEY=VALUE; may be repeated."),
    ] = None,
) -> None:
    """Measure error and cost of solvers of a scenario's equation."""
    import apexr
    from apexr import store as stores

    keywords = read_parameters(parameters or [])
    if output is not None:
        stores.check_dataset_path(output)
    use_compile_cache()
    given = {"points": points, "substeps": substeps, "solvers": solver}
    made = apexr.solver_ladder(
        scenario,
        **{name: values for name, values in given.items() if values},  # type: ignore[arg-type]
        num_steps=steps,
        num_samples=samples,
        truth_substeps=truth_substeps,
        precision=precision,
        **keywords,
    )
    say(ladder_summary(made))
    if output is not None:
        say(f"written to {stores.publish_dataset(made, output, overwrite=True)}")


@app.command()
def breakeven(
    store: Annotated[str, typer.Argument(help="Store of an experiment or a study, also a URL.")],
    ladder: Annotated[Path, typer.Argument(help="File that `apexr ladder` wrote.")],
    variable: Annotated[str, typer.Option(help="Metric by which errors are equal.")] = "mean_nRMSE",
    over: Annotated[int | None, typer.Option(help="Steps of the mean; by default all.")] = None,
    tune_seconds: Annotated[float, typer.Option(help="Time that the tuning took.")] = 0.0,
    plot: Annotated[Path | None, typer.Option(help="Picture of solvers and emulators.")] = None,
) -> None:
    """Tell after how many trajectories emulators have paid for their training."""
    from apexr import analysis
    from apexr import store as stores

    check_picture(plot)
    rungs = stores.open_dataset(ladder).load()
    results = stores.open_study(store) if stores.is_study(store) else stores.open_experiment(store)
    found = analysis.breakeven(results, rungs, variable, over, tune_seconds=tune_seconds)
    say(breakeven_summary(found.load()))
    if plot is not None:
        from apexr import plots

        up_to = over or int(rungs["time"].values[-1])
        plots.save(plots.pareto(results, variable, solvers=rungs, up_to=up_to), plot)
        say(f"drawn to {plot}")
