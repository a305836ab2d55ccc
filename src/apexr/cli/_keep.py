"""`apexr show`, `verify`, `repair`, `index`, `pack`, `merge`: look after stores."""

import shutil
from pathlib import Path
from typing import Annotated, Any

import typer

from apexr.cli._app import app
from apexr.cli._parameters import use_compile_cache
from apexr.cli._study_table import study_table
from apexr.cli._text import counted, say, summary, trajectory_summary


@app.command()
def show(store: Annotated[str, typer.Argument(help="Store of an experiment or a study.")]) -> None:
    """Show what a store holds; of a study the state of each experiment, also while it runs."""
    from apexr import store as stores

    if stores.is_published(store) and stores.kind_of(store) == "trajectories":
        say(trajectory_summary(stores.open_trajectories(store)))
    elif stores.is_study(store):
        say(study_table(store, shutil.get_terminal_size((100, 40)).columns))
    else:
        say(summary(stores.open_experiment(store)))


@app.command()
def verify(
    store: Annotated[str, typer.Argument(help="Store, or folder that `apexr publish` wrote.")],
    rerun: Annotated[
        int, typer.Option(min=0, help="Experiments of a published study to run again and compare.")
    ] = 0,
) -> None:
    """Check every byte of a store; name the files that are damaged."""
    from apexr import store as stores

    if Path(store, "checksums.sha256").is_file():
        from apexr import study

        if rerun:
            use_compile_cache()
        say(study.summary_of(store, study.verify_archive(store, rerun)))
        return
    if rerun:
        raise typer.BadParameter("goes with a folder of `apexr publish`", param_hint="--rerun")
    say(f"{counted(stores.verify(store), 'unit')} checked: nothing is damaged")


@app.command()
def publish(
    store: Annotated[str, typer.Argument(help="Folder of the study.")],
    to: Annotated[Path, typer.Option(help="Folder for the archive, which is made.")],
    title: Annotated[str, typer.Option(help="Name of the data set.")],
    author: Annotated[list[str], typer.Option(help="Whom to cite; may be given again.")],
    license: Annotated[str, typer.Option(help="Identifier of SPDX.")] = "CC-BY-4.0",
    study_file: Annotated[
        Path | None, typer.Option(help="File of the study; by default one is written.")
    ] = None,
    allow_unfinished: Annotated[
        bool, typer.Option(help="Publish also if experiments failed or are missing.")
    ] = False,
) -> None:
    """Write a study as a folder for an archive: data, versions, descriptions, checksums."""
    from apexr import study

    options: dict[str, Any] = {"title": title, "authors": author, "license": license}
    options |= {"study_file": study_file, "allow_unfinished": allow_unfinished}
    say(str(study.publish(store, to, **options)))


@app.command()
def repair(
    store: Annotated[str, typer.Argument(help="Store of an experiment or a study.")],
) -> None:
    """Put damaged experiments aside, so that they are run again; sweep what killed writers left."""
    from apexr import store as stores

    done = stores.repair(store)
    for problem, place in done.moved.items():
        say(f"{problem}\n  now in {place}")
    swept = counted(done.swept, "unfinished writing")
    say(f"{counted(len(done.moved), 'damaged thing')} put aside, {swept} removed")


@app.command()
def index(store: Annotated[str, typer.Argument(help="Store of a study.")]) -> None:
    """Bring the index of a large study up to date; reading a study never writes."""
    from apexr import store as stores

    say(f"{counted(stores.keep_index(store), 'experiment')} indexed")


@app.command()
def pack(store: Annotated[str, typer.Argument(help="Store of an experiment or a study.")]) -> None:
    """Put each experiment into one file; it is read as before."""
    from apexr import store as stores

    say(f"{counted(stores.pack(store), 'unit')} packed")


@app.command()
def merge(
    into: Annotated[str, typer.Argument(help="Study that takes the experiments in.")],
    others: Annotated[list[str], typer.Argument(help="Studies that are read.")],
) -> None:
    """Bring the experiments of other studies into one."""
    from apexr import store as stores

    say(f"{counted(stores.merge(into, *others), 'experiment')} merged into {into}")
