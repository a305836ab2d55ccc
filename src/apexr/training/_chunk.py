"""One compiled chunk of updates, for many seeds over the devices of the process."""

import dataclasses
import functools
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import equinox as eqx
import jax
import jax.flatten_util
import jax.numpy as jnp
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from apexr import kernels
from apexr._parts import Structure
from apexr.kernels import Form, JitKeepingBarriers, add_changes, gather_windows, in_form, map_seeds
from apexr.objectives import PLAIN, Denoising, Noise, Objective, Setting
from apexr.steppers import Solver
from apexr.training._base import Optimizer
from apexr.training._batched import denoiser, of_predicted
from apexr.training._mesh import BATCH_AXIS, SEED_AXIS
from apexr.training._records import NEVER

KEPT_PROGRAMS = 16
"""How many compiled trainings a process keeps at hand."""


class TrainState(eqx.Module):
    """The state that an update changes; between chunks all leaves lead with the seeds.

    ``diverged_at`` is the first update whose loss was not finite.
    """

    params: Any
    optimizer: Any
    diverged_at: Int[Array, "*seed"]


class Constants(eqx.Module):
    """The parts of emulators and solvers that an update reads, but does not change.

    ``held`` leads with the seeds: arrays of the emulators that are no floating-point numbers.
    ``shared`` are the arrays of solvers in the emulators; ``reference`` is the reference solver
    of the objectives that need one; ``spread`` is the standard deviation of each channel of the
    training data, for those that add noise.
    """

    held: Any = None
    shared: Any = None
    reference: Solver | None = None
    spread: Float[Any, " channel"] | None = None


class Work(eqx.Module):
    """The input of a chunk: the data, and the part of them that each update sees.

    The arrays lead with nothing (frames, weights, first, count) or with the seeds (indices,
    running, keys). ``running`` says which seeds make updates, where not all of them do; noise is
    drawn from ``keys``, where there is some.
    """

    constants: Constants
    frames: Float[Any, "channel frame *space"]
    indices: Int[Any, "*seed update batch"]
    weights: Float[Any, "update batch"]
    first_update: Int[Any, ""]
    num_updates: Int[Any, ""]
    running: Bool[Any, "*seed"] | None = None
    keys: Any = None


@dataclasses.dataclass(frozen=True)
class Static:
    """The static side of a training: what is compiled in."""

    mesh: Mesh
    objective: Objective
    optimizer: Optimizer
    num_frames: int
    structure: Structure
    form: Form

    @property
    def over_seeds(self) -> NamedSharding:
        """Where arrays that lead with the seeds are."""
        return NamedSharding(self.mesh, P(SEED_AXIS))

    @property
    def everywhere(self) -> NamedSharding:
        """Where arrays are that every device has as a whole."""
        return NamedSharding(self.mesh, P())

    def at(self, update: int) -> "Static":
        """Return the static side of the objective's stage at an update."""
        stage = self.objective.at(update)
        return self if stage is self.objective else dataclasses.replace(self, objective=stage)

    def emulator(self, params: Any, constants: Constants) -> Any:
        """Return the emulator with these arrays."""
        return self.structure.filled(params, constants.held, constants.shared)


def window_losses(
    emulator: Any,
    objective: Objective,
    reference: Solver | None,
    frames: Float[Array, "channel frame *space"],
    indices: Int[Array, " batch"],
    num_frames: int,
    noise: Noise | None = None,
) -> Float[Array, " batch"]:
    """Return the losses of an emulator over windows; see :func:`gather_windows`."""
    lengths = objective.window_length, objective.stored_frames
    window = gather_windows(frames, indices, num_frames, *lengths)
    setting = PLAIN if reference is None else Setting(reference=reference.batched)
    emulate, count = of_predicted(emulator, window[:, :, 0])
    if noise is not None:
        noise = dataclasses.replace(noise, spread=noise.spread[:count])
        setting = dataclasses.replace(setting, noise=noise)
    if isinstance(objective, Denoising):
        return objective.sample_losses(cast(Any, denoiser(emulator)), window, setting)
    return objective.sample_losses(emulate, window[:count], setting)


def batch_loss(
    params: Any,
    static: Static,
    work: Work,
    indices: Int[Array, " batch"],
    weights: Float[Array, " batch"],
    keys: PRNGKeyArray | None = None,
) -> Float[Array, ""]:
    """Return the weighted sum of the losses over some windows; noise is drawn from their keys."""
    spread = work.constants.spread
    losses = window_losses(
        static.emulator(params, work.constants),
        static.objective,
        work.constants.reference,
        work.frames,
        indices,
        static.num_frames,
        None if keys is None or spread is None else Noise(keys, spread),
    )
    return jnp.sum(losses * weights)


def loss_and_gradient(
    params: Any, static: Static, work: Work, place: Int[Array, ""]
) -> tuple[Float[Array, ""], Any]:
    """Return this device's share of the loss of one mini-batch, and of its gradient.

    Where it pays, few windows go through at a time and their gradients are added up, so that
    what the way back needs is still in the cache.
    """
    windows = [work.indices[place], work.weights[place], *window_keys(work, place)]
    size = windows_at_once(params, work)
    evaluate = partial(jax.value_and_grad(batch_loss), params, static, work)
    if size == work.indices.shape[-1]:
        return evaluate(*windows)
    parts = [array.reshape(-1, size, *array.shape[1:]) for array in windows]

    def add(total: Any, part: list[Array]) -> tuple[Any, None]:
        return jax.tree.map(jnp.add, total, evaluate(*part)), None

    shapes = jax.eval_shape(evaluate, *(part[0] for part in parts))
    nothing = jax.tree.map(lambda shape: jnp.zeros(shape.shape, shape.dtype), shapes)
    return jax.lax.scan(add, nothing, parts)[0]


def window_keys(work: Work, place: Int[Array, ""]) -> list[PRNGKeyArray]:
    """Return the keys of the windows of a mini-batch, where there is noise.

    They follow from the seed's key, the number of the update and the window's place in the batch,
    whichever device sees it.
    """
    if work.keys is None:
        return []
    key = jax.random.fold_in(work.keys, work.first_update + place)
    size = work.indices.shape[-1]
    places = jax.lax.axis_index(BATCH_AXIS) * size + jnp.arange(size)
    return [jax.vmap(partial(jax.random.fold_in, key))(places)]


def windows_at_once(params: Any, work: Work) -> int:
    """Return how many windows of a batch go through an emulator at a time."""
    num_weights = sum(leaf.size for leaf in jax.tree.leaves(params))
    return kernels.windows_at_once(work.indices.shape[-1], work.frames.shape, num_weights)


def _batch_gradient(
    params: Any, static: Static, work: Work, place: Int[Array, ""]
) -> tuple[Float[Array, ""], Any]:
    """Return loss and gradient of one mini-batch, which devices may share."""
    both = loss_and_gradient(params, static, work, place)
    return _sum_over_devices(both) if static.mesh.shape[BATCH_AXIS] > 1 else both


def _update(
    place: Int[Array, ""], carry: tuple[TrainState, Array], static: Static, work: Work
) -> tuple[TrainState, Array]:
    state, first_loss = carry
    loss, gradient = _batch_gradient(state.params, static, work, place)
    changes, optimizer = static.optimizer.build().update(gradient, state.optimizer, state.params)
    is_first_bad = ~jnp.isfinite(loss) & (state.diverged_at == NEVER)
    diverged_at = jnp.where(is_first_bad, work.first_update + place, state.diverged_at)
    state = TrainState(add_changes(state.params, changes), optimizer, diverged_at)
    return state, jnp.where(place == 0, loss, first_loss)


def _sum_over_devices(tree: Any) -> Any:
    """Return the sum over the devices that share a batch, in one exchange."""
    flat, unravel = jax.flatten_util.ravel_pytree(tree)
    return unravel(jax.lax.psum(flat, BATCH_AXIS))


def _train_seed(
    state: TrainState, static: Static, work: Work, num_updates: int | None
) -> tuple[TrainState, Array]:
    """Return the state after the updates and the loss before the first of them.

    A number of updates that is known when this is compiled makes a loop of that length; seeds that
    have stopped then go through it with the others, and what they make is left out.
    """
    body = partial(_update, static=static, work=work)
    if num_updates is not None:
        new, loss = jax.lax.fori_loop(0, num_updates, body, (state, jnp.zeros(())))
        if work.running is not None:
            new = jax.tree.map(partial(jnp.where, work.running), new, state)
        return new, loss
    if work.running is None:
        return jax.lax.fori_loop(0, work.num_updates, body, (state, jnp.zeros(())))
    count = jnp.where(work.running, work.num_updates, 0)
    state, loss = jax.lax.fori_loop(0, count, body, (state, jnp.zeros(())))
    stopped = partial(_batch_loss, state.params, static, work)
    return state, jax.lax.cond(work.running, lambda: loss, stopped)


def _batch_loss(params: Any, static: Static, work: Work) -> Float[Array, ""]:
    """Return the loss of the first mini-batch, which devices may share."""
    place = jnp.int32(0)
    windows = [work.indices[place], work.weights[place], *window_keys(work, place)]
    loss = batch_loss(params, static, work, *windows)
    return _sum_over_devices(loss) if static.mesh.shape[BATCH_AXIS] > 1 else loss


def summed_losses(params: Any, work: Work, static: Static) -> Float[Array, ""]:
    """Return the weighted sum of the losses over all mini-batches of some work."""

    def of_batch(place: Array) -> Array:
        return batch_loss(params, static, work, work.indices[place], work.weights[place])

    total = jnp.sum(jax.lax.map(of_batch, jnp.arange(work.indices.shape[0])))
    return jax.lax.psum(total, BATCH_AXIS) if static.mesh.shape[BATCH_AXIS] > 1 else total


def train_chunk(
    state: TrainState, work: Work, static: Static
) -> tuple[TrainState, Float[Array, " seed"]]:
    """Return the state after a chunk of updates and the loss before the first of them.

    Each device has its own seeds, one after another or as a batch (see :class:`Form`); devices
    that share a seed each take a part of the batch. The given state is donated: its memory is used
    again.
    """
    num_updates = int(work.num_updates) if static.form.static_chunks else None
    return compiled_chunk(static, num_updates)(state, work)  # type: ignore[no-any-return]


def first_gradients(params: Any, work: Work, static: Static) -> Any:
    """Return the gradients of the first mini-batch of a chunk; leaves lead with the seeds."""
    return _compiled_gradients(static)(params, work)


@functools.lru_cache(maxsize=KEPT_PROGRAMS)
def compiled_chunk(static: Static, num_updates: int | None = None) -> JitKeepingBarriers:
    """Return the jitted chunk; the state comes out where it goes in, so it compiles once.

    Parameters
    ----------
    static
        The parts that are compiled in.
    num_updates
        How many updates it makes, where that is compiled in, too; else the work says so.
    """
    chunk = program_of_chunk(static, num_updates)
    return JitKeepingBarriers(chunk, donate_argnums=(0,), out_shardings=(static.over_seeds,) * 2)


def program_of_chunk(
    static: Static, num_updates: int | None = None
) -> Callable[[TrainState, Work], Any]:
    """Return what :func:`compiled_chunk` compiles."""
    return over_seeds(lambda state, work: _train_seed(state, static, work, num_updates), static)


@functools.lru_cache(maxsize=KEPT_PROGRAMS)
def _compiled_gradients(static: Static) -> Any:
    def gradients(params: Any, work: Work) -> Any:
        return _batch_gradient(params, static, work, jnp.int32(0))[1]

    return jax.jit(over_seeds(gradients, static))


def over_seeds(one: Callable[[Any, Work], Any], static: Static) -> Callable[[Any, Work], Any]:
    """Return a function of one seed's arrays and work as one of those of all seeds."""

    def on_device(arrays: Any, work: Work) -> Any:
        def one_seed(seed: tuple[Any, ...]) -> Any:
            arrays, indices, held, running, keys = seed
            constants = dataclasses.replace(work.constants, held=held)
            own = {"indices": indices, "running": running, "keys": keys}
            return one(arrays, dataclasses.replace(work, **own, constants=constants))

        seeds = (arrays, work.indices, work.constants.held, work.running, work.keys)
        with in_form(static.form):
            return map_seeds(one_seed, seeds, _seeds_at_once(seeds, static, work))

    seeds = P(SEED_AXIS)
    constants = Constants(seeds, P(), P(), P())  # type: ignore[arg-type]
    batches = P(SEED_AXIS, None, BATCH_AXIS), P(None, BATCH_AXIS)
    shares = Work(constants, P(), *batches, P(), P(), seeds, seeds)  # type: ignore[arg-type]
    return jax.shard_map(
        on_device,
        mesh=static.mesh,
        in_specs=(P(SEED_AXIS), shares),
        out_specs=P(SEED_AXIS),
        check_vma=False,
    )


def _seeds_at_once(seeds: tuple[Any, ...], static: Static, work: Work) -> int:
    """Return how many seeds of this device make a batch, by what their gradients keep."""
    count = work.indices.shape[0]
    if count == 1 or not static.form.batched_seeds:
        return 1
    arrays, indices, held, _, keys = jax.tree.map(lambda a: a[0], seeds)
    params = arrays.params if isinstance(arrays, TrainState) else arrays
    constants = dataclasses.replace(work.constants, held=held)
    one = dataclasses.replace(work, indices=indices, keys=keys, constants=constants)
    loss = partial(_batch_loss, static=static, work=one)
    each = kernels.gradient_bytes(loss, params)
    return kernels.seeds_at_once(count, each, kernels.room_for_gradients())
