"""`apexr dashboard`, `apexr explore`: pages in a browser."""

from pathlib import Path
from typing import Annotated

import typer

from apexr.cli._app import app
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
    """Look at a study in a browser, also while it runs: table, losses, metrics, rollouts."""
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
