"""Many steps of any function of a state, and windows of what comes out.

States, auxiliary inputs and trajectories may be pytrees of arrays.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from apexr.errors import ShapeError
from apexr.steppers._arrays import check_count

Step = Callable[..., PyTree]
"""Takes a state, or a state and an auxiliary input, to the next state."""


def roll(
    step: Step, num_steps: int, *, include_init: bool, takes_aux: bool, constant_aux: bool
) -> Callable[..., PyTree]:
    """Return the function from a state (and its auxiliary input) to its trajectory."""

    def trajectory(state: PyTree, *aux: PyTree) -> PyTree:
        start = jax.tree.map(jnp.asarray, state)
        _, later = _scan(step, start, aux, num_steps, constant_aux=constant_aux)
        if not include_init:
            return later
        return jax.tree.map(lambda u, rest: jnp.concatenate([u[None], rest]), start, later)

    return _compiled(trajectory, takes_aux=takes_aux)


def iterate(
    step: Step, num_steps: int, *, takes_aux: bool, constant_aux: bool
) -> Callable[..., PyTree]:
    """Return the function from a state (and its auxiliary input) to the one after all steps."""

    def final(state: PyTree, *aux: PyTree) -> PyTree:
        start = jax.tree.map(jnp.asarray, state)
        return _scan(step, start, aux, num_steps, constant_aux=constant_aux, keep=False)[0]

    return _compiled(final, takes_aux=takes_aux)


def _compiled(function: Callable[..., PyTree], *, takes_aux: bool) -> Callable[..., PyTree]:
    compiled = jax.jit(function)

    def of_state(state: PyTree) -> PyTree:
        return compiled(state)

    def of_both(state: PyTree, aux: PyTree) -> PyTree:
        return compiled(state, aux)

    return of_both if takes_aux else of_state


def _scan(
    step: Step,
    start: PyTree,
    aux: tuple[PyTree, ...],
    num_steps: int,
    *,
    constant_aux: bool,
    keep: bool = True,
) -> tuple[PyTree, PyTree]:
    """Return the last state and, if they are kept, the states after each step."""
    if not constant_aux:
        _check_one_a_step(aux, num_steps)

    def advance(state: PyTree, each: tuple[PyTree, ...]) -> tuple[PyTree, PyTree]:
        later = step(state, *(aux if constant_aux else each))
        _check_kept(state, later)
        return later, later if keep else None

    return jax.lax.scan(advance, start, None if constant_aux else aux, num_steps)


def _check_one_a_step(aux: PyTree, num_steps: int) -> None:
    for shape in map(np.shape, jax.tree.leaves(aux)):
        if shape[:1] != (num_steps,):
            raise ShapeError(
                f"auxiliary input must hold one entry a step, ({num_steps}, …), got {shape};"
                " for one that stays the same, set constant_aux=True"
            )


def _check_kept(state: PyTree, later: PyTree) -> None:
    """Refuse a step whose result cannot be fed back to it."""
    given, made = (jax.tree.map(_describe, tree) for tree in (state, later))
    if given != made:
        raise ShapeError(f"a step must return the like of the state, {given}, got {made}")


def _describe(leaf: Any) -> str:
    return f"{jnp.result_type(leaf)}{list(np.shape(leaf))}"


def stack_sub_trajectories(trajectory: PyTree, length: int) -> PyTree:
    """Return all overlapping windows of a trajectory.

    Parameters
    ----------
    trajectory
        ``(time, …)``: an array or a pytree of arrays with the same number of frames.
    length
        Frames of a window, at least 1.

    Returns
    -------
    ``(time - length + 1, length, …)`` for each array; windows are in the order of their first
    frames.

    Raises
    ------
    SpecError
        If ``length`` is not a whole number of at least 1.
    ShapeError
        If there are fewer frames than that, or arrays differ in their number of frames.

    Examples
    --------
    >>> stack_sub_trajectories(np.arange(4), 2).tolist()
    [[0, 1], [1, 2], [2, 3]]
    """
    check_count("length", length, minimum=1)
    shapes = [np.shape(leaf) for leaf in jax.tree.leaves(trajectory)]
    arrays = all(hasattr(leaf, "shape") for leaf in jax.tree.leaves(trajectory))
    counts = {shape[0] if shape else 0 for shape in shapes} if arrays else set[int]()
    if len(counts) != 1:
        raise ShapeError(f"trajectory must be arrays with equally many frames, got {shapes}")
    (num_frames,) = counts
    if num_frames < length:
        raise ShapeError(
            f"windows of {length} frames need a trajectory (time, …) of at least that many,"
            f" got {num_frames}"
        )
    frames = np.arange(num_frames - length + 1)[:, None] + np.arange(length)
    return jax.tree.map(lambda leaf: jnp.asarray(leaf)[frames], trajectory)
