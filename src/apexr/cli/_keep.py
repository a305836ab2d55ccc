"""`apexr show`, `verify`, `repair`, `index`, `pack`, `merge`: look after stores."""

from typing import Annotated

import typer

from apexr.cli._app import app
from apexr.cli._text import counted, say, study_table, summary, trajectory_summary


@app.command()
def show(store: Annotated[str, typer.Argument(help="Store of an experiment or a study.")]) -> None:
    """Show what a store holds; of a study the state of each experiment, also while it runs."""
    from apexr import store as stores

    if stores.is_published(store) and stores.kind_of(store) == "trajectories":
        say(trajectory_summary(stores.open_trajectories(store)))
    elif stores.is_study(store):
        say(study_table(stores.list_experiments(store)))
    else:
        say(summary(stores.open_experiment(store)))


@app.command()
def verify(
    store: Annotated[str, typer.Argument(help="Store of an experiment or a study.")],
) -> None:
    """Check every byte of a store; name the files that are damaged."""
    from apexr import store as stores

    say(f"{counted(stores.verify(store), 'unit')} checked: nothing is damaged")


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
