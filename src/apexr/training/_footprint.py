"""The memory that a training takes, known from its compiled program before it runs."""

import dataclasses

import jax
import numpy as np

from apexr._typing import Step
from apexr.kernels import Ahead
from apexr.training._batches import count_windows
from apexr.training._chunk import Static, TrainState, Work, compiled_chunk, windows_at_once
from apexr.training._mesh import BATCH_AXIS
from apexr.training._plan import TrainingPlan, longest_chunk
from apexr.training._start import outline


@dataclasses.dataclass(frozen=True)
class Footprint:
    """The memory of a training on each of its devices, in bytes.

    Attributes
    ----------
    devices
        On how many it runs. Those of a CPU share its memory.
    held
        Data, weights and optimizers.
    working
        Further memory of an update.
    windows
        The windows that ``working`` is for: all those of a batch on a device, or a part of them.
    per_seed
        The part of ``held`` that one more seed adds.
    compile_seconds
        Seconds to compile the program, which the training then uses.
    """

    devices: int
    held: int
    working: int
    windows: int
    per_seed: int
    compile_seconds: float

    @property
    def on_device(self) -> int:
        """All that is taken on one device."""
        return self.held + self.working


@dataclasses.dataclass(frozen=True)
class Preparation:
    """A training whose program is being compiled.

    Attributes
    ----------
    program
        The program of a chunk.
    state, work
        Shapes of its arguments; of the work, what one device sees of one seed.
    static
        The parts that are compiled in.
    """

    program: Ahead
    state: TrainState
    work: Work
    static: Static

    def footprint(self) -> Footprint:
        """Return what the training takes, once its program is compiled."""
        compiled, seconds = self.program.result()
        used = compiled.memory_analysis()
        parts = self.static.mesh.shape[BATCH_AXIS]
        leaves = jax.tree.leaves(self.state)
        one_seed = jax.eval_shape(
            lambda tree: jax.tree.map(lambda a: a[0], tree), self.state.params
        )
        per_seed = sum(leaf.size // leaf.shape[0] * leaf.dtype.itemsize for leaf in leaves)
        return Footprint(
            devices=self.static.mesh.size,
            held=used.argument_size_in_bytes + used.output_size_in_bytes - used.alias_size_in_bytes,
            working=used.temp_size_in_bytes,
            windows=windows_at_once(one_seed, self.work),
            per_seed=per_seed * parts // self.static.mesh.size,
            compile_seconds=seconds,
        )


def prepare(
    emulators: Step,
    trajectories: tuple[int, ...],
    num_seeds: int,
    plan: TrainingPlan,
    *,
    stops: bool = False,
) -> Preparation:
    """Compile a training for data of this shape, while others work.

    Parameters
    ----------
    emulators, plan
        As for :func:`apexr.training.train`; shapes will do in place of the seeds' own arrays.
    trajectories
        The shape ``(sample, frame, channel, *space)`` of the training data.
    num_seeds
        How many emulators are trained.
    stops
        Whether seeds may stop before the last update.
    """
    plan = plan.along(emulators)
    static, state, work = outlined(emulators, trajectories, num_seeds, plan, stops=stops)
    largest = max(plan.objective.starts, key=lambda start: plan.objective.at(start).num_steps)
    num_updates = None
    if static.form.static_chunks:
        num_updates = longest_chunk(plan, work.indices.shape[1])
    program = compiled_chunk(static.at(largest), num_updates).ahead(state, work)
    batch = work.indices.shape[-1] // static.mesh.shape[BATCH_AXIS]
    share = jax.ShapeDtypeStruct((1, batch), np.int32)
    return Preparation(program, state, dataclasses.replace(work, indices=share), static)


def outlined(
    emulators: Step,
    trajectories: tuple[int, ...],
    num_seeds: int,
    plan: TrainingPlan,
    *,
    stops: bool = False,
) -> tuple[Static, TrainState, Work]:
    """Return what is compiled in, and the shapes of a chunk's arguments; see :func:`prepare`."""
    room = plan.room(trajectories, num_seeds)
    num_frames = trajectories[1] if room is None else room.num_frames
    static, state, constants = outline(emulators, num_frames, num_seeds, plan)
    count = trajectories[0] * trajectories[1] if room is None else room.frames
    frames = (trajectories[2], count, *trajectories[3:])
    dtype = jax.dtypes.canonicalize_dtype(float)
    parts = static.mesh.shape[BATCH_AXIS]
    windows = count_windows(trajectories[0], trajectories[1], plan.objective.window_length)
    batch = min(plan.batch_size, windows)
    batch += -batch % parts
    size = (plan.record_loss_every if room is None else room.span, batch)
    if plan.objective.is_noisy:
        spread = jax.ShapeDtypeStruct((trajectories[2],), dtype, sharding=static.everywhere)
        constants = dataclasses.replace(constants, spread=spread)
    keys = jax.ShapeDtypeStruct((num_seeds, 2), np.uint32) if plan.objective.is_noisy else None
    work = Work(
        constants,
        jax.ShapeDtypeStruct(frames, dtype, sharding=static.everywhere),
        jax.ShapeDtypeStruct((num_seeds, *size), np.int32),
        jax.ShapeDtypeStruct(size, dtype),
        *(jax.ShapeDtypeStruct((), np.int32),) * 2,
        jax.ShapeDtypeStruct((num_seeds,), bool) if stops else None,
        keys,
    )
    return static, state, work
