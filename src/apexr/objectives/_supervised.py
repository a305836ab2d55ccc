"""Supervised objectives: the emulator is compared with stored trajectories."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from apexr._grammar import PositiveInt
from apexr.objectives._kind import Emulator, Objective, objective
from apexr.objectives._losses import mean_square


@objective("one")
class OneStep(Objective):
    """one - one step from a stored state to the next."""

    @property
    def window_length(self) -> int:
        """Two frames."""
        return 2

    def sample_losses(
        self, emulate: Emulator, window: Float[Array, "channel batch frame *space"]
    ) -> Float[Array, " batch"]:
        """Return the squared error of one step."""
        return mean_square(emulate(window[:, :, 0]), window[:, :, 1])


@objective("sup")
class Supervised(Objective):
    """sup;STEPS;CUT - the emulator is unrolled and compared with the trajectory at each step.

    The losses of the steps are summed. With ``CUT`` no gradient flows from one step to the
    state that the step before it gave (truncated back-propagation through time).
    """

    steps: PositiveInt
    cut: bool = False

    @property
    def window_length(self) -> int:
        """One frame more than there are steps."""
        return self.steps + 1

    def sample_losses(
        self, emulate: Emulator, window: Float[Array, "channel batch frame *space"]
    ) -> Float[Array, " batch"]:
        """Return the sum of the squared errors of all steps."""

        def advance(state: Array, target: Array) -> tuple[Array, Array]:
            state = emulate(state)
            carried = jax.lax.stop_gradient(state) if self.cut else state
            return carried, mean_square(state, target)

        targets = jnp.moveaxis(window[:, :, 1:], 2, 0)
        _, losses = jax.lax.scan(jax.checkpoint(advance), window[:, :, 0], targets)
        return jnp.sum(losses, axis=0)
