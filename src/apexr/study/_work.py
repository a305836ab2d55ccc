"""The part of a study that is left to run, and running it, in this process or in a worker."""

import dataclasses
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import jax
import xarray as xr

from apexr import store as stores
from apexr._run import Storing, run_stored
from apexr.errors import StoreError
from apexr.experiment import Attendants, Experiment
from apexr.study._planned import Planned

Work = tuple[Planned, list[Experiment]]
"""An experiment and the parts of it that are to be run."""

FEW_SHAPES = 3
"""Shapes whose programs a process holds at a time."""

MANY_EACH = 2
"""Experiments of each shape beyond which one of each is run first, to tell the time left."""

NOTE_SECONDS = 1.0
"""Time from one note of how far a training is to the next."""


@dataclass(frozen=True)
class Failure:
    """An experiment that did not come to its end.

    Attributes
    ----------
    experiment
        Which.
    error
        The error's name and message.
    """

    experiment: Planned
    error: str

    def __str__(self) -> str:
        """Return one line: id, configuration, error."""
        return f"{self.experiment.id} {dict(self.experiment.experiment.config)}: {self.error}"


@dataclass(frozen=True)
class Spent:
    """The time that an experiment took, in seconds.

    Attributes
    ----------
    compiling, training
        The attributes of the result about both.
    rest
        Data, tests and writing.
    """

    compiling: float
    training: float
    rest: float


class Programs:
    """The compiled programs of a process, which may only hold so many of them."""

    def __init__(self) -> None:
        self._shapes: set[str] = set()

    def enter(self, shape: str) -> None:
        """Drop those of the shapes before when there are too many."""
        if shape not in self._shapes and len(self._shapes) == FEW_SHAPES:
            jax.clear_caches()
            self._shapes.clear()
        self._shapes.add(shape)


def told(error: BaseException) -> str:
    """Return the name and the message of an error."""
    return f"{type(error).__name__}: {error}"


def pending_work(
    planned: Sequence[Planned], held: Mapping[str, list[stores.Part]], *, overwrite: bool
) -> list[Work]:
    """Return the experiments of which something is to be run, equal shapes side by side.

    Where there are few shapes and many experiments of each, one of each comes first: it tells what
    the others will take, for one more compilation a shape.
    """
    work = [(one, missing(one, held.get(one.id, []), overwrite=overwrite)) for one in planned]
    pending = [(one, parts) for one, parts in work if parts]
    first = {one.shape: place for place, (one, _) in reversed(list(enumerate(pending)))}
    ordered = sorted(pending, key=lambda item: first[item[0].shape])
    if not 1 < len(first) <= FEW_SHAPES or len(pending) <= MANY_EACH * len(first):
        return ordered
    ahead = [pending[place] for place in sorted(first.values())]
    return [*ahead, *(item for item in ordered if item not in ahead)]


def missing(one: Planned, held: list[stores.Part], *, overwrite: bool = False) -> list[Experiment]:
    """Return the parts of an experiment that are to be run."""
    wanted = set(one.seeds)
    overlapping = [part.seeds for part in held if wanted & set(part.seeds)]
    again = overlapping if overwrite else []
    absent = wanted - {seed for seeds in overlapping for seed in seeds}
    return [one.part(seeds) for seeds in (*again, *stores.ranges(absent))]


def remaining(
    one: Planned, study: stores.Study, again: Sequence[Experiment] = ()
) -> list[Experiment]:
    """Return what is to be run now, after another process may have run some of it.

    Parameters
    ----------
    one, study
        The experiment, which must be claimed, and where.
    again
        Parts that are to be run though they are there: they are overwritten.
    """
    held = study.parts().get(one.id, [])
    there = {part.seeds for part in held}
    replaced = [part for part in again if tuple(part.seeds) in there]
    return [*replaced, *missing(one, held)]


def run_parts(
    one: Planned,
    parts: Sequence[Experiment],
    study: stores.Study,
    attendants: Attendants,
    storing: Storing,
) -> Spent:
    """Run the parts of an experiment that are not published, publish each; return the time spent.

    Parameters
    ----------
    one, parts, study
        What, and where. The experiment must be claimed.
    attendants, storing
        As for :func:`apexr._run.run_stored`.
    """
    start, compiling, training = time.perf_counter(), 0.0, 0.0
    attendants = dataclasses.replace(attendants, watch=_noting(one.id, study))
    for part in parts:
        unit = study.unit(part.attrs["experiment_id"])
        study.notes.forget_failure(unit.name)  # noted by an older release, seeds and all
        result = run_stored(one.scenario, part, unit, attendants, storing)
        compiling += seconds_of(result, "compile_seconds")
        training += seconds_of(result, "train_seconds")
    study.notes.forget_failure(one.id)
    rest = time.perf_counter() - start - compiling - training
    return Spent(compiling, training, max(0.0, rest))


def seconds_of(result: xr.Dataset, name: str) -> float:
    """Return a time that a result holds; 0 where it holds none."""
    if name not in result:
        return 0.0
    return float(result[name].sum().compute(scheduler="synchronous"))


def _noting(experiment: str, study: stores.Study) -> Callable[[int, int], None]:
    """Return the function that notes in the study how far a training is, now and then."""
    last = -NOTE_SECONDS

    def watch(done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= NOTE_SECONDS:
            study.notes.note_progress(experiment, done, total)
            last = now

    return watch


def in_turn(
    work: Iterable[Work], study: stores.Study, remaining: Callable[[Planned], list[Experiment]]
) -> Iterator[Work]:
    """Yield each experiment, and what is to be run of it, while it is claimed for this process.

    Those that another process works on come last, when it is done with them: then they are
    published, or it has died and they are free. The rest of them is requested again.
    """
    later = []
    for one, parts in work:
        with study.notes.claim(one.id, wait=False) as mine:
            if mine:
                yield one, parts
            else:
                later.append(one)
    for one in later:
        with study.notes.claim(one.id):
            yield one, remaining(one)


def check_data(pending: Sequence[Planned], study: stores.Study) -> None:
    """Refuse to go on with a study whose recorded data have another content by now.

    Experiments are known by the content of their data, so that the changed file would begin new
    ones next to those of the old, under the same labels.

    Raises
    ------
    StoreError
        Naming the source and both digests.
    """
    asked = [one for one in pending if "source_digest" in one.experiment.attrs]
    if not asked or not study.is_there():
        return
    held = {
        tuple(sorted(labels.items())): (name, content)
        for name, (labels, content) in stores.recorded_sources(stores.Study.open(study)).items()
    }
    for one in asked:
        attrs = one.experiment.attrs
        labels = {name: str(label) for name, label in one.experiment.config.items()}
        name, content = held.get(tuple(sorted(labels.items())), ("", attrs["source_digest"]))
        if content != attrs["source_digest"]:
            raise StoreError(
                f"{attrs['source']} has changed since {study} was run on it (digest {content} then,"
                f" {attrs['source_digest']} now; experiment {name}). Choose another store for the"
                " new data, bring the old data back, or say overwrite=True to have results of both"
                " side by side"
            )
