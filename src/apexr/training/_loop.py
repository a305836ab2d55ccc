"""The host side of a training: batches, chunks, records, progress, checkpoints."""

import dataclasses
import logging
from collections.abc import Callable, Generator
from contextlib import closing
from typing import Any

import jax
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from apexr._typing import Step
from apexr.kernels import frames_first
from apexr.training._batches import batch_indices, batch_weights, count_windows
from apexr.training._checkpoint import Keeper, Progress, resumed
from apexr.training._chunk import (
    Constants,
    Static,
    TrainState,
    Work,
    train_chunk,
)
from apexr.training._clock import Clock
from apexr.training._interrupt import Interruption
from apexr.training._judge import Judge
from apexr.training._mesh import BATCH_AXIS
from apexr.training._moment import Hook, Moment
from apexr.training._plan import TrainingPlan, chunks_of, in_two_lengths
from apexr.training._records import Records
from apexr.training._result import Trained
from apexr.training._spread import noise_keys, with_spread
from apexr.training._standing import Standing, Validation
from apexr.training._start import start
from apexr.training._stream import Room, Streamed, WindowSource, in_background

Report = Callable[[int, Float[np.ndarray, " seed"]], None]
"""Called after each chunk with the updates done and the loss that the chunk before began with."""

_log = logging.getLogger(__name__)


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
    spans = chunks_of(update, batches.plan, intervals, batches.span)
    if batches.static.form.static_chunks:
        whole = chunks_of(0, batches.plan, intervals, batches.span)
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
