"""The command `apexr` and its options."""

from typing import Annotated

import typer

from apexr import __version__

app = typer.Typer(
    help="A laboratory for neural emulators of partial differential equations.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


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
