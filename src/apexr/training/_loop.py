"""The host side of a training: batches, chunks, records, progress."""

import dataclasses
import math
from collections.abc import Callable, Iterator
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import NamedSharding
from jax.sharding import PartitionSpec as P
from jaxtyping import Array, Float, Int, PRNGKeyArray

from apexr._parts import split
from apexr.errors import SpecError
from apexr.objectives import Objective
from apexr.steppers import Solver, as_solver
from apexr.training._batches import batch_indices, batch_weights, count_windows
from apexr.training._chunk import (
    NEVER,
    Constants,
    Recipe,
    TrainState,
    Work,
    frames_first,
    train_chunk,
)
from apexr.training._clock import Clock
from apexr.training._mesh import BATCH_AXIS, SEED_AXIS, seed_mesh
from apexr.training._optimizers import Optimizer

Report = Callable[[int, Float[np.ndarray, " seed"]], None]
"""Called after each chunk with the updates done and the losses recorded."""


@dataclasses.dataclass(frozen=True)
class TrainingPlan:
    """What a training is made of besides data and networks.

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

    Raises
    ------
    SpecError
        If the objective needs a reference solver and there is none.
    """

    objective: Objective
    optimizer: Optimizer
    batch_size: int
    record_loss_every: int
    reference_stepper: Callable[[], Any] | None = None

    def __post_init__(self) -> None:
        if self.objective.needs_reference and self.reference_stepper is None:
            raise SpecError(
                f"the objective {str(self.objective)!r} makes steps of the reference solver; give"
                " TrainingPlan a function reference_stepper that returns it"
            )

    def reference(self) -> Solver | None:
        """Return the reference solver if the objective needs it."""
        if self.reference_stepper is None or not self.objective.needs_reference:
            return None
        return as_solver(self.reference_stepper())


@dataclasses.dataclass(frozen=True)
class Trained:
    """What a training gives back.

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
        Wall time of the updates and of the compilation.
    """

    emulators: Any
    losses: Float[np.ndarray, "seed record"]
    update_steps: Int[np.ndarray, " record"]
    diverged_at: Int[np.ndarray, " seed"]
    train_seconds: float
    compile_seconds: float


def train(
    emulators: Any,
    trajectories: Float[Array, "sample frame channel *space"],
    shuffle_keys: PRNGKeyArray,
    plan: TrainingPlan,
    report: Report | None = None,
) -> Trained:
    """Return the emulators trained on windows of the trajectories.

    Parameters
    ----------
    emulators
        A module whose floating-point arrays are trained and lead with the seeds; those of
        solvers in it neither are nor do.
    trajectories
        Training data; shared by all seeds.
    shuffle_keys
        One key a seed, from which its mini-batches are drawn.
    plan
        Objective, optimiser and sizes.
    report
        Called after each chunk.

    Raises
    ------
    SpecError
        If the emulators have nothing to train, or the windows do not fit.
    """
    recipe, state, constants = _start(emulators, trajectories.shape[1], len(shuffle_keys), plan)
    losses: list[Array] = []
    with Clock() as clock:
        for work in _chunks(trajectories, shuffle_keys, plan, recipe, constants):
            state, loss = train_chunk(state, work, recipe)
            losses.append(loss)
            if report is not None and len(losses) > 1:  # the chunk before is done by now
                report(int(work.first_update), np.asarray(losses[-2]))
        jax.block_until_ready(state)
    return Trained(
        emulators=recipe.emulator(state.params, constants),
        losses=np.stack(losses, axis=1),
        update_steps=np.arange(len(losses)) * plan.record_loss_every,
        diverged_at=np.asarray(state.diverged_at),
        train_seconds=clock.work_seconds,
        compile_seconds=clock.compile_seconds,
    )


def _start(
    emulators: Any, num_frames: int, num_seeds: int, plan: TrainingPlan
) -> tuple[Recipe, TrainState, Constants]:
    """Return what is compiled in, the state before the first update and what stays as it is."""
    mesh = seed_mesh(num_seeds)
    own, shared, structure = split(emulators)
    params, held = eqx.partition(own, eqx.is_inexact_array)
    if not jax.tree.leaves(params):
        raise SpecError(
            "there is nothing to train: the emulator has no floating-point arrays besides those"
            " of solvers"
        )
    recipe = Recipe(mesh, plan.objective, plan.optimizer, num_frames, structure)
    optimizer = jax.vmap(plan.optimizer.build().init)(params)
    state = TrainState(params, optimizer, jnp.full(num_seeds, NEVER, dtype=jnp.int32))
    fresh = jax.tree.map(jnp.copy, state)  # the chunks use its memory again
    over_seeds, everywhere = NamedSharding(mesh, P(SEED_AXIS)), NamedSharding(mesh, P())
    constants = Constants(
        jax.device_put(held, over_seeds), *jax.device_put((shared, plan.reference()), everywhere)
    )
    return recipe, jax.device_put(fresh, over_seeds), constants


def _chunks(
    trajectories: Float[Array, "sample frame channel *space"],
    shuffle_keys: PRNGKeyArray,
    plan: TrainingPlan,
    recipe: Recipe,
    constants: Constants,
) -> Iterator[Work]:
    num_samples, num_frames = trajectories.shape[:2]
    num_windows = count_windows(num_samples, num_frames, plan.objective.window_length)
    sizes = {
        "num_windows": num_windows,
        "batch_size": min(plan.batch_size, num_windows),
        "num_updates": plan.optimizer.updates,
    }
    indices, weights = batch_indices(shuffle_keys, **sizes), batch_weights(**sizes)
    parts = recipe.mesh.shape[BATCH_AXIS]
    spare = -indices.shape[-1] % parts
    every = plan.record_loss_every
    chunks = math.ceil(plan.optimizer.updates / every)
    late = chunks * every - plan.optimizer.updates
    indices = np.pad(indices, ((0, 0), (0, late), (0, spare)), mode="edge")
    weights = np.pad(weights, ((0, late), (0, spare)))
    frames = jax.device_put(frames_first(trajectories), NamedSharding(recipe.mesh, P()))
    for chunk in range(chunks):
        span = slice(chunk * every, (chunk + 1) * every)
        count = min(every, plan.optimizer.updates - chunk * every)
        place = np.int32(span.start), np.int32(count)
        yield Work(constants, frames, indices[:, span], weights[span], *place)
