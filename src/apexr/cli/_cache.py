"""`apexr cache`: reference data that are kept on disk, to see and to clear."""

import datetime
from typing import Annotated

import typer

from apexr._inert import inert
from apexr.cli._app import app


@app.command("cache")
def show_cache(
    clear: Annotated[bool, typer.Option("--clear", help="Remove all that it holds.")] = False,
) -> None:
    """Show or clear the reference data that are kept on disk for later runs."""
    from apexr._memory import format_bytes
    from apexr.experiment import disk_cache

    if clear:
        typer.echo(f"freed {format_bytes(disk_cache.clear())} in {disk_cache.folder()}")
        return
    for entry in disk_cache.entries():
        used = datetime.datetime.fromtimestamp(entry.used).strftime("%Y-%m-%d %H:%M")
        what = " ".join(str(entry.about.get(name)) for name in ("scenario", "split", "precision"))
        typer.echo(f"{format_bytes(entry.nbytes):>8}  used {used}  {inert(what, lines=False)}")
    most = disk_cache.limit()
    allowed = f"up to {format_bytes(most)}" if most else "switched off"
    typer.echo(f"{disk_cache.folder()}: {format_bytes(disk_cache.size())}, {allowed}")
