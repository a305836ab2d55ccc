"""``apexr.lyapunov``: how fast perturbations grow under a solver or an emulator."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jaxtyping import Float

from apexr import labels
from apexr.engine import block_means, kaplan_yorke, lyapunov_growth
from apexr.errors import DivergenceError, ShapeError, SpecError, warn
from apexr.experiment import machine
from apexr.kernels import prepare_host_devices
from apexr.schema import LYAPUNOV
from apexr.steppers import Stepper
from apexr.steppers._arrays import check_count, default_float


def lyapunov(
    stepper: Any,
    states: Any,
    *,
    steps: int,
    spinup: int = 0,
    num_exponents: int = 1,
    every: int = 1,
    dt: float | None = None,
    zero_mean: bool = False,
    seed: int = 0,
) -> xr.Dataset:
    """Return the leading Lyapunov exponents of a solver or an emulator, and its dimension.

    Perturbations are carried along trajectories by the linearized step and made orthonormal by
    a QR decomposition every few steps.

    Parameters
    ----------
    stepper
        The map of a step: a stepper, an emulator, or any function of a state
        ``(channel, *space)`` that JAX differentiates in forward mode.
    states
        Where trajectories begin: ``(sample, channel, *space)``, or ``(channel, *space)`` for
        one. Their exponents are averaged.
    steps
        Steps over which growth is measured. Steps that do not fill a last interval of ``every``
        are not made.
    spinup
        Steps before, in which the trajectory approaches its attractor and perturbations turn to
        the directions in which they grow.
    num_exponents
        How many exponents, from the largest.
    every
        Steps from one QR decomposition to the next. The growth in between must fit the
        precision: take 1 to 10 in float32.
    dt
        Time of a step; a stepper has its own. Without, exponents are per step.
    zero_mean
        Whether perturbations are kept without a mean in each channel. Where an equation
        conserves the mean, a perturbation of it neither grows nor decays, which gives one more
        exponent of zero unless this is set.
    seed
        Draws the first perturbations.

    Returns
    -------
    A Dataset with ``exponent`` and its ``standard_error`` along ``rank``, ``kaplan_yorke`` (the
    Kaplan-Yorke dimension) and its standard error, and ``exponent_of_sample`` along ``sample`` and
    ``rank``; see :data:`apexr.schema.LYAPUNOV`. Exponents are per unit of time.

    Raises
    ------
    SpecError
        If an argument means nothing, or there are more exponents than numbers in a state.
    ShapeError
        If the states do not fit.
    DivergenceError
        If a trajectory becomes NaN or infinite.

    Warns
    -----
    ApexrWarning
        If all exponents together do not sum to a negative number: the dimension needs more.

    References
    ----------
    G. Benettin, L. Galgani, A. Giorgilli, J.-M. Strelcyn (1980): Lyapunov characteristic
    exponents for smooth dynamical systems. Meccanica 15, 9-20. doi:10.1007/BF02128236

    Examples
    --------
    >>> grid = Grid(1, 64, 22.0)
    >>> ks = ETDRKStepper(KuramotoSivashinskyConservative(), grid, dt=0.25, order=4)
    >>> u = np.cos(2 * np.pi * grid.coordinates / 22)
    >>> apexr.lyapunov(ks, u, steps=20_000, spinup=2_000, num_exponents=8, every=4).exponent
    """
    prepare_host_devices()
    for name, count, least in (
        ("steps", steps, 1),
        ("spinup", spinup, 0),
        ("num_exponents", num_exponents, 1),
        ("every", every, 1),
        ("seed", seed, 0),
    ):
        check_count(name, count, minimum=least)
    if steps < every:
        raise SpecError(f"steps must be at least every ({every}), got {steps}")
    duration = _time_of_step(stepper, dt)
    batch = _batch(stepper, states, zero_mean)
    growth, last = lyapunov_growth(
        _checked(stepper, batch[0]),
        batch,
        jax.random.PRNGKey(seed),
        num_exponents=_fitting(num_exponents, batch[0], zero_mean),
        every=every,
        num_intervals=steps // every,
        num_spinup=-(-spinup // every),
        without_mean=zero_mean,
    )
    if not np.isfinite(last).all():
        wrong = ~np.isfinite(last).reshape(len(last), -1).all(axis=1)
        raise DivergenceError(
            f"{int(wrong.sum())} of {len(last)} trajectories became NaN or infinite, the first of"
            f" sample {int(np.argmax(wrong))}; take smaller steps, or an emulator that stays"
            " bounded"
        )
    arrays = _spectrum(block_means(growth, every * duration))
    if np.isnan(arrays["kaplan_yorke"]):
        warn(
            f"the first {num_exponents} exponents do not sum to a negative number: the"
            " Kaplan-Yorke dimension needs more; raise num_exponents"
        )
    about = {
        "steps": int(steps // every * every),
        "spinup": int(-(-spinup // every) * every),
        "every": int(every),
        "time_of_step": duration,
        "zero_mean": str(bool(zero_mean)).lower(),
        "seed": int(seed),
    }
    coords = {"sample": np.arange(len(batch)), "rank": np.arange(1, num_exponents + 1)}
    return labels.comparison(arrays, LYAPUNOV, coords, attrs={**about, **machine()})


def _spectrum(blocks: Float[np.ndarray, "sample block exponent"]) -> dict[str, np.ndarray]:
    """Return the arrays of :data:`apexr.schema.LYAPUNOV` from exponents within blocks."""
    order = np.argsort(-blocks.mean(axis=(0, 1)), kind="stable")
    blocks = blocks[..., order]
    rows = blocks.reshape(-1, blocks.shape[-1])
    count, mean = len(rows), rows.mean(axis=0)
    error = rows.std(axis=0, ddof=1) / np.sqrt(count) if count > 1 else np.full_like(mean, np.nan)
    without = [kaplan_yorke((count * mean - row) / (count - 1)) for row in rows if count > 1]
    spread = np.sqrt((count - 1) * np.var(without)) if without else np.nan
    return {
        "exponent": mean,
        "standard_error": error,
        "kaplan_yorke": np.asarray(kaplan_yorke(mean)),
        "kaplan_yorke_standard_error": np.asarray(spread),
        "exponent_of_sample": blocks.mean(axis=1),
    }


def _time_of_step(stepper: Any, given: float | None) -> float:
    if given is None:
        return float(stepper.dt) if isinstance(stepper, Stepper) else 1.0
    number = isinstance(given, int | float | np.number) and not isinstance(given, bool)
    if not number or not 0 < given < np.inf:
        raise SpecError(f"dt must be a finite number above 0, got {given!r}")
    if isinstance(stepper, Stepper) and not np.isclose(float(stepper.dt), float(given)):
        raise SpecError(f"the stepper has the dt {float(stepper.dt)}, got {given!r}; leave it out")
    return float(given)


def _batch(stepper: Any, given: Any, zero_mean: bool) -> Float[jax.Array, "sample channel *space"]:
    """Return the first states, with a sample axis."""
    values = given.values if isinstance(given, xr.DataArray) else given
    try:
        array = np.asarray(values, default_float())
    except (TypeError, ValueError) as error:
        raise ShapeError(
            f"states must be an array of real numbers, got {type(given).__name__}"
        ) from error
    single = (
        array.ndim == len(stepper.grid.shape) + 1
        if isinstance(stepper, Stepper)
        else array.ndim < 3 or _takes(stepper, array)
    )
    batch = array[None] if single else array
    if batch.ndim < 3 or not batch.size:
        raise ShapeError(
            "states must have shape (sample, channel, *space), or (channel, *space) for one; got"
            f" {array.shape}"
        )
    if not np.isfinite(batch).all():
        raise SpecError("states hold NaN or infinite numbers")
    return jnp.asarray(batch)


def _takes(step: Any, array: np.ndarray) -> bool:
    """Tell whether a step takes an array as one state."""
    try:
        made = jax.eval_shape(step, jax.ShapeDtypeStruct(array.shape, array.dtype))
    except Exception:  # a step may raise what it likes for what is no state of its
        return False
    return getattr(made, "shape", None) == array.shape


def _checked(step: Any, state: jax.Array) -> Any:
    """Return the step, which must take a state to a state.

    Raises
    ------
    SpecError
        If it cannot be called, traced or differentiated.
    ShapeError
        If it does not return a state.
    """
    if not callable(step) or isinstance(step, type):
        raise SpecError(
            f"stepper must be a stepper, an emulator or a function of a state, got {step!r}"
        )
    if isinstance(step, Stepper) and (step.num_channels, *step.grid.shape) != state.shape:
        wanted = (step.num_channels, *step.grid.shape)
        raise ShapeError(f"states must be {wanted} of the stepper, got {state.shape}")
    try:
        made = jax.eval_shape(lambda u: jax.vmap(jax.linearize(step, u)[1])(u[None])[0], state)
    except Exception as error:  # whatever a function of others raises
        raise SpecError(
            f"{step!r} cannot be differentiated forward by JAX on a state {state.shape}"
            f" ({type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}); write"
            " it with jax.numpy and give one state (channel, *space)"
        ) from error
    if getattr(made, "shape", None) != state.shape:
        raise ShapeError(f"{step!r} must take a state {state.shape} to such, got {made}")
    return step


def _fitting(num_exponents: int, state: jax.Array, zero_mean: bool) -> int:
    most = state.size - (len(state) if zero_mean else 0)
    if num_exponents > most:
        raise SpecError(
            f"num_exponents must be at most {most}, the independent perturbations of a state"
            f" {state.shape}, got {num_exponents}"
        )
    return num_exponents
