"""`apexr dashboard`, `explore`, `report`, `leaderboard`: pages in a browser, and in files."""

from pathlib import Path
from typing import Annotated

import typer

from apexr.cli._app import app
from apexr.cli._parameters import use_compile_cache
from apexr.cli._text import say

_PORT = 5006


@app.command()
def dashboard(
    store: Annotated[str, typer.Argument(help="Folder of the study.")],
    port: Annotated[int, typer.Option(help="Port of this machine; 0 takes any.")] = _PORT,
    show: Annotated[
        bool, typer.Option("--open/--no-open", "--show/--no-show", help="Open a browser.")
    ] = True,
    export: Annotated[
        Path | None, typer.Option(help="Write a page (.html) that needs no server, and end.")
    ] = None,
    experiment: Annotated[
        list[str] | None,
        typer.Option(help="Id of an experiment of the exported page; may be given again."),
    ] = None,
) -> None:
    """Look at a study in a browser, also while it runs: curves, fronts, statistics, rollouts."""
    from apexr import dashboard as pages

    if export is not None:
        say(str(pages.export(store, export, experiment)))
        return
    if experiment:
        raise typer.BadParameter("goes with --export", param_hint="--experiment")
    pages.show_study(store, port=port, show=show)


@app.command()
def explore(
    scenario: Annotated[str | None, typer.Argument(help="Key of the first scenario.")] = None,
    port: Annotated[int, typer.Option(help="Port of this machine; 0 takes any.")] = _PORT,
    show: Annotated[
        bool, typer.Option("--open/--no-open", "--show/--no-show", help="Open a browser.")
    ] = True,
) -> None:
    """Look at the data of all scenarios in a browser; they are computed when they are shown."""
    from apexr import dashboard as pages

    pages.show_explorer(scenario, port=port, show=show)


@app.command()
def report(
    store: Annotated[str, typer.Argument(help="Folder of the study, or store of a result.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder of the page; its files are replaced.")
    ] = Path("report"),
    metric: Annotated[str, typer.Option(help="The error that it is about.")] = "mean_nRMSE",
    by: Annotated[str, typer.Option(help="Label of what is compared.")] = "net",
    baseline: Annotated[
        str | None, typer.Option(help="The one that others are relative to; by default the first.")
    ] = None,
    up_to: Annotated[int, typer.Option(help="Last step of means over time.")] = 100,
    decompose: Annotated[
        bool, typer.Option("--decompose", help="Split the errors, too; loads the networks.")
    ] = False,
    decomposition: Annotated[
        Path | None, typer.Option(help="The file of `apexr decompose --output`, instead.")
    ] = None,
    title: Annotated[str | None, typer.Option(help="Of the page.")] = None,
) -> None:
    """Write a page and a Markdown file with what a results section needs."""
    import apexr

    if decompose and decomposition is not None:
        raise typer.BadParameter("give one of them", param_hint="--decomposition")
    if decompose:
        use_compile_cache()
    options = {"variable": metric, "by": by, "baseline": baseline, "up_to": up_to, "title": title}
    parts = True if decompose else decomposition
    say(str(apexr.report(store, output, decomposition=parts, **options)))  # type: ignore[arg-type]


@app.command()
def leaderboard(
    folders: Annotated[list[Path], typer.Argument(help="Folders that `apexr publish` wrote.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder of the page; its files are replaced.")
    ] = Path("leaderboard"),
    metric: Annotated[str, typer.Option(help="The error that ranks.")] = "mean_nRMSE",
    baseline: Annotated[
        str | None, typer.Option(help="Network that others are relative to; by default the first.")
    ] = None,
    step: Annotated[
        int | None, typer.Option(min=1, help="Time step; by default the mean over all.")
    ] = None,
    title: Annotated[str | None, typer.Option(help="Of the page.")] = None,
) -> None:
    """Write a page that compares published studies: ranks, intervals, profiles, costs."""
    import apexr

    options = {"variable": metric, "baseline": baseline, "time": step, "title": title}
    say(str(apexr.leaderboard(folders, output, **options)))  # type: ignore[arg-type]
