"""Who attends a training: progress bar, trackers, callbacks, checkpoints, and progress reports."""

import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import xarray as xr
from jaxtyping import Float
from tqdm.auto import tqdm

from apexr.engine import Recorder, TestSet
from apexr.experiment._experiment import Experiment
from apexr.trackers import Subject, Watcher, attending
from apexr.training import Attendance, Keeper, Report

Watch = Callable[[int, int], None]
"""Takes the updates that are done, and how many there are."""


@dataclasses.dataclass(frozen=True)
class Attendants:
    """All who attend the training of an experiment; made once, where the user asks for it.

    Attributes
    ----------
    progress
        Whether a progress bar is shown.
    trackers
        Called before some of the updates; loggers among them begin and end with the experiment.
    keeper
        Keeps checkpoints of the training, and gives the last one back. With it, Ctrl-C or SIGTERM
        ends the training in order.
    watch
        Called now and then during the training with the updates that are done, and with all.
    """

    progress: bool = True
    trackers: tuple[Watcher, ...] = ()
    keeper: Keeper | None = None
    watch: Watch | None = None

    @contextlib.contextmanager
    def begin(
        self, experiment: Experiment
    ) -> Iterator[tuple["Attendants", Callable[[xr.Dataset], None]]]:
        """Give the attendants of one experiment, its loggers begun, and what takes its result."""
        subject = Subject(
            experiment.attrs["experiment_id"],
            experiment.config,
            experiment.seeds,
            experiment.training.optimizer.updates,
        )
        with attending(self.trackers, subject) as (hooks, finish):
            yield dataclasses.replace(self, trackers=hooks), finish

    @contextlib.contextmanager
    def attend(self, experiment: Experiment, test: TestSet) -> Iterator[Attendance]:
        """Give the attendance of a training, with the callbacks of the experiment.

        Parameters
        ----------
        experiment
            The emulators to train.
        test
            The data for callbacks.
        """
        recorders = tuple(Recorder(callback, test) for callback in experiment.callbacks)
        hooks: Any = self.trackers  # loggers among them have given theirs in begin
        with self._bar(experiment) as report:
            yield Attendance(report, recorders, hooks, self.keeper, experiment.seeds)

    @contextlib.contextmanager
    def _bar(self, experiment: Experiment) -> Iterator[Report]:
        """Give the function that a training reports to, drawn as a bar on standard error."""
        total = experiment.training.optimizer.updates
        name = f"{experiment.config['scenario']} {experiment.config['net']}"
        seeds = f"{len(experiment.seeds)} seed{'s' if len(experiment.seeds) > 1 else ''}"
        hidden = not self.progress
        with tqdm(total=total, desc=f"{name}, {seeds}", unit="update", disable=hidden) as bar:

            def report(done: int, losses: Float[np.ndarray, " seed"]) -> None:
                bar.update(done - bar.n)
                bar.set_postfix(loss=f"{np.median(losses):.1e}", refresh=False)
                if self.watch is not None:
                    self.watch(done, total)

            yield report
            bar.update(total - bar.n)
