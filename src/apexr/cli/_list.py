"""`apexr list`: what can be named in a configuration."""

import enum
import shutil
import sys
import textwrap
from typing import Annotated, Any

import typer

from apexr.cli._app import app
from apexr.cli._parameters import one_of


class Registered(enum.StrEnum):
    """The kinds that ``apexr list`` knows."""

    scenarios = enum.auto()
    networks = enum.auto()
    activations = enum.auto()
    metrics = enum.auto()
    trainings = enum.auto()
    tasks = enum.auto()
    optimizers = enum.auto()
    schedules = enum.auto()
    initial_conditions = enum.auto()
    solvers = enum.auto()
    callbacks = enum.auto()


@app.command("list")
def list_registered(
    what: Annotated[
        Registered,
        typer.Argument(metavar="KIND", help="The kind to list.", parser=one_of(Registered)),
    ],
) -> None:
    """List what can be named in a configuration, with its form and meaning."""
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    for line in _listing(what):
        typer.echo(textwrap.fill(line, columns, subsequent_indent="    ") if columns else line)


def _listing(what: Registered) -> list[str]:
    from apexr import engine, initial, metrics, networks, objectives, scenarios, steppers, training

    if what is Registered.activations:
        return list(networks.ACTIVATIONS.names())
    if what is Registered.scenarios:
        classes = scenarios.scenario_dict
        keys = (*classes, "recorded")
        return [f"{key:<20} {(classes[key].__doc__ or '').splitlines()[0]}" for key in keys]
    kinds: dict[Registered, Any] = {
        Registered.networks: networks.NETWORKS,
        Registered.metrics: metrics.METRICS,
        Registered.trainings: objectives.OBJECTIVES,
        Registered.tasks: engine.TASKS,
        Registered.optimizers: training.OPTIMIZERS,
        Registered.schedules: training.SCHEDULES,
        Registered.initial_conditions: initial.INITIAL_CONDITIONS,
        Registered.callbacks: engine.CALLBACKS,
        Registered.solvers: steppers.SOLVERS,
    }
    kind = kinds[what]
    return [kind.describe(name) for name in kind.names()]
