"""Run a planned experiment of a scenario: its data, who trains it, and its result."""

import dataclasses
import functools
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tqdm.auto import tqdm

from apexr._precision import computing_in
from apexr.engine import needs_statistics, skeleton, stacked
from apexr.errors import SpecError
from apexr.experiment import _data
from apexr.experiment._attend import Attendants
from apexr.experiment._execute import Sources, execute
from apexr.experiment._experiment import Experiment
from apexr.recipe import Recipe, own_method
from apexr.training import Singly, Trainer

if TYPE_CHECKING:
    import xarray as xr


def run(
    scenario: Recipe, experiment: Experiment, attendants: Attendants | None = None
) -> "tuple[xr.Dataset, Any]":
    """Return the labeled result and the emulators; a single seed has no leading axis there.

    Parameters
    ----------
    scenario, experiment
        The experiment to run.
    attendants
        Who attends the training; by default a progress bar.

    Raises
    ------
    SpecError
        If data or training do not fit into memory.
    DivergenceError
        If the reference data are not finite.
    """
    attendants = Attendants() if attendants is None else attendants
    with attendants.begin(experiment) as (present, finish):
        if present.progress and (said := scenario.tell_data()):
            tqdm.write(said, file=sys.stderr)
        with computing_in(experiment.precision):
            sources = _sources(scenario)
            own = own_method(scenario, "get_trainer")
            if own is not None:
                tracked = bool(present.trackers)
                experiment, sources = _by_own_trainer(
                    scenario, experiment, sources, own, tracked=tracked
                )
            result, emulators = execute(experiment, sources, present)
            emulators = stacked(emulators, experiment.seeds)
        finish(result)
    return result, emulators


def _sources(scenario: Recipe) -> Sources:
    by_solver = functools.partial(_data.by_train_solver, scenario)
    return Sources(
        functools.partial(_data.finite_when_compiled, scenario),
        functools.partial(_data.compile_data, scenario),
        functools.partial(_data.finite_valid, scenario) if scenario.num_valid_samples else None,
        by_solver if _data.has_train_solver(scenario) else None,
    )


def _by_own_trainer(
    scenario: Recipe,
    experiment: Experiment,
    sources: Sources,
    get_trainer: Callable[..., Any],
    *,
    tracked: bool,
) -> tuple[Experiment, Sources]:
    """Return an experiment and its sources as an overridden ``get_trainer`` changes them.

    A trainer of apexr says data and plan, and all seeds are trained at once; another one is called
    for one seed after another.

    Raises
    ------
    SpecError
        If what it returns is no trainer, or cannot call what is to be called during the training.
    """
    own: Any = get_trainer(train_config=experiment.config["train"])
    if isinstance(own, Trainer):
        shapes = {**experiment.shapes, "train": own.trajectories.shape}
        experiment = dataclasses.replace(experiment, training=own.plan, shapes=shapes)
        return experiment, dataclasses.replace(
            sources,
            make_data=lambda: (own.trajectories, _data.finite_test(scenario)),
            compile_data=list,
        )
    if not callable(own):
        raise SpecError(
            "get_trainer must return a function (emulator, key) -> (trained emulator, losses), or"
            f" a Trainer of apexr's, got {own!r}"
        )
    if needs_statistics(skeleton(experiment.emulator)):
        raise SpecError(
            f"network {experiment.config['net']!r} measures training data of apexr's; the trainer"
            f" of {type(scenario).__name__}.get_trainer has its own. Take a network without 'norm',"
            " and give 'delta' its size: delta;SCALE;INNER"
        )
    if experiment.callbacks or tracked:
        raise SpecError(
            "callbacks and trackers are called by trainers of apexr's; that of"
            f" {type(scenario).__name__}.get_trainer is another one"
        )
    if scenario.num_valid_samples:
        raise SpecError(
            "trainers of apexr's validate (num_valid_samples, select, patience); that of"
            f" {type(scenario).__name__}.get_trainer is another one"
        )
    return experiment, dataclasses.replace(
        sources,
        make_data=lambda: (None, _data.finite_test(scenario)),
        compile_data=list,
        train_by=Singly(own, experiment.training),
    )
