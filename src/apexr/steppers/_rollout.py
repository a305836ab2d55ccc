"""Many steps at once: from states to trajectories.

States stay in Fourier space between steps; only what is returned is transformed back.
"""

from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Complex, Float

from apexr.spectral import Grid, fft, ifft
from apexr.steppers._arrays import check_count
from apexr.steppers._exponential import Exponential
from apexr.steppers._spread import Devices, spread
from apexr.steppers._stepper import Kernel, Stepper, advance, as_states

State = Float[Array, "channel *space"]
Trajectory = Float[Array, "time channel *space"]
Plan = tuple[int, int, bool]  # steps, warm-up steps, whether frame 0 is wanted


def rollout(
    stepper: Stepper, num_steps: int, *, include_init: bool = False
) -> Callable[[State], Trajectory]:
    """Return the function from a state to its trajectory.

    Parameters
    ----------
    stepper
        What makes a step.
    num_steps
        Steps of the trajectory.
    include_init
        Whether frame 0 is the state itself, untouched.

    Raises
    ------
    SpecError
        If ``num_steps`` is negative or not whole.
    """
    check_count("num_steps", num_steps)

    def trajectory(u: State) -> Trajectory:
        state = as_states(stepper, u)
        return _trajectory(stepper.kernel, stepper.grid, state, (num_steps, 0, include_init))

    return trajectory


def repeat(stepper: Stepper, num_steps: int) -> Callable[[State], State]:
    """Return the function from a state to the state ``num_steps`` steps later.

    Raises
    ------
    SpecError
        If ``num_steps`` is negative or not whole.
    """
    check_count("num_steps", num_steps)

    def last_state(u: State) -> State:
        state = as_states(stepper, u)
        return state if num_steps == 0 else _last(stepper.kernel, stepper.grid, state, num_steps)

    return last_state


def simulate(
    stepper: Stepper,
    states: Float[Any, "sample channel *space"],
    num_steps: int,
    *,
    num_warmup_steps: int = 0,
    include_init: bool = True,
    devices: Sequence[jax.Device] | None = None,
) -> Float[Array, "sample time channel *space"]:
    """Return the trajectories of a batch of states, in one compiled call.

    Parameters
    ----------
    stepper
        What makes a step.
    states
        The initial states.
    num_steps
        Steps of the trajectories.
    num_warmup_steps
        Steps to make before the trajectories begin.
    include_init
        Whether frame 0 is the (warmed-up) initial state. Without warm-up it is the state
        itself, untouched.
    devices
        The devices to spread the samples over, such as ``jax.local_devices()``; the result
        stays spread over them. By default all is done on one.

    Raises
    ------
    SpecError
        If a number of steps is negative or not whole.
    ShapeError
        If the states do not fit the stepper.
    """
    check_count("num_steps", num_steps)
    check_count("num_warmup_steps", num_warmup_steps)
    batch = as_states(stepper, states, batched=True)
    plan = (num_steps, num_warmup_steps, include_init)
    used = tuple(devices or ())[: batch.shape[0]]
    trajectories: Array = _trajectories(stepper.kernel, stepper.grid, batch, plan, used)
    return trajectories


@eqx.filter_jit
def _last(kernel: Kernel, grid: Grid, u: State, num_steps: int) -> State:
    return ifft(advance(kernel, fft(u, grid.num_spatial_dims), num_steps), grid)


@eqx.filter_jit
def _trajectory(kernel: Kernel, grid: Grid, u: State, plan: Plan) -> Trajectory:
    return _simulator(kernel, grid, plan)(u)


@eqx.filter_jit
def _trajectories(kernel: Kernel, grid: Grid, states: Array, plan: Plan, devices: Devices) -> Array:
    spare = -len(states) % max(1, len(devices))
    padded = jnp.concatenate([states, states[:spare]]) if spare else states

    def block(kernel: Kernel, states: Array) -> Array:
        return _batch(kernel, grid, states, plan)

    trajectories: Array = spread(block, kernel, padded, devices)[: len(states)]
    return trajectories


def _batch(kernel: Kernel, grid: Grid, states: Array, plan: Plan) -> Array:
    one = _simulator(kernel, grid, plan)
    # only where a step has little to do is it faster to make it for all states at once
    together = grid.num_spatial_dims == 1 and not isinstance(kernel, Exponential)
    trajectories: Array = jax.vmap(one)(states) if together else jax.lax.map(one, states)
    return trajectories


def _simulator(kernel: Kernel, grid: Grid, plan: Plan) -> Callable[[State], Trajectory]:
    """Return the function of one state; what all states share is computed here, once."""
    num_steps, num_warmup, include_init = plan
    frames = _frames(kernel, grid, num_steps)

    def trajectory(u: State) -> Trajectory:
        u_hat = advance(kernel, fft(u, grid.num_spatial_dims), num_warmup)
        later = frames(u_hat)
        if not include_init:
            return later
        first = ifft(u_hat, grid) if num_warmup else u
        return jnp.concatenate([first[None], later])

    return trajectory


def _frames(
    kernel: Kernel, grid: Grid, num_steps: int
) -> Callable[[Complex[Array, "channel *spectrum"]], Trajectory]:
    """Return the function from a spectrum to the fields after steps ``1 … num_steps``."""
    if num_steps == 0:
        return lambda u_hat: jnp.zeros((0, u_hat.shape[0], *grid.shape), u_hat.real.dtype)
    if isinstance(kernel, Exponential):
        return _closed_form(kernel, grid, num_steps)

    def step(u_hat: Array, _: None) -> tuple[Array, Array]:
        u_hat = kernel(u_hat)
        return u_hat, ifft(u_hat, grid)

    return lambda u_hat: jax.lax.scan(step, u_hat, length=num_steps)[1]


def _closed_form(
    kernel: Exponential, grid: Grid, num_steps: int
) -> Callable[[Complex[Array, "channel *spectrum"]], Trajectory]:
    """Return the frames of a linear equation: no step needs the one before."""
    factors = jax.vmap(kernel.factor)(jnp.arange(1, num_steps + 1))
    if grid.num_spatial_dims == 1:
        return lambda u_hat: ifft(factors * u_hat[None], grid)
    return lambda u_hat: jax.lax.map(lambda factor: ifft(factor * u_hat, grid), factors)
