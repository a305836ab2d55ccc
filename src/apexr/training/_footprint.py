"""The memory that a training takes, known from its compiled program before it runs."""

import dataclasses
from typing import Any

import jax
import numpy as np
from jax.sharding import NamedSharding
from jax.sharding import PartitionSpec as P
from jaxtyping import PRNGKeyArray

from apexr.training._batches import count_windows
from apexr.training._chunk import Work, compiled_chunk, windows_at_once
from apexr.training._clock import Clock
from apexr.training._loop import TrainingPlan, start
from apexr.training._mesh import BATCH_AXIS


@dataclasses.dataclass(frozen=True)
class Footprint:
    """What a training takes on each of its devices, in bytes.

    Attributes
    ----------
    devices
        On how many it runs. Those of a CPU share its memory.
    held
        Data, weights and optimisers.
    working
        What an update needs besides.
    windows
        The windows that ``working`` is for: all those of a batch on a device, or a part of them.
    per_seed
        What of ``held`` one more seed adds.
    compile_seconds
        What it took to compile the program, which the training then uses.
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


def footprint(
    emulators: Any, trajectories: tuple[int, ...], keys: PRNGKeyArray, plan: TrainingPlan
) -> Footprint:
    """Return what training emulators takes, having compiled it for data of this shape.

    Parameters
    ----------
    emulators, keys, plan
        As for :func:`apexr.training.train`.
    trajectories
        The shape ``(sample, frame, channel, *space)`` of the training data.
    """
    recipe, state, constants = start(emulators, trajectories[1], len(keys), plan)
    everywhere = NamedSharding(recipe.mesh, P())
    frames = (trajectories[2], trajectories[0] * trajectories[1], *trajectories[3:])
    dtype = jax.dtypes.canonicalize_dtype(float)
    parts = recipe.mesh.shape[BATCH_AXIS]
    windows = count_windows(trajectories[0], trajectories[1], plan.objective.window_length)
    batch = min(plan.batch_size, windows)
    batch += -batch % parts
    size = (plan.record_loss_every, batch)
    work = Work(
        constants,
        jax.ShapeDtypeStruct(frames, dtype, sharding=everywhere),
        jax.ShapeDtypeStruct((len(keys), *size), np.int32),
        jax.ShapeDtypeStruct(size, dtype),
        *(jax.ShapeDtypeStruct((), np.int32),) * 2,
    )
    with Clock() as clock:
        used = compiled_chunk(recipe).compiled(state, work).memory_analysis()
    one_seed = jax.eval_shape(lambda tree: jax.tree.map(lambda a: a[0], tree), state.params)
    on_device = dataclasses.replace(
        work, indices=jax.ShapeDtypeStruct((1, batch // parts), np.int32)
    )
    own = sum(leaf.nbytes for leaf in jax.tree.leaves(state)) // len(keys)
    return Footprint(
        devices=recipe.mesh.size,
        held=used.argument_size_in_bytes + used.output_size_in_bytes - used.alias_size_in_bytes,
        working=used.temp_size_in_bytes,
        windows=windows_at_once(one_seed, on_device),
        per_seed=own * parts // recipe.mesh.size,
        compile_seconds=clock.compile_seconds,
    )
