"""Two exact splits of a rollout's error, step by step; only norms leave the compiled loop.

With the emulator ``f``, the reference solver ``P`` of the same time step, the rollout ``û`` and the
truth ``u``, the error ``e_t = û_t - u_t`` is, exactly,

    e_t = [f(u_{t-1}) - u_t] + [f(û_{t-1}) - f(u_{t-1})]
        = [f(û_{t-1}) - P(û_{t-1})] + [P(û_{t-1}) - P(u_{t-1})]

The truth is stepped along with the rollout, so that ``u_t = P(u_{t-1})`` and memory holds two
states of each sample, however long the rollout is.
"""

import dataclasses
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh
from jax.sharding import PartitionSpec as P
from jaxtyping import Array, Float

from apexr._parts import Structure, split
from apexr._typing import Step
from apexr.objectives import Emulator
from apexr.steppers import Solver
from apexr.training import as_batched, seed_mesh

_SEEDS, _SAMPLES = "seed", "batch"

QUANTITIES = (
    "error",
    "one_step",
    "propagated",
    "own_state_error",
    "dynamics",
    "amplification",
    "true_amplification",
    "excess_amplification",
    "distribution_shift",
    "alignment",
)
"""The numbers of a decomposition for each seed, sample and step, in this order."""


@dataclasses.dataclass(frozen=True)
class _Static:
    mesh: Mesh
    structure: Structure
    num_steps: int


def decompose(
    emulators: Step,
    num_seeds: int,
    reference: Solver,
    states: Float[Array, "test_sample channel *space"],
    num_steps: int,
) -> dict[str, Float[np.ndarray, "seed test_sample time"]]:
    """Return the quantities of :data:`QUANTITIES` for every step of rollouts.

    Parameters
    ----------
    emulators
        A module whose trainable arrays lead with the seeds; one that has none is a single seed.
    num_seeds
        How many seeds that is.
    reference
        One step of the true solver.
    states
        The initial states.
    num_steps
        Steps of the rollouts.

    Returns
    -------
    Norms of the parts are relative to ``||u_t||``. A ratio whose denominator is zero is NaN.
    """
    own, shared, structure = split({"emulator": emulators, "reference": reference})
    mesh = seed_mesh(num_seeds)
    num_samples = len(states)
    spare = -num_samples % mesh.shape[_SAMPLES]
    padded = jnp.concatenate([states, jnp.repeat(states[-1:], spare, axis=0)])
    static = _Static(mesh, structure, num_steps)
    values = _roll_out(own, jnp.arange(num_seeds), shared, jnp.moveaxis(padded, 0, 1), static)
    told = np.moveaxis(np.asarray(values), (1, 2), (3, 0))[..., :num_samples, :]
    return dict(zip(QUANTITIES, told, strict=True))


@partial(jax.jit, static_argnames=("static",))
def _roll_out(
    own: Any,
    seeds: Array,
    shared: Any,
    states: Float[Array, "channel sample *space"],
    static: _Static,
) -> Float[Array, "seed time quantity sample"]:
    def on_device(own: Any, seeds: Array, shared: Any, states: Array) -> Array:
        def one_seed(seed: tuple[Any, Array]) -> Array:
            model = static.structure.filled(seed[0], shared)
            step = partial(_step, as_batched(model["emulator"]), model["reference"].batched)
            told: Array = jax.lax.scan(step, (states, states), length=static.num_steps)[1]
            return told

        return jax.lax.map(one_seed, (own, seeds))

    return jax.shard_map(
        on_device,
        mesh=static.mesh,
        in_specs=(P(_SEEDS), P(_SEEDS), P(), P(None, _SAMPLES)),
        out_specs=P(_SEEDS, None, None, _SAMPLES),
        check_vma=False,
    )(own, seeds, shared, states)


def _step(
    emulate: Emulator, solve: Emulator, carry: tuple[Array, Array], _: None
) -> tuple[tuple[Array, Array], Float[Array, "quantity sample"]]:
    """Return the next prediction and the next truth, and what the step from both tells."""
    predicted, true = carry
    made, made_of_true = emulate(predicted), emulate(true)
    solved, truth = solve(predicted), solve(true)
    size = norm(truth)
    error_before = norm(predicted - true)
    one_step, propagated = made_of_true - truth, made - made_of_true
    parts = {
        "error": norm(made - truth),
        "one_step": norm(one_step),
        "propagated": norm(propagated),
        "own_state_error": norm(made - solved),
        "dynamics": norm(solved - truth),
    }
    ratios = {
        "amplification": _ratio(parts["propagated"], error_before),
        "true_amplification": _ratio(parts["dynamics"], error_before),
        "excess_amplification": _ratio(parts["propagated"], parts["dynamics"]),
        "distribution_shift": _ratio(parts["own_state_error"], parts["one_step"]),
        "alignment": cosine(one_step, propagated),
    }
    told = {**{name: _ratio(value, size) for name, value in parts.items()}, **ratios}
    return (made, truth), jnp.stack([told[name] for name in QUANTITIES])


def norm(states: Float[Array, "channel sample *space"]) -> Float[Array, " sample"]:
    """Return the Euclidean norm of each sample; squares neither overflow nor vanish."""
    axes = (0, *range(2, states.ndim))
    largest = jnp.max(jnp.abs(states), axis=axes, keepdims=True)
    scale = jnp.where((largest > 0) & jnp.isfinite(largest), largest, 1)
    return jnp.squeeze(scale, axes) * jnp.sqrt(jnp.sum((states / scale) ** 2, axis=axes))


def cosine(
    one: Float[Array, "channel sample *space"], other: Float[Array, "channel sample *space"]
) -> Float[Array, " sample"]:
    """Return the cosine of the angle between two fields of each sample, NaN where one is zero."""
    axes = (0, *range(2, one.ndim))
    lengths = [jnp.expand_dims(norm(states), axes) for states in (one, other)]
    product = jnp.sum(_ratio(one, lengths[0]) * _ratio(other, lengths[1]), axis=axes)
    return jnp.clip(product, -1, 1)


def _ratio(numerator: Array, denominator: Array) -> Array:
    """Return a quotient that is NaN where the denominator is zero."""
    return jnp.where(denominator == 0, jnp.nan, numerator / denominator)
