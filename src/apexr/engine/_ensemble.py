"""Rollouts of all seeds side by side with the truth, a few steps at a time."""

import dataclasses
from collections.abc import Iterator
from functools import partial
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh
from jax.sharding import PartitionSpec as P
from jaxtyping import Array, Float

from apexr._parts import Structure, split
from apexr._typing import Step
from apexr.steppers import Solver
from apexr.training import as_batched

_SAMPLES = "sample"
EnsembleMode = Literal["independent", "mean_rollout"]
"""Whether members go on from their own states or from the mean of all."""

BLOCK_BYTES = 64 * 2**20
"""How much of the rollouts is in memory at once."""


@dataclasses.dataclass(frozen=True)
class Block:
    """Some steps of the rollouts.

    Attributes
    ----------
    steps
        Their numbers, from 1.
    members
        The states that the members made.
    truth
        The true states.
    """

    steps: np.ndarray
    members: Float[np.ndarray, "time seed test_sample channel *space"]
    truth: Float[np.ndarray, "time test_sample channel *space"]


def ensemble_blocks(
    emulators: Step,
    reference: Solver,
    states: Float[Array, "test_sample channel *space"],
    num_steps: int,
    mode: EnsembleMode,
    block_bytes: int = BLOCK_BYTES,
) -> Iterator[Block]:
    """Give the rollouts of all members and the truth, block after block.

    Parameters
    ----------
    emulators
        A module whose trainable arrays lead with the members.
    reference
        One step of the true solver.
    states
        The initial states.
    num_steps
        Steps of the rollouts.
    mode
        ``"independent"``: each member goes on from its own state. ``"mean_rollout"``: all go on
        from the mean of the members.
    block_bytes
        Bounds the memory of a block.
    """
    own, shared, structure = split({"emulator": emulators, "reference": reference})
    count = len(jax.tree.leaves(own)[0])
    size = max(1, block_bytes // ((count + 1) * states.nbytes))
    mesh = Mesh(np.array(jax.local_devices()), (_SAMPLES,))
    num_samples = len(states)
    spare = -num_samples % mesh.size
    truth = jnp.moveaxis(jnp.concatenate([states, jnp.repeat(states[-1:], spare, axis=0)]), 0, 1)
    carry = (jnp.broadcast_to(truth, (count, *truth.shape)), truth)
    for first in range(0, num_steps, size):
        length = min(size, num_steps - first)
        carry, made = _advance(own, shared, carry, structure, mode, length, mesh)
        members, true = (np.asarray(frames) for frames in made)
        steps = np.arange(first + 1, first + length + 1)
        yield Block(
            steps,
            np.moveaxis(members, 3, 2)[:, :, :num_samples],
            np.moveaxis(true, 2, 1)[:, :num_samples],
        )


@partial(jax.jit, static_argnums=(3, 4, 5, 6))
def _advance(
    own: Any,
    shared: Any,
    carry: tuple[Array, Array],
    structure: Structure,
    mode: EnsembleMode,
    num_steps: int,
    mesh: Mesh,
) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Return where members and truth are after some steps, and all steps on the way there."""

    def on_device(own: Any, shared: Any, carry: tuple[Array, Array]) -> Any:
        def one_member(arguments: tuple[Any, Array]) -> Array:
            arrays, states = arguments
            stepped: Array = as_batched(structure.filled(arrays, shared)["emulator"])(states)
            return stepped

        def step(carry: tuple[Array, Array], _: None) -> Any:
            states, truth = carry
            if mode == "mean_rollout":
                states = jnp.broadcast_to(jnp.mean(states, axis=0), states.shape)
            members = jax.lax.map(one_member, (own, states))
            model = structure.filled(jax.tree.map(lambda array: array[0], own), shared)
            truth = model["reference"].batched(truth)
            return (members, truth), (members, truth)

        return jax.lax.scan(step, carry, length=num_steps)

    last = (P(None, None, _SAMPLES), P(None, _SAMPLES))
    all_steps = (P(None, None, None, _SAMPLES), P(None, None, _SAMPLES))
    return jax.shard_map(
        on_device,
        mesh=mesh,
        in_specs=(P(), P(), last),
        out_specs=(last, all_steps),
        check_vma=False,
    )(own, shared, carry)
