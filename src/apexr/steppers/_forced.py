"""Steps under a force."""

from typing import Any

import equinox as eqx
from jaxtyping import Array, Complex, Float

from apexr.spectral import Grid
from apexr.steppers._stepper import Stepper, as_states


class ForcedStepper(eqx.Module):
    """``(u, f) ↦ step(u + Δt f)``: a force that acts before the step, of first order in time.

    The force is held over the step. Roll it out over one force a step with
    ``rollout(forced, num_steps, takes_aux=True, constant_aux=False)``.

    Parameters
    ----------
    stepper
        What makes the step.

    Examples
    --------
    >>> grid = Grid(1, 32)
    >>> forced = ForcedStepper(ETDRKStepper(Diffusion(0.01), grid, dt=0.1))
    >>> forced(np.zeros((1, 32)), np.ones((1, 32))).mean()  # 0.1
    """

    stepper: Stepper

    @property
    def grid(self) -> Grid:
        """Return the grid of the states."""
        return self.stepper.grid

    @property
    def num_channels(self) -> int:
        """Return the number of channels of a state."""
        return self.stepper.num_channels

    @property
    def dt(self) -> Any:
        """Return the time step."""
        return self.stepper.dt

    def step_fourier(
        self,
        u_hat: Complex[Array, "channel *spectrum"],
        f_hat: Complex[Array, "channel *spectrum"],
    ) -> Complex[Array, "channel *spectrum"]:
        """Return the spectrum one step later."""
        return self.stepper.step_fourier(u_hat + self.dt * f_hat)

    def __call__(
        self, u: Float[Any, "channel *space"], f: Float[Any, "channel *space"]
    ) -> Float[Array, "channel *space"]:
        """Return the state one step later.

        Raises
        ------
        ShapeError
            If the state or the force is not ``(channel, *space)`` of the stepper.
        """
        state, force = as_states(self.stepper, u), as_states(self.stepper, f)
        return self.stepper(state + self.dt * force)
