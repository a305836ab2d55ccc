"""The interface of loggers: one gives a hook for each experiment that it watches."""

import abc
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import xarray as xr

from apexr.schema import metric_identifiers
from apexr.training import Hook, Moment

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Subject:
    """The experiment that is watched.

    Attributes
    ----------
    id
        Digest of the experiment and its seeds: the same whenever it is run again.
    config
        ``scenario``, ``task``, ``net``, ``train``, ``scenario_kwargs`` as they were typed.
    seeds
        The seeds that are trained side by side.
    updates
        How many updates the training makes.
    """

    id: str
    config: Mapping[str, str]
    seeds: tuple[int, ...]
    updates: int

    @property
    def name(self) -> str:
        """A name to be read: what it is, and the beginning of the id."""
        words = [self.config[key] for key in ("scenario", "net", "train")]
        return " ".join([*words, self.id[:8]])


@runtime_checkable
class Logger(Protocol):
    """Gives a hook for each experiment. It is sent to workers, so it must be picklable."""

    def start(self, subject: Subject) -> Hook:
        """Return the hook of an experiment.

        If it has a method ``close``, that is called with the result in the end, or with None where
        the training did not come to its end.
        """


Watcher = Hook | Logger
"""Who may watch trainings."""


class Curves(abc.ABC):
    """A hook that writes the loss of every seed, and in the end the errors of the test.

    A library that raises costs no training: a line in the log says so, and nothing more is written.

    Parameters
    ----------
    every
        Updates from one loss that is written to the next.
    """

    def __init__(self, every: int) -> None:
        self.every = every
        self._broken = False

    @abc.abstractmethod
    def write(self, values: Mapping[str, float], step: int) -> None:
        """Write numbers by name; ``step`` counts updates, for names in ``test/`` time steps."""

    @abc.abstractmethod
    def end(self, finished: bool) -> None:
        """Write what is left; tell whether the experiment came to its end."""

    def __call__(self, moment: Moment) -> None:
        """Write the loss of each seed, such as ``train_loss/seed_0``."""
        losses = np.asarray(moment.losses).tolist()
        names = [f"train_loss/seed_{seed}" for seed in moment.seeds]
        self._try_write(dict(zip(names, losses, strict=True)), moment.update_step)

    def close(self, result: xr.Dataset | None) -> None:
        """Write the median over the seeds of each metric, by time step, and end."""
        if result is not None:
            self._write_errors(result)
        try:
            self.end(result is not None)
        except Exception as error:
            self._say(error)

    def _write_errors(self, result: xr.Dataset) -> None:
        for name in metric_identifiers(result):
            curve = result[name].median("seed").compute(scheduler="synchronous")
            for step, value in zip(curve["time"].values, curve.values, strict=True):
                self._try_write({f"test/{name}": float(value)}, int(step))

    def _try_write(self, values: Mapping[str, float], step: int) -> None:
        if self._broken:
            return
        try:
            self.write(values, step)
        except Exception as error:  # a server that is away, a disk that is full
            self._say(error)

    def _say(self, error: Exception) -> None:
        self._broken = True
        name = type(self).__name__
        _log.warning("%s: %s; it writes nothing more of this experiment", name, error)
