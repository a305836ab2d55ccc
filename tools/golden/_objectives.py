"""Losses and gradients of every training configuration of the peer's library, on a small map."""

from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from trainax import configuration as library
from trainax.loss import MAELoss, Normalized_MAELoss, Normalized_MSELoss

from golden._files import write_archive

LINEAR, SQUARE = 0.9, -0.2
WEIGHTS = {"a": 0.7, "b": 0.3}
SHAPE = (3, 8, 2, 5)  # batch, frame, channel, space


class Map(eqx.Module):
    """The emulator ``u ↦ a u + b u²``, with two weights."""

    a: jax.Array
    b: jax.Array

    def __call__(self, u: jax.Array) -> jax.Array:
        return self.a * u + self.b * u**2


def solver(u: jax.Array) -> jax.Array:
    """Stand in for the reference solver."""
    return LINEAR * u + SQUARE * u**2


def residuum(following: jax.Array, previous: jax.Array) -> jax.Array:
    """Return what the next state lacks to be a step of the solver."""
    return following - solver(previous)


def configurations() -> dict[str, Any]:
    """Return the library's configurations by the strings that mean the same."""
    weights = jnp.array([1.0, 0.5, 0.25])
    supervised, chain = library.Supervised, library.DivertedChain
    first = library.DivertedChainBranchOne
    return {
        "one": supervised(1),
        "loss;MAE;one": supervised(1, time_level_loss=MAELoss()),
        "sup;3": supervised(3),
        "sup;3;true": supervised(3, cut_bptt=True),
        "cut;2;sup;5": supervised(5, cut_bptt=True, cut_bptt_every=2),
        "weights;1,0.5,0.25;sup;3": supervised(3, time_level_weights=weights),
        "div;3": first(3),
        "div;3;true": first(3, cut_bptt=True),
        "div;3;false;true": first(3, cut_div_chain=True),
        "div;3;true;true": first(3, cut_bptt=True, cut_div_chain=True),
        "cut;2;div;5": first(5, cut_bptt=True, cut_bptt_every=2),
        "chain;3;2": chain(3, 2),
        "chain;5;3;true": chain(5, 3, cut_bptt=True),
        "chain;4;2;false;true": chain(4, 2, cut_div_chain=True),
        "cut;2;chain;5;2": chain(5, 2, cut_bptt=True, cut_bptt_every=2),
        "cut;2;chain;5;3;false;true": chain(
            5, 3, cut_bptt=True, cut_bptt_every=2, cut_div_chain=True
        ),
        "chain;4;3;false;false;1,0.5,0.25": chain(4, 3, branch_level_weights=weights),
        "mix;2;3": library.MixChainPostPhysics(2, 3),
        "mix;3;2;true": library.MixChainPostPhysics(3, 2, cut_bptt=True),
        "residuum;3": library.Residuum(3),
        "residuum;3;step;true": library.Residuum(3, cut_bptt=True),
        "residuum;3;step;false;true": library.Residuum(3, cut_prev=True),
        "residuum;3;step;false;false;true": library.Residuum(3, cut_next=True),
        "composite;0.5,2;sup;3|div;3;true": library.Composite(
            [supervised(3), first(3, cut_bptt=True)], [0.5, 2.0]
        ),
        "loss;nMSE;sup;2": supervised(2, time_level_loss=Normalized_MSELoss()),
        "loss;nMAE;div;2": first(2, time_level_loss=Normalized_MAELoss()),
    }


def write_objectives(folder: Path) -> None:
    """Write ``objectives.npz``."""
    frames = np.random.default_rng(0).uniform(-1, 1, SHAPE).astype(np.float32)
    emulator = Map(*map(jnp.asarray, WEIGHTS.values()))
    arrays: dict[str, Any] = {"frames": frames}
    for config, configuration in configurations().items():

        def loss(emulator: Map, configuration: Any = configuration) -> jax.Array:
            steppers = {"ref_stepper": solver, "residuum_fn": jax.vmap(residuum)}
            return configuration(emulator, jnp.asarray(frames), **steppers)

        value, gradient = eqx.filter_value_and_grad(loss)(emulator)
        arrays[config] = np.array([value, gradient.a, gradient.b])
    meta = {"weights": WEIGHTS, "solver": {"linear": LINEAR, "square": SQUARE}}
    write_archive(folder / "objectives.npz", arrays, meta)
