"""Steps one after another, in the way that suits their number and the size of the states."""

from collections.abc import Callable, Iterable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

WRITTEN_OUT_STEPS = 5
SMALL_STATES = 2**14
"""Numbers in a batch of states up to which keeping all activations costs little memory."""

Advance = Callable[[Any, Any], tuple[Any, Float[Array, " batch"]]]
"""Takes a state and what the step reads, gives the next state and the loss of the step."""


def unrolled(
    advance: Advance, state: Any, inputs: Any, cuts: Bool[Any, " step"], *, calls: int = 1
) -> tuple[Any, Float[Array, "step batch"]]:
    """Return the last state and the losses of all steps.

    A few steps of small states are written out, and everything that their gradient needs is
    kept: fastest. Otherwise the steps are a loop whose insides are computed again for the
    gradient, so that neither the compilation nor the memory grows with their number.

    Parameters
    ----------
    advance
        One step.
    state
        The states to advance: a batch of states, or several.
    inputs
        Inputs of the steps, one entry a step; None if there are none.
    cuts
        After which steps no gradient flows back into the state; traced or not.
    calls
        How many calls of the emulator a step makes.
    """

    def step(state: Any, row: tuple[Any, Any]) -> tuple[Any, Array]:
        state, loss = advance(state, row[0])
        return stopped(state, flag if row[1] is None else row[1]), loss

    flag, flags = _uniform(cuts)
    num_steps = len(cuts)
    if num_steps * calls > WRITTEN_OUT_STEPS or _size(state) > SMALL_STATES:
        return jax.lax.scan(jax.checkpoint(step), state, (inputs, flags), length=num_steps)  # type: ignore[no-any-return]
    losses = []
    for row in zip(_rows(inputs, num_steps), _rows(flags, num_steps), strict=True):
        state, loss = step(state, row)
        losses.append(loss)
    return state, jnp.stack(losses)


def stopped(state: Any, flag: Any) -> Any:
    """Return the state, without its gradient where the flag is true; the flag may be traced."""
    if isinstance(flag, bool | np.bool_):
        return jax.lax.stop_gradient(state) if flag else state
    return jax.tree.map(lambda u: jnp.where(flag, jax.lax.stop_gradient(u), u), state)


def _uniform(cuts: Bool[Any, " step"]) -> tuple[bool, Any]:
    """Return the flag that all steps share, and None; or the flags where they differ."""
    known = isinstance(cuts, np.ndarray)
    if known and (cuts.all() or not cuts.any()):
        return bool(cuts.all()), None
    return False, cuts


def _rows(inputs: Any, num_steps: int) -> Iterable[Any]:
    return [None] * num_steps if inputs is None else inputs


def _size(state: Any) -> int:
    return int(jax.tree.leaves(state)[0].size)
