"""The settings of a training, and which updates are compiled into one chunk."""

import dataclasses
import itertools
import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from apexr._typing import Step
from apexr.errors import SpecError
from apexr.objectives import Objective
from apexr.steppers import Solver, as_solver
from apexr.training._base import Optimizer
from apexr.training._batched import objective_for
from apexr.training._batches import count_windows
from apexr.training._stream import Room, room_for


@dataclasses.dataclass(frozen=True)
class TrainingPlan:
    """The settings of a training, besides data and networks.

    Attributes
    ----------
    objective, optimizer
        Parsed configurations.
    batch_size
        Windows in a mini-batch.
    record_loss_every
        Updates from one recorded loss to the next.
    reference_stepper
        Gives the reference solver, for objectives that need one.
    data_memory
        Bytes that training data may take; of larger ones, windows are read when they are needed.
        None is no limit.

    Raises
    ------
    SpecError
        If the objective needs a reference solver and there is none, or it has a stage that begins
        after the last update.
    """

    objective: Objective
    optimizer: Optimizer
    batch_size: int
    record_loss_every: int
    reference_stepper: Callable[[], Any] | None = None
    data_memory: int | None = None

    def __post_init__(self) -> None:
        late = [start for start in self.objective.starts if start >= self.optimizer.updates]
        if late:
            raise SpecError(
                f"the objective {str(self.objective)!r} has a stage from update {late[0]} on, and"
                f" the training makes {self.optimizer.updates} updates"
            )
        if self.objective.needs_reference and self.reference_stepper is None:
            raise SpecError(
                f"the objective {str(self.objective)!r} makes steps of the reference solver; give"
                " TrainingPlan a function reference_stepper that returns it"
            )

    def along(self, emulators: Step) -> "TrainingPlan":
        """Return the plan as it is for these emulators."""
        objective = objective_for(emulators, self.objective)
        same = objective == self.objective
        return self if same else dataclasses.replace(self, objective=objective)

    def reference(self) -> Solver | None:
        """Return the reference solver if the objective needs it."""
        if self.reference_stepper is None or not self.objective.needs_reference:
            return None
        return as_solver(self.reference_stepper())

    def room(self, shape: Sequence[int], num_seeds: int) -> Room | None:
        """Return how windows of data of a shape are held; None where all data are in memory."""
        length = self.objective.window_length
        batch = num_seeds * min(self.batch_size, count_windows(shape[0], shape[1], length))
        most = self.record_loss_every
        return room_for(shape, length, batch, most=most, budget=self.data_memory)


def chunks_of(
    first: int, plan: TrainingPlan, intervals: set[int], most: int
) -> list[tuple[int, int]]:
    """Return the first update and the number of updates of each chunk, which are so many at most.

    A chunk ends where a loss is recorded, somebody wants to look or another stage of the objective
    begins.
    """
    intervals, spans = {plan.record_loss_every, *intervals}, []
    while first < plan.optimizer.updates:
        stops = [(first // every + 1) * every for every in intervals]
        stops += [start for start in plan.objective.starts if start > first]
        end = min(*stops, plan.optimizer.updates, first + most)
        spans.append((first, end - first))
        first = end
    return spans


def longest_chunk(plan: TrainingPlan, most: int) -> int:
    """Return the updates of the longest chunk, if their number is compiled in and nobody looks."""
    return max(count for _, count in in_two_lengths(chunks_of(0, plan, set(), most), 0))


def in_two_lengths(spans: list[tuple[int, int]], begun: int) -> list[tuple[int, int]]:
    """Return the chunks from an update on, cut so that they have at most two lengths.

    The first length is that of most updates, the other divides what it leaves over. The cuts do
    not depend on where a training goes on: nothing is returned if it cannot at that update.

    Parameters
    ----------
    spans
        First update and number of updates of each chunk, from the first to the last of a training.
    begun
        How many updates have been made.
    """
    updates: Counter[int] = Counter()
    for _, count in spans:
        updates[count] += count
    long = max(updates, key=lambda count: (updates[count], count), default=1)
    short = math.gcd(*(count % long for count in updates)) or long
    cut = []
    for first, count in spans:
        lengths = [long] * (count // long) + [short] * (count % long // short)
        starts = itertools.accumulate(lengths, initial=first)
        cut += list(zip(starts, lengths, strict=False))
    places = [place for place, (first, _) in enumerate(cut) if first == begun]
    return cut[places[0] :] if places else []
