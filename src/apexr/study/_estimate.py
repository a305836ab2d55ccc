"""What a study will take, said before it starts and while it runs: memory and time."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from tqdm import tqdm

from apexr import store as stores
from apexr._memory import available_memory, format_bytes
from apexr._typing import PathInput
from apexr.engine import bytes_of_data, count_parameters
from apexr.errors import SpecError, StoreError
from apexr.study._configs import Planned
from apexr.study._work import Work, pending_work

MOST_LOOKED_AT = 50
"""Finished experiments whose times are read before a study starts."""

STATES = 3
"""Copies of the weights that a training holds at least: themselves and the moments of Adam."""

MOST_TOLD = 20


@dataclass
class Estimate:
    """Guesses how long experiments take from those that are through.

    One of a shape that has been run takes as long as that one did; of others the time follows
    the work. Where only some of the seeds are missing, it takes that part of the time.

    Attributes
    ----------
    seconds
        By shape, for all seeds.
    rates
        Seconds for a unit of work.
    shares
        By id, the part of the seeds that is to be run; 1 where none is given.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    rates: list[float] = field(default_factory=list)
    shares: dict[str, float] = field(default_factory=dict)

    def note(self, one: Planned, seconds: float) -> None:
        """Take in how long what was to be run of an experiment took."""
        whole = seconds / self.shares.get(one.id, 1.0)
        self.seconds[one.shape] = whole
        self.rates.append(whole / one.work)

    def left(self, pending: Sequence[Planned]) -> float | None:
        """Return the seconds that the others will take, or None where nothing is known yet."""
        if not self.rates:
            return None
        rate = float(np.median(self.rates))
        return sum(
            self.shares.get(one.id, 1.0) * self.seconds.get(one.shape, rate * one.work)
            for one in pending
        )


@dataclass(frozen=True)
class Outlook:
    """What lies ahead of a study.

    Attributes
    ----------
    experiments, pending
        How many there are, and how many of them are to be run.
    shapes
        How many different programs those need, each compiled once a process.
    bytes
        What the largest of them takes at least, known from shapes alone.
    seconds
        How long they will take, or None where nothing has been measured.
    """

    experiments: int
    pending: int
    shapes: int
    bytes: int
    seconds: float | None

    def __str__(self) -> str:
        """Return some lines of text."""
        done = self.experiments - self.pending
        head = f"{self.experiments} experiments, {done} finished, {self.pending} to run"
        if not self.pending:
            return head
        many = "shape, compiled once" if self.shapes == 1 else "shapes, each compiled once"
        seconds = (
            "unknown, nothing of this study has been measured yet"
            if self.seconds is None
            else f"about {tqdm.format_interval(self.seconds)}"
        )
        return (
            f"{head}\n{self.shapes} {many} a process\n"
            f"memory of the largest: at least {format_bytes(self.bytes)}\ntime: {seconds}"
        )


def outlook(
    planned: Sequence[Planned], pending: Sequence[Work], estimate: Estimate, *, workers: int = 1
) -> Outlook:
    """Return what lies ahead: counts and memory by shapes, time by what is measured."""
    left = estimate.left([one for one, _ in pending])
    return Outlook(
        experiments=len(planned),
        pending=len(pending),
        shapes=len({one.shape for one, _ in pending}),
        bytes=max((least_bytes(one) for one, _ in pending), default=0),
        seconds=None if left is None else left / min(workers, max(1, len(pending))),
    )


def preview(
    planned: Sequence[Planned], store: PathInput, *, overwrite: bool = False, workers: int = 1
) -> Outlook:
    """Return what lies ahead of a study; nothing is run or written.

    Raises
    ------
    SpecError
        If an experiment cannot fit into memory.
    """
    pending = pending_work(planned, store, overwrite=overwrite)
    require_room(pending, available_memory() // workers)
    return outlook(planned, pending, measured(planned, pending, store), workers=workers)


def measured(planned: Sequence[Planned], pending: Sequence[Work], store: PathInput) -> Estimate:
    """Return an estimate for what is to be run, from the times of what the store holds."""
    estimate = Estimate()
    if not Path(store).is_dir():
        return estimate
    held = stores.find_parts(store)
    finished = [one for one in planned if one.id in held]
    for one in finished[:: max(1, len(finished) // MOST_LOOKED_AT)]:
        seconds = _seconds_taken(store, one, sum(len(part.seeds) for part in held[one.id]))
        if seconds is not None:
            estimate.note(one, seconds)
    estimate.shares = {
        one.id: sum(len(part.seeds) for part in parts) / len(one.seeds) for one, parts in pending
    }
    return estimate


def _seconds_taken(store: PathInput, one: Planned, seeds: int) -> float | None:
    """Return what an experiment took for as many seeds as are asked for."""
    try:
        found = stores.open_experiment(store, one.id)
    except StoreError:  # damaged; said by whoever reads it
        return None
    named = [found[name] for name in ("train_seconds", "compile_seconds") if name in found]
    taken = sum(float(array.compute(scheduler="synchronous")) for array in named)
    return taken * len(one.seeds) / seeds or None


def least_bytes(one: Planned) -> int:
    """Return what an experiment takes at least, from shapes alone: data, weights, optimiser."""
    itemsize = np.dtype(one.experiment.precision).itemsize
    data = bytes_of_data(one.experiment.shapes, itemsize, copies=1)
    weights = count_parameters(one.experiment.emulator) * len(one.seeds) * itemsize
    return data + STATES * weights


def require_room(pending: Sequence[Work], available: int | None) -> None:
    """Refuse a study of which an experiment cannot fit into memory; None is not known.

    Raises
    ------
    SpecError
        Naming all that cannot.
    """
    needs = [(one, least_bytes(one)) for one, _ in pending]
    large = [(one, need) for one, need in needs if available is not None and need > available]
    if available is None or not large:
        return
    lines = [f"{_named(one)}: at least {format_bytes(need)}" for one, need in large[:MOST_TOLD]]
    more = [f"… and {len(large) - MOST_TOLD} more"] if len(large) > MOST_TOLD else []
    raise SpecError(
        f"{len(large)} of {len(pending)} experiments cannot fit into the memory of"
        f" {format_bytes(available)} that is available; take fewer samples, a shorter horizon,"
        " fewer points or a smaller network:\n" + "\n".join([*lines, *more])
    )


def _named(one: Planned) -> str:
    config = one.experiment.config
    return " ".join(config[name] for name in ("scenario", "net", "train", "scenario_kwargs"))
