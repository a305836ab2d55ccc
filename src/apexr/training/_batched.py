"""Emulators of one state, seen as emulators of a batch, and of its predicted channels alone."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array

from apexr._typing import Step


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
    the given states in every step, so that losses and metrics are of what is predicted alone.

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
    return lambda predicted: step(jnp.concatenate([predicted, constants]))[:count], count
