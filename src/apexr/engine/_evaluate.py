"""Rollouts of trained emulators, scored as they go.

Only the errors and the few trajectories that are kept leave the compiled loop, so memory does
not grow with the number of test samples times the horizon.
"""

import dataclasses
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P
from jaxtyping import Array, Float

from apexr._frames import SINGLE, Frames, frames_of, newest, states_along
from apexr._parts import Structure, has_shape, shapes_of, split
from apexr._typing import Step
from apexr.kernels import Ahead, Form, form, in_form
from apexr.metrics import Metric
from apexr.training import Clock, Streamed, of_predicted, seed_mesh

_SEEDS, _SAMPLES = "seed", "batch"

BLOCK_BYTES = 32 * 2**20
"""How much of a rollout is on the device at once while it is scored."""

STREAMED_BYTES = 2**27
"""Bytes of reference trajectories that are read at once, where not all are held in memory."""


@dataclasses.dataclass(frozen=True)
class Evaluated:
    """The result of an evaluation.

    Attributes
    ----------
    errors
        For each metric ``(seed, test_sample, time)``, followed by the metric's own dimensions;
        time begins with the first frame that is predicted.
    rollouts
        ``(seed, sample, time, channel, *space)``: the first trajectories, initial state left
        out.
    inference_seconds, compile_seconds
        Wall time of all rollouts with their scoring, and of compiling them.
    """

    errors: dict[str, Float[np.ndarray, "seed test_sample time *metric"]]
    rollouts: Float[np.ndarray, "seed sample time channel *space"]
    inference_seconds: float
    compile_seconds: float


@dataclasses.dataclass(frozen=True)
class _Static:
    mesh: Mesh
    structure: Structure
    metrics: tuple[Metric, ...]
    num_kept: int
    form: Form

    @property
    def over_samples(self) -> NamedSharding:
        """Where the frames ``(frame, channel, sample, *space)`` are."""
        return NamedSharding(self.mesh, P(None, None, _SAMPLES))


def evaluate(
    emulators: Step,
    trajectories: Float[Array, "test_sample frame channel *space"] | Streamed,
    metrics: dict[str, Metric],
    num_kept: int,
) -> Evaluated:
    """Return the errors of emulators over reference trajectories.

    Those that are not in memory are read and rolled out some at a time.

    Parameters
    ----------
    emulators
        A module whose arrays lead with the seeds, those of solvers in it excepted.
    trajectories
        Reference; frame 0 is the initial state and is not scored, nor are the other frames that
        an emulator is given.
    metrics
        Metrics by config string.
    num_kept
        How many trajectories are returned whole.
    """
    if isinstance(trajectories, Streamed):
        return _in_blocks(emulators, trajectories, metrics, num_kept)
    own, shared, static = _taken_apart(emulators, metrics, num_kept)
    num_samples = trajectories.shape[0]
    states = np.moveaxis(np.asarray(trajectories), (1, 2), (0, 1))
    spare = -num_samples % static.mesh.shape[_SAMPLES]
    if spare:
        states = np.concatenate([states, np.repeat(states[:, :, -1:], spare, axis=2)], axis=2)
    frames = jax.device_put(states, static.over_samples)
    with Clock() as clock:
        errors, kept = jax.block_until_ready(_roll_out(own, shared, frames, static))
    values = [np.moveaxis(np.asarray(error), 1, 2)[:, :num_samples] for error in errors]
    return Evaluated(
        errors=dict(zip(metrics, values, strict=True)),
        rollouts=np.moveaxis(np.asarray(kept), 3, 1)[:, :num_kept],
        inference_seconds=clock.work_seconds,
        compile_seconds=clock.compile_seconds,
    )


def compile_rollouts(
    emulators: Step, trajectories: tuple[int, ...], metrics: dict[str, Metric], num_kept: int
) -> Ahead:
    """Compile what :func:`evaluate` runs, while others work.

    Parameters
    ----------
    emulators, metrics, num_kept
        As for :func:`evaluate`; shapes will do in place of the seeds' own arrays.
    trajectories
        The shape ``(test_sample, frame, channel, *space)`` of the reference.
    """
    own, shared, static = _taken_apart(emulators, metrics, num_kept)
    num_samples, num_frames, num_channels, *space = trajectories
    num_samples += -num_samples % static.mesh.shape[_SAMPLES]
    frames = jax.ShapeDtypeStruct(
        (num_frames, num_channels, num_samples, *space),
        jax.dtypes.canonicalize_dtype(float),
        sharding=static.over_samples,
    )
    own = shapes_of(own, NamedSharding(static.mesh, P(_SEEDS)))
    shared = jax.device_put(shared, NamedSharding(static.mesh, P()))
    return Ahead(_roll_out.lower(own, shared, frames, static))


def _taken_apart(
    emulators: Step, metrics: dict[str, Metric], num_kept: int
) -> tuple[Any, Any, _Static]:
    """Return the arrays of the seeds, those that are shared, and what is compiled in."""
    own, shared, structure = split(emulators, has_shape)
    mesh = seed_mesh(jax.tree.leaves(own)[0].shape[0])
    return own, shared, _Static(mesh, structure, tuple(metrics.values()), num_kept, form())


def _in_blocks(
    emulators: Any, trajectories: Streamed, metrics: dict[str, Metric], num_kept: int
) -> Evaluated:
    """Return the errors over trajectories that are read block by block, all of one size."""
    each = max(1, trajectories.nbytes // len(trajectories))
    size = min(len(trajectories), max(num_kept, STREAMED_BYTES // each, 1))
    parts = []
    for first in range(0, len(trajectories), size):
        block = trajectories[first : first + size]
        held = len(block)
        filled = np.concatenate([block, np.repeat(block[-1:], size - held, axis=0)])
        found: Evaluated = evaluate(emulators, jnp.asarray(filled), metrics, num_kept)
        errors = {config: values[:, :held] for config, values in found.errors.items()}
        parts.append(dataclasses.replace(found, errors=errors))
    joined = {
        config: np.concatenate([part.errors[config] for part in parts], axis=1)
        for config in metrics
    }
    return Evaluated(
        errors=joined,
        rollouts=parts[0].rollouts,
        inference_seconds=sum(part.inference_seconds for part in parts),
        compile_seconds=sum(part.compile_seconds for part in parts),
    )


def _repeat_last(samples: Array, times: int) -> Array:
    widths = ((0, times), *((0, 0),) * (samples.ndim - 1))
    return jnp.pad(samples, widths, mode="edge") if times else samples


@partial(jax.jit, static_argnames=("static",))
def _roll_out(
    own: Any, shared: Any, frames: Float[Array, "frame channel sample *space"], static: _Static
) -> tuple[tuple[Array, ...], Array]:
    """Return the errors ``(seed, time, sample)`` and the kept frames."""

    def on_device(own: Any, shared: Any, frames: Array) -> Any:
        def one_seed(own: Any) -> Any:
            emulator = static.structure.filled(own, shared)
            return _roll_out_seed(emulator, frames, static)

        with in_form(static.form):
            return jax.lax.map(one_seed, own)

    return jax.shard_map(
        on_device,
        mesh=static.mesh,
        in_specs=(P(_SEEDS), P(), P(None, None, _SAMPLES)),
        out_specs=(P(_SEEDS, None, _SAMPLES), P(_SEEDS, None, None, _SAMPLES)),
        check_vma=False,
    )(own, shared, frames)


def _roll_out_seed(
    emulator: Any, frames: Float[Array, "frame channel sample *space"], static: _Static
) -> tuple[tuple[Array, ...], Array]:
    emulate, count = of_predicted(emulator, frames[0])
    held = frames_of(emulator)
    if held != SINGLE:
        return _roll_out_frames(emulate, held, frames[:, :count], static)

    def advance(state: Array, target: Array) -> tuple[Array, Any]:
        state = emulate(state)
        return state, (score(state, target, static.metrics), state[:, : static.num_kept])

    _, outputs = jax.lax.scan(advance, frames[0, :count], frames[1:, :count])
    return outputs  # type: ignore[no-any-return]


def _roll_out_frames(
    emulate: Any, held: Frames, frames: Float[Array, "frame channel sample *space"], static: _Static
) -> tuple[tuple[Array, ...], Array]:
    """Return the errors and the kept frames from the first one on that is not given."""
    num_calls = held.calls(len(frames))
    spare = held.needed(num_calls) - len(frames)
    predicted = len(frames) - held.given
    targets = jnp.concatenate([frames[held.given :], jnp.repeat(frames[-1:], spare, axis=0)])
    start = states_along(jnp.moveaxis(frames, 0, 2), held, 1)[:, :, 0]

    def advance(state: Array, targets: Array) -> tuple[Array, Any]:
        state = emulate(state)
        made = newest(state, held.made, frames.shape[1])
        told = [
            (score(frame, target, static.metrics), frame[:, : static.num_kept])
            for frame, target in zip(made, targets, strict=True)
        ]
        return state, jax.tree.map(lambda *parts: jnp.stack(parts), *told)

    by_call = targets.reshape(num_calls, held.made, *targets.shape[1:])
    _, outputs = jax.lax.scan(advance, start, by_call)
    return jax.tree.map(  # type: ignore[no-any-return]
        lambda told: told.reshape(-1, *told.shape[2:])[:predicted], outputs
    )


def score(
    prediction: Float[Array, "channel sample *space"],
    target: Float[Array, "channel sample *space"],
    metrics: tuple[Metric, ...],
) -> tuple[Float[Array, "sample *metric"], ...]:
    """Return the error of every sample of a batch by every metric."""
    return tuple(_sample_errors(metric, prediction, target, axis=1) for metric in metrics)


def _sample_errors(metric: Metric, prediction: Array, target: Array, axis: int) -> Array:
    """Return the errors of samples along an axis, on every device by precise matrix products."""
    with jax.default_matmul_precision("highest"):
        return jax.vmap(metric.sample_error, in_axes=axis)(prediction, target)


def score_rollouts(
    rollouts: Float[np.ndarray, "seed test_sample time channel *space"],
    references: Float[np.ndarray, "test_sample time channel *space"],
    metrics: dict[str, Metric],
    block_bytes: int = BLOCK_BYTES,
) -> dict[str, Float[np.ndarray, "seed test_sample time *metric"]]:
    """Return the errors of rollouts that are there already, from whatever source.

    States go to the device in blocks of ``block_bytes``, so that besides the rollouts themselves
    little memory is needed; within a block, metrics share what they have in common.
    """
    shape = rollouts.shape[:3]
    num_states = shape[1] * shape[2]
    targets = references.reshape(num_states, *references.shape[2:])
    size = min(num_states, max(1, block_bytes // max(1, targets[0].nbytes)))
    chosen = tuple(metrics.values())
    rows = [
        _score_block(_block(states, start, size), _block(targets, start, size), chosen)
        for states in (rollout.reshape(targets.shape) for rollout in rollouts)
        for start in range(0, num_states, size)
    ]
    errors = {}
    for config, blocks in zip(metrics, zip(*rows, strict=True), strict=True):
        values = np.stack([np.asarray(block) for block in blocks])
        own = values.shape[2:]
        each = values.reshape(shape[0], -1, *own)[:, :num_states]
        errors[config] = each.reshape(*shape, *own)
    return errors


def _block(states: np.ndarray, start: int, size: int) -> Array:
    """Return ``size`` states; the last one is repeated where there are not so many."""
    part = jnp.asarray(states[start : start + size])
    return _repeat_last(part, size - len(part))


@partial(jax.jit, static_argnames=("metrics",))
def _score_block(
    predictions: Float[Array, "state channel *space"],
    targets: Float[Array, "state channel *space"],
    metrics: tuple[Metric, ...],
) -> tuple[Float[Array, "state *metric"], ...]:
    return tuple(_sample_errors(metric, predictions, targets, axis=0) for metric in metrics)
