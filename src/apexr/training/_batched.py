"""Emulators of one state, seen as emulators of a batch, and of its predicted channels alone."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array

from apexr._frames import frames_of
from apexr._typing import Step
from apexr.objectives import Denoising, Objective, framed


def as_batched(emulator: Step) -> Callable[[Array], Array]:
    """Return one step of any emulator for states ``(channel, batch, *space)``.

    Emulators that know batches themselves have a method ``batched``; others are mapped.
    """
    if hasattr(emulator, "batched"):
        return emulator.batched  # type: ignore[no-any-return]
    return jax.vmap(emulator, in_axes=1, out_axes=1)


def of_predicted(emulator: Step, states: Array) -> tuple[Callable[[Array], Array], int]:
    """Return one step for the predicted channels of states, and how many these are.

    An emulator that says ``num_predicted`` has constant channels behind these. They are those of
    the given states in every step, so that losses and metrics are of what is predicted alone. An
    emulator of several frames steps states that hold all of them, and predicts channels of one.

    Parameters
    ----------
    emulator
        The emulator.
    states
        ``(channel, batch, *space)``, constant channels included.
    """
    count = getattr(emulator, "num_predicted", None)
    if count is None:
        return as_batched(emulator), states.shape[0]
    step, constants = as_batched(emulator), states[count:]

    def step_predicted(predicted: Array) -> Array:
        return step(jnp.concatenate([predicted, constants]))[: predicted.shape[0]]

    return step_predicted, count


def objective_for(emulator: Any, objective: Objective) -> Objective:
    """Return an objective as it is for an emulator: along its frames, or as it denoises.

    Raises
    ------
    SpecError
        If the emulator cannot be trained by it.
    """
    if denoiser(emulator) is not None:
        return objective if isinstance(objective, Denoising) else Denoising(objective)
    return framed(objective, frames_of(emulator))


def denoiser(emulator: Any) -> Any | None:
    """Return what of an emulator is trained to denoise, with constant channels besides, or None."""
    within = emulator.emulator if hasattr(emulator, "num_predicted") else emulator
    return within if hasattr(within, "denoising_pairs") else None
