"""The host side of a training: batches, chunks, records, progress, checkpoints."""

import dataclasses
import functools
import itertools
import logging
import math
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from typing import Any

import jax
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from apexr._parts import has_shape, shapes_of, split, trained
from apexr._typing import Step
from apexr.errors import SpecError
from apexr.kernels import form, frames_first, jit_once
from apexr.objectives import Objective
from apexr.steppers import Solver, as_solver
from apexr.training._batched import objective_for
from apexr.training._batches import batch_indices, batch_weights, count_windows
from apexr.training._checkpoint import Keeper, Progress, resumed
from apexr.training._chunk import (
    NEVER,
    Constants,
    Static,
    TrainState,
    Work,
    train_chunk,
)
from apexr.training._clock import Clock
from apexr.training._interrupt import Interruption
from apexr.training._judge import Judge, Validated
from apexr.training._mesh import BATCH_AXIS, seed_mesh
from apexr.training._moment import Hook, Moment
from apexr.training._optimizers import Optimizer
from apexr.training._records import Record, Records
from apexr.training._spread import noise_keys, with_spread
from apexr.training._stream import Room, Streamed, WindowSource, in_background, room_for
from apexr.training._validation import Standing, Validation

Report = Callable[[int, Float[np.ndarray, " seed"]], None]
"""Called after each chunk with the updates done and the loss that the chunk before began with."""

_log = logging.getLogger(__name__)


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


@dataclasses.dataclass(frozen=True)
class Attendance:
    """Who attends a training; by default nobody.

    Attributes
    ----------
    report
        Called after each chunk.
    recorders
        Called before some of the updates; what they return is recorded.
    trackers
        Called likewise; nothing is recorded.
    keeper
        Keeps checkpoints and gives the last one back. With it, Ctrl-C or SIGTERM ends the
        training only after the running chunk and one more checkpoint.
    seeds
        Labels of the seeds; by default they are counted.
    """

    report: Report | None = None
    recorders: tuple[Hook, ...] = ()
    trackers: tuple[Hook, ...] = ()
    keeper: Keeper | None = None
    seeds: tuple[int, ...] | None = None

    def intervals(self) -> set[int]:
        """Return after how many updates somebody wants to look."""
        return {hook.every for hook in (*self.recorders, *self.trackers)}

    def look(self, moment: Moment, records: Records) -> None:
        """Have all who are due look at a moment."""
        for recorder in self.recorders:
            if moment.update_step % recorder.every == 0:
                records.note(moment.update_step, recorder(moment))
        for tracker in self.trackers:
            if moment.update_step % tracker.every == 0:
                tracker(moment)


NOBODY = Attendance()


@dataclasses.dataclass(frozen=True)
class Trained:
    """The result of a training.

    Attributes
    ----------
    emulators
        The trained module; its arrays lead with the seeds, those of solvers in it excepted.
    losses
        ``(seed, record)``: the loss before each recorded update.
    update_steps
        The recorded updates.
    diverged_at
        ``(seed,)``: first update with a loss that was not finite, or -1.
    train_seconds, compile_seconds
        Wall time of the updates and of the compilation. Updates that were made before an
        interruption count, compilation does not.
    records
        The values that recorders returned, by name.
    validated
        The findings of validation, where there was one.
    """

    emulators: Any
    losses: Float[np.ndarray, "seed record"]
    update_steps: Int[np.ndarray, " record"]
    diverged_at: Int[np.ndarray, " seed"]
    train_seconds: float
    compile_seconds: float
    records: Mapping[str, Record] = dataclasses.field(default_factory=dict)
    validated: Validated | None = None


def train(
    emulators: Step,
    trajectories: Float[Array, "sample frame channel *space"] | Streamed,
    shuffle_keys: PRNGKeyArray,
    plan: TrainingPlan,
    attendance: Attendance = NOBODY,
    validation: Validation | None = None,
) -> Trained:
    """Return the emulators trained on windows of the trajectories.

    Parameters
    ----------
    emulators
        A module whose floating-point arrays are trained and lead with the seeds; those of
        solvers in it neither are nor do.
    trajectories
        Training data, in memory or read when they are needed; shared by all seeds.
    shuffle_keys
        One key a seed, from which its mini-batches are drawn.
    plan
        Objective, optimizer and sizes.
    attendance
        The hooks between the chunks; the numbers do not depend on them.
    validation
        The metric on other data, and the weights to give back.

    Raises
    ------
    SpecError
        If the emulators have nothing to train, or the windows do not fit.
    KeyboardInterrupt
        After Ctrl-C; with a keeper, saying how far the training is.
    Terminated
        After SIGTERM, likewise.
    """
    plan = plan.along(emulators)
    trajectories, room = _placed(trajectories, len(shuffle_keys), plan)
    num_frames = trajectories.shape[1] if room is None else room.num_frames
    static, fresh, constants = start(emulators, num_frames, len(shuffle_keys), plan)
    constants = with_spread(constants, trajectories, static)
    batches = _Batches.of(trajectories, room, shuffle_keys, plan, static, constants)
    with Clock() as clock, Interruption(enabled=attendance.keeper is not None) as stop:
        judge = Judge(plan.optimizer, static, constants, validation, plan.batch_size)
        begun = _begin(fresh, judge.fresh(fresh), attendance.keeper)
        done = _go_on(begun, batches, judge, attendance, clock, stop)
        weights, validated = judge.outcome(done)
        jax.block_until_ready(weights)
    losses = done.records.losses.record()
    return Trained(
        emulators=static.emulator(weights, constants),
        losses=losses.values,
        update_steps=losses.update_steps,
        diverged_at=np.asarray(done.state.diverged_at),
        train_seconds=done.seconds + clock.work_seconds,
        compile_seconds=clock.compile_seconds,
        records={name: series.record() for name, series in done.records.noted.items()},
        validated=validated,
    )


def _placed(trajectories: Any, num_seeds: int, plan: TrainingPlan) -> tuple[Any, Room | None]:
    """Return data and how their windows are held; what need not be read bit by bit is in memory."""
    if not isinstance(trajectories, Streamed):
        return trajectories, None
    room = plan.room(trajectories.shape, num_seeds)
    return (trajectories[:] if room is None else trajectories), room


def _begin(fresh: TrainState, standing: Standing | None, keeper: Keeper | None) -> Progress:
    """Return the progress of the last checkpoint, or none."""
    saved = None if keeper is None else keeper.load()
    begun = Progress(0, 0.0, fresh, Records(), standing)
    progress = None if saved is None else resumed(saved, begun)
    if progress is None:
        return begun
    _log.info("the training goes on after %d updates that were made before", progress.update)
    return progress


def _go_on(
    done: Progress,
    batches: "_Batches",
    judge: Judge,
    attendance: Attendance,
    clock: Clock,
    stop: Interruption,
) -> Progress:
    """Return the progress after all updates; ``seconds`` are those made before this call."""
    update, before, state, records, standing = done
    seeds = attendance.seeds or tuple(range(batches.indices.shape[0]))
    last_loss: Array | None = None
    intervals = attendance.intervals()
    spans = _spans(update, batches.plan, intervals, batches.span)
    if batches.static.form.static_chunks:
        whole = _spans(0, batches.plan, intervals, batches.span)
        spans = in_two_lengths(whole, update) or in_two_lengths(spans, update)
    with closing(batches.works(spans)) as works:
        for (first, count), work in zip(spans, works, strict=True):
            seen = any(first % every == 0 for every in intervals)
            recorded = first % batches.plan.record_loss_every == 0
            if recorded:
                standing = judge.judged(standing, state, first, records)
            weights = judge.copied(state) if seen else None  # the chunk takes them
            static, allotted = batches.static.at(first), judge.allotted(work, standing)
            state, loss = train_chunk(state, allotted, static)
            if recorded:
                records.losses.add(first, loss)
            if weights is not None:
                attendance.look(Moment(seeds, *weights, loss, static, allotted), records)
            if attendance.report is not None and last_loss is not None:  # that chunk is done by now
                attendance.report(first, np.asarray(last_loss))
            last_loss = loss
            if attendance.keeper is not None and (stop.requested or attendance.keeper.is_due()):
                seconds = before + clock.work_seconds
                progress = Progress(first + count, seconds, state, records, standing)
                attendance.keeper.save(progress.update, progress.arrays())
                stop.obey(progress.update, batches.plan.optimizer.updates)
    return Progress(batches.plan.optimizer.updates, before, state, records, standing)


def _spans(first: int, plan: TrainingPlan, intervals: set[int], most: int) -> list[tuple[int, int]]:
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
    return max(count for _, count in in_two_lengths(_spans(0, plan, set(), most), 0))


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


def start(
    emulators: Step, num_frames: int, num_seeds: int, plan: TrainingPlan
) -> tuple[Static, TrainState, Constants]:
    """Return what is compiled in, the state before the first update and what stays as it is."""
    static, params, held, shared = taken_apart(emulators, num_frames, num_seeds, plan)
    size = sum(leaf.size for leaf in jax.tree.leaves(params))
    optimizer = _optimizer_state(size)(params, plan.optimizer)
    never: Any = np.full(num_seeds, NEVER, dtype=np.int32)
    state = TrainState(params, optimizer, never)
    # By way of the host: device to devices, each array would be cut by a program of its own.
    # The chunks use the memory of the state again, so it shares none with the emulators.
    host = jax.tree.map(np.asarray, (state, held))
    state, held = jax.device_put(host, static.over_seeds, may_alias=False)
    shared, reference = jax.device_put((shared, plan.reference()), static.everywhere)
    return static, state, Constants(held, shared, reference)


def outline(
    emulators: Step, num_frames: int, num_seeds: int, plan: TrainingPlan
) -> tuple[Static, TrainState, Constants]:
    """Return what :func:`start` gives, with shapes in place of the arrays of the seeds.

    The emulators may hold shapes, too.
    """
    static, params, held, shared = taken_apart(emulators, num_frames, num_seeds, plan)
    optimizer = jax.eval_shape(functools.partial(_begin_all, optimizer=plan.optimizer), params)
    never: Any = jax.ShapeDtypeStruct((num_seeds,), np.int32)
    state = TrainState(params, optimizer, never)
    state, held = shapes_of((state, held), static.over_seeds)
    shared, reference = jax.device_put((shared, plan.reference()), static.everywhere)
    return static, state, Constants(held, shared, reference)


def taken_apart(
    emulators: Step, num_frames: int, num_seeds: int, plan: TrainingPlan
) -> tuple[Static, Any, Any, Any]:
    """Return what is compiled in, the weights, and what stays: the seeds' own and the shared.

    Raises
    ------
    SpecError
        If there are no weights.
    """
    own, shared, structure = split(emulators, has_shape)
    params, held = trained(own)
    if not jax.tree.leaves(params):
        raise SpecError(
            "there is nothing to train: the emulator has no floating-point arrays besides those"
            " of solvers"
        )
    mesh = seed_mesh(num_seeds)
    static = Static(mesh, plan.objective, plan.optimizer, num_frames, structure, form())
    return static, params, held, shared


def _begin_all(params: Any, optimizer: Optimizer) -> Any:
    """Return the optimizer's first state for the weights of every seed."""
    return jax.vmap(optimizer.build().init)(params)


_optimizer_state = jit_once(_begin_all, static_argnames=("optimizer",))


@dataclasses.dataclass(frozen=True)
class _Batches:
    """The mini-batches of all seeds; those past the last update only fill a chunk up.

    ``data`` are the frames of all trajectories, or what their windows are read from; ``span`` are
    the updates that the arrays of a chunk hold.
    """

    plan: TrainingPlan
    static: Static
    constants: Constants
    data: Float[Array, "channel frame *space"] | Streamed
    room: Room | None
    span: int
    indices: Int[np.ndarray, "seed update batch"]
    weights: Float[np.ndarray, "update batch"]
    keys: Any = None

    @classmethod
    def of(
        cls,
        trajectories: Float[Array, "sample frame channel *space"] | Streamed,
        room: Room | None,
        shuffle_keys: PRNGKeyArray,
        plan: TrainingPlan,
        static: Static,
        constants: Constants,
    ) -> "_Batches":
        """Return the batches drawn from the keys."""
        num_samples, num_frames = trajectories.shape[:2]
        num_windows = count_windows(num_samples, num_frames, plan.objective.window_length)
        sizes = {
            "num_windows": num_windows,
            "batch_size": min(plan.batch_size, num_windows),
            "num_updates": plan.optimizer.updates,
        }
        indices, weights = batch_indices(shuffle_keys, **sizes), batch_weights(**sizes)
        spare = -indices.shape[-1] % static.mesh.shape[BATCH_AXIS]
        late = plan.record_loss_every if room is None else room.span
        data = (
            trajectories
            if isinstance(trajectories, Streamed)
            else _everywhere(frames_first(np.asarray(trajectories)), static)
        )
        return cls(
            plan,
            static,
            constants,
            data,
            room,
            late,
            np.pad(indices, ((0, 0), (0, late), (0, spare)), mode="edge"),
            np.pad(weights, ((0, late), (0, spare))),
            noise_keys(shuffle_keys) if plan.objective.is_noisy else None,
        )

    def works(self, spans: list[tuple[int, int]]) -> Generator[Work, None, None]:
        """Yield the work of each chunk, in arrays of the size that every chunk has."""
        if not isinstance(self.data, Streamed) or self.room is None:
            for first, count in spans:
                yield self._work(first, count, self.data, self._of_chunk(first))
            return
        source = WindowSource(self.data, self.room, self.indices, tuple(spans))
        with closing(in_background(source)) as read:
            for (first, count), (frames, indices) in zip(spans, read, strict=True):
                yield self._work(first, count, _everywhere(frames, self.static), indices)

    def _of_chunk(self, first: int) -> Int[np.ndarray, "seed update batch"]:
        return self.indices[:, first : first + self.span]

    def _work(self, first: int, count: int, frames: Any, indices: np.ndarray) -> Work:
        weights = self.weights[first : first + self.span]
        place = np.int32(first), np.int32(count)
        return Work(self.constants, frames, indices, weights, *place, keys=self.keys)


def _everywhere(frames: Any, static: Static) -> Any:
    """Return frames on every device."""
    return jax.device_put(frames, static.everywhere)
