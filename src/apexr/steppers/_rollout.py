"""Many steps at once: from states to trajectories.

States stay in Fourier space between steps; only what is returned is transformed back.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Complex, Float

from apexr._parts import Structure, split
from apexr.errors import SpecError
from apexr.kernels import Ahead, JitForDevices
from apexr.spectral import Grid, fft, ifft
from apexr.steppers._arrays import check_count, is_traced
from apexr.steppers._exponential import ClosedForm
from apexr.steppers._functional import Step, iterate, roll
from apexr.steppers._march import SpectralMarch
from apexr.steppers._spread import Devices, placed, spread
from apexr.steppers._stepper import Kernel, Stepper, advance, as_states

State = Float[Array, "channel *space"]
Trajectory = Float[Array, "time channel *space"]
Plan = tuple[int, int, bool]  # steps, warm-up steps, whether frame 0 is wanted


def rollout(
    stepper: Stepper | Step,
    num_steps: int,
    *,
    include_init: bool = False,
    takes_aux: bool = False,
    constant_aux: bool = True,
) -> Callable[..., Any]:
    """Return the function from a state to its trajectory.

    Parameters
    ----------
    stepper
        The stepper, or any function from a state, an array or a pytree of
        arrays, to the next one, such as a network.
    num_steps
        Steps of the trajectory.
    include_init
        Whether frame 0 is the state itself, untouched.
    takes_aux
        Whether a step takes a second, auxiliary input (a force, a control). So does then the
        function returned: ``rollout(step, 5, takes_aux=True)(state, aux)``.
    constant_aux
        Whether each step is given the same auxiliary input. If not, it has one entry a step
        along its first axis.

    Raises
    ------
    SpecError
        If ``num_steps`` is negative or not whole, or ``takes_aux`` is set for a stepper that
        takes none.
    ShapeError
        From the function returned, if the state does not fit, a step does not return the like
        of it, or there is not one auxiliary input a step.
    """
    check_count("num_steps", num_steps)
    if not isinstance(stepper, Stepper):
        aux = {"takes_aux": takes_aux, "constant_aux": constant_aux}
        return roll(stepper, num_steps, include_init=include_init, **aux)
    _check_takes_aux(stepper, takes_aux=takes_aux)

    def trajectory(u: State) -> Trajectory:
        state = as_states(stepper, u)
        return _trajectory(stepper.kernel, stepper.grid, state, (num_steps, 0, include_init))

    return trajectory


def repeat(
    stepper: Stepper | Step,
    num_steps: int,
    *,
    takes_aux: bool = False,
    constant_aux: bool = True,
) -> Callable[..., Any]:
    """Return the function from a state to the state ``num_steps`` steps later.

    Parameters and errors are those of :func:`rollout`; no steps leave the state as it is.
    """
    check_count("num_steps", num_steps)
    if not isinstance(stepper, Stepper):
        return iterate(stepper, num_steps, takes_aux=takes_aux, constant_aux=constant_aux)
    _check_takes_aux(stepper, takes_aux=takes_aux)

    def last_state(u: State) -> State:
        state = as_states(stepper, u)
        return state if num_steps == 0 else _last(stepper.kernel, stepper.grid, state, num_steps)

    return last_state


def _check_takes_aux(stepper: Stepper, *, takes_aux: bool) -> None:
    if takes_aux:
        name = type(stepper).__name__
        raise SpecError(
            f"takes_aux is set, but {name} takes a state alone; ForcedStepper({name}(…)) takes a"
            " state and a force"
        )


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
        The stepper.
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
    if any(map(is_traced, jax.tree.leaves((stepper.kernel, batch)))):
        return _traced_trajectories(stepper.kernel, stepper.grid, batch, plan)
    return _prepared(stepper, batch, plan, devices)()


def simulation(
    stepper: Stepper,
    states: Float[Any, "sample channel *space"],
    num_steps: int,
    *,
    devices: Sequence[jax.Device] | None = None,
) -> Callable[[], Float[Array, "sample time channel *space"]]:
    """Return the function that makes the trajectories of :func:`simulate`, for a clock.

    All that is no work of the solver is done before: its calls from the second on are one compiled
    program, whose arguments lie where they are needed.

    Parameters
    ----------
    stepper, states, num_steps, devices
        As for :func:`simulate`.
    """
    batch = as_states(stepper, states, batched=True)
    return _prepared(stepper, batch, (num_steps, 0, True), devices)


def _prepared(
    stepper: Stepper, batch: Array, plan: Plan, devices: Sequence[jax.Device] | None
) -> Callable[[], Array]:
    used = tuple(devices or ())[: batch.shape[0]]
    own, shared, structure = split(SpectralMarch(stepper))
    (own, shared), batch = placed((own, shared), batch, used)
    return partial(_trajectories, own, shared, batch, structure, plan, used)


def compile_simulation(
    stepper: Stepper, num_samples: int, num_steps: int, *, num_warmup_steps: int = 0
) -> Ahead:
    """Compile what :func:`simulate` runs on one device, while others work."""
    own, shared, structure = split(SpectralMarch(stepper))
    shape = (num_samples, stepper.num_channels, *stepper.grid.shape)
    states = jax.ShapeDtypeStruct(shape, jax.dtypes.canonicalize_dtype(float))
    plan = (num_steps, num_warmup_steps, True)
    return _trajectories.ahead(own, shared, states, structure, plan, (jax.local_devices()[0],))


@eqx.filter_jit
def _last(kernel: Kernel, grid: Grid, u: State, num_steps: int) -> State:
    return ifft(advance(kernel, fft(u, grid.num_spatial_dims), num_steps), grid)


@eqx.filter_jit
def _trajectory(kernel: Kernel, grid: Grid, u: State, plan: Plan) -> Trajectory:
    return _simulator(kernel, grid, plan)(u)


@eqx.filter_jit
def _traced_trajectories(kernel: Kernel, grid: Grid, states: Array, plan: Plan) -> Array:
    one = _simulator(kernel, grid, plan)
    together = grid.num_spatial_dims == 1 and not isinstance(kernel, ClosedForm)
    trajectories: Array = jax.vmap(one)(states) if together else jax.lax.map(one, states)
    return trajectories


@partial(JitForDevices, jit=jax.jit, static_argnums=(3, 4, 5))
def _trajectories(
    own: Any, shared: Any, states: Array, structure: Structure, plan: Plan, devices: Devices
) -> Array:
    num_steps, num_warmup, include_init = plan
    spare = -len(states) % max(1, len(devices))
    padded = jnp.concatenate([states, states[:spare]]) if spare else states

    def block(march: SpectralMarch, states: Array) -> Array:
        kept = march.over(lambda u: march.advance(march.keep(u), num_warmup), states)
        first = 0 if include_init else 1
        frames = march.frames(kept, first, num_steps + 1 - first)[1]
        return frames.at[:, 0].set(states) if include_init and not num_warmup else frames

    march = structure.filled(own, shared)
    trajectories: Array = spread(block, march, padded, devices)[: len(states)]
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
    if isinstance(kernel, ClosedForm):
        return kernel.fields(jnp.arange(1, num_steps + 1), grid)

    def step(u_hat: Array, _: None) -> tuple[Array, Array]:
        u_hat = kernel(u_hat)
        return u_hat, ifft(u_hat, grid)

    return lambda u_hat: jax.lax.scan(step, u_hat, length=num_steps)[1]
