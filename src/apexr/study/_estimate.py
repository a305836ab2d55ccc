"""The memory and time of a study: estimated before it starts, shown while it runs."""

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import nnls
from tqdm.auto import tqdm

from apexr import store as stores
from apexr._memory import format_bytes
from apexr.engine import bytes_of_data, count_parameters
from apexr.errors import SpecError, StoreError
from apexr.study._planned import Planned
from apexr.study._work import Spent, Work, seconds_of

MOST_LOOKED_AT = 50
"""Finished experiments whose times are read before a study starts."""

SHORTEST = 1e-6
"""Seconds: shorter times are no measurements."""

PULL = 0.02
"""How much the first guess of a time weighs, where a measurement weighs one."""

RECURRING = 0.2
"""The part of the rest that later experiments of a shape take, too, before that is measured."""

STATES = 3
"""Copies of the weights that a training holds at least: themselves and the moments of Adam."""

MOST_TOLD = 20


class Line:
    """A time that grows with a size, ``a + b * size``, fitted to what has been measured.

    Few measurements, or several of one size, do not tell both numbers; then the ratio of the two
    is that of the first guess, and the measurements say how fast the machine is.

    Parameters
    ----------
    fixed, slope
        The first guess of ``a`` and ``b``, in seconds.
    """

    def __init__(self, fixed: float, slope: float) -> None:
        self._guess = np.array([fixed, slope])
        self._points: list[tuple[float, float]] = []

    def add(self, size: float, seconds: float) -> None:
        """Take in a measurement."""
        self._points.append((size, max(seconds, SHORTEST)))

    @property
    def known(self) -> bool:
        """Whether anything has been measured."""
        return bool(self._points)

    def __call__(self, sizes: Sequence[float]) -> np.ndarray:
        """Return the seconds for some sizes."""
        return self._design(sizes) @ self._fit()

    def _fit(self) -> np.ndarray:
        """Return ``a`` and ``b``: least squares of relative errors, both of them positive."""
        if not self._points:
            return self._guess
        design = self._design([size for size, _ in self._points])
        seconds = np.array([seconds for _, seconds in self._points])
        guess = self._guess * np.median(seconds / (design @ self._guess))
        pull = np.sqrt(PULL) * np.eye(2)
        rows = np.concatenate([design * guess / seconds[:, None], pull])
        scale, _ = nnls(rows, np.concatenate([np.ones(len(seconds)), pull.sum(axis=1)]))
        return guess * scale

    @staticmethod
    def _design(sizes: Sequence[float]) -> np.ndarray:
        return np.stack([np.ones(len(sizes)), np.asarray(sizes, dtype=float)], axis=1)


class Estimate:
    """Forecasts how long experiments take from those that have come to their end.

    Compilation, training and the rest (data, tests, writing) are learned apart. One of a shape
    that has been measured takes as long as that did. Else an update takes a fixed time and one
    that grows with the operations of the network, times what networks of that kind took more or
    less than so; the rest grows with the data; and every new shape is compiled once.

    Parameters
    ----------
    shares
        By id, the part of the seeds that is to be run; 1 where none is given.
    """

    def __init__(self, shares: Mapping[str, float] | None = None) -> None:
        self.shares = dict(shares or {})
        self._updates = Line(1e-4, 1e-10)
        self._once, self._rest = Line(0.5, 1e-7), Line(0.1, 2e-8)
        self._compiling: dict[str, float] = {}
        self._ready: set[str] = set()
        self._measured: dict[str, list[tuple[float, float]]] = {}
        self._kinds: dict[str, list[tuple[float, float]]] = {}

    def note(self, one: Planned, spent: Spent, *, here: bool = True) -> None:
        """Take in the time of what was to be run of an experiment.

        Parameters
        ----------
        one, spent
            Which, and its time.
        here
            Whether this call of the study ran it, so that its programs are compiled.
        """
        update = spent.training / self.shares.get(one.id, 1.0) / one.updates
        self._updates.add(one.operations, update)
        self._kinds.setdefault(_kind(one), []).append((one.operations, update))
        again = one.shape in self._ready
        if here:  # the first of a shape makes data and compiles what makes and tests them
            (self._rest if again else self._once).add(one.numbers, spent.rest)
            self._ready.add(one.shape)
        self._measured.setdefault(one.shape, []).append((update, spent.rest if again else np.nan))
        self._compiling[one.shape] = max(spent.compiling, self._compiling.get(one.shape, 0.0))

    def left(self, pending: Sequence[Planned], workers: int = 1) -> float | None:
        """Return the seconds that the others will take, or None where nothing is known yet."""
        if not self._measured or not pending:
            return 0.0 if self._measured else None
        each = np.array([self.shares.get(one.id, 1.0) for one in pending]) * self._training(pending)
        each += self._resting(pending)
        shapes = Counter(one.shape for one in pending if one.shape not in self._ready)
        usual = float(np.median([*self._compiling.values()]))
        sizes = {one.shape: one.numbers for one in pending}
        beginning = sum(
            min(count, workers) * (self._compiling.get(shape, usual) + self._first(sizes[shape]))
            for shape, count in shapes.items()
        )
        share = min(workers, len(pending))
        return max((float(each.sum()) + beginning) / share, float(each.max()))

    def _first(self, numbers: float) -> float:
        """Return how much longer than later ones the first of a shape takes, compiling aside."""
        more = self._once([numbers]) - self._recurring([numbers])
        return max(0.0, float(more[0]))

    def _recurring(self, numbers: Sequence[float]) -> np.ndarray:
        return self._rest(numbers) if self._rest.known else RECURRING * self._once(numbers)

    def _training(self, pending: Sequence[Planned]) -> np.ndarray:
        """Return how long the trainings of all seeds take."""
        updates = np.array([one.updates for one in pending])
        new = [place for place, one in enumerate(pending) if one.shape not in self._measured]
        seconds = np.array([self._of_shape(one.shape, 0) for one in pending])
        if new:
            sizes = [pending[place].operations for place in new]
            usual = [self._slowness(_kind(pending[place])) for place in new]
            seconds[new] = self._updates(sizes) * usual
        return updates * seconds

    def _resting(self, pending: Sequence[Planned]) -> np.ndarray:
        guess = self._recurring([one.numbers for one in pending])
        known = np.array([self._of_shape(one.shape, 1) for one in pending])
        return np.where(np.isnan(known), guess, known)

    def _of_shape(self, shape: str, column: int) -> float:
        """Return what experiments of a shape took in the middle; NaN where it is not known."""
        held = [row[column] for row in self._measured.get(shape, ()) if not np.isnan(row[column])]
        return float(np.median(held)) if held else np.nan

    def _slowness(self, kind: str) -> float:
        """Return how much longer than others of their operations networks of a kind take."""
        held = self._kinds.get(kind, [])
        sizes, seconds = [size for size, _ in held], np.array([taken for _, taken in held])
        return float(np.median(seconds / self._updates(sizes))) if held else 1.0


def _kind(one: Planned) -> str:
    emulator = one.experiment.emulator
    return f"{type(emulator.network).__name__} {len(emulator.grid.shape)}d"


@dataclass(frozen=True)
class Outlook:
    """The work that lies ahead of a study.

    Attributes
    ----------
    experiments, pending
        How many there are, and how many of them are to be run.
    shapes
        How many different programs those need, each compiled once a process.
    bytes
        The least memory of the largest of them, known from shapes alone.
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
    left = estimate.left([one for one, _ in pending], workers)
    return Outlook(
        experiments=len(planned),
        pending=len(pending),
        shapes=len({one.shape for one, _ in pending}),
        bytes=max((least_bytes(one) for one, _ in pending), default=0),
        seconds=left,
    )


def measured(
    planned: Sequence[Planned],
    pending: Sequence[Work],
    study: stores.Study,
    held: Mapping[str, Sequence[stores.Part]],
) -> Estimate:
    """Return an estimate for what is to be run, from the times of what the study holds."""
    shares = {
        one.id: sum(len(part.seeds) for part in parts) / len(one.seeds) for one, parts in pending
    }
    estimate = Estimate(shares)
    finished = [one for one in planned if one.id in held]
    for one in finished[:: max(1, len(finished) // MOST_LOOKED_AT)]:
        part = sum(len(part.seeds) for part in held[one.id]) / len(one.seeds)
        spent = _seconds_taken(study, one, shares.get(one.id, 1.0) / part)
        if spent is not None:
            estimate.note(one, spent, here=False)
    return estimate


def _seconds_taken(study: stores.Study, one: Planned, times: float) -> Spent | None:
    """Return what an experiment took; its training for so many times the seeds."""
    try:
        found = stores.open_experiment(study, one.id)
    except StoreError:  # damaged; said by whoever reads it
        return None
    training = seconds_of(found, "train_seconds") * times
    compiling = seconds_of(found, "compile_seconds")
    return Spent(compiling, training, np.nan) if training else None


def least_bytes(one: Planned) -> int:
    """Return what an experiment takes at least, from shapes alone: data, weights, optimizer."""
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


# --- while it runs -------------------------------------------------------------------------------


class Progress:
    """The bar of a study, with the time left next to it.

    Parameters
    ----------
    planned, pending
        All experiments, and those of them that are to be run.
    estimate
        Times that are known already.
    shown
        Whether there is a bar.
    """

    def __init__(
        self,
        planned: Sequence[Planned],
        pending: Sequence[Planned],
        estimate: Estimate,
        *,
        shown: bool,
    ) -> None:
        self._pending = list(pending)
        self._total, self._published = len(pending), 0
        self._estimate = estimate
        self._workers = 1
        self._running = ""
        self._bar: Any = tqdm(
            total=len(planned),
            initial=len(planned) - len(pending),
            desc="study",
            unit="experiment",
            disable=not shown,
            bar_format="{desc}: {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} [{elapsed}{postfix}]",
        )

    def say(self, message: str) -> None:
        """Write a line above the bar, if there is one."""
        if not self._bar.disable:
            tqdm.write(message, file=sys.stderr)

    def finish(self, one: Planned, spent: Spent | None = None, *, published: bool) -> None:
        """Count an experiment as done, whether it is published or has failed."""
        if spent is not None:
            self._estimate.note(one, spent)
        self._published += published
        self._pending.remove(one)
        self._tell(refresh=False)
        self._bar.update()

    def published(self) -> str:
        """Return how many of the experiments that were to be run came to their end."""
        return f"{self._published} of {self._total} experiments published"

    def show_running(self, running: str, workers: int) -> None:
        """Say what is being run, on how many workers."""
        changed = running != self._running
        self._running, self._workers = running, max(1, workers)
        if changed:
            self._tell(refresh=True)

    def _tell(self, *, refresh: bool) -> None:
        left = self._estimate.left(self._pending, self._workers)
        time_left = [] if left is None else [f"{tqdm.format_interval(left)} left"]
        told = ", ".join(filter(None, [self._running, *time_left]))
        self._bar.set_postfix_str(told, refresh=refresh)

    def close(self) -> None:
        """Leave the bar as it is."""
        self._bar.close()
