"""Supervised objectives: the emulator is compared with stored trajectories."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from apexr._grammar import PositiveInt
from apexr.objectives._kind import Emulator, Objective, objective
from apexr.objectives._losses import mean_square

WRITTEN_OUT_STEPS = 5
SMALL_STATES = 2**14
"""Numbers in a batch of states up to which keeping all activations costs little memory."""


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
        return jnp.sum(unrolled(advance, window[:, :, 0], targets), axis=0)


def unrolled(
    advance: Callable[[Array, Array], tuple[Array, Array]],
    state: Float[Array, "channel batch *space"],
    targets: Float[Array, "step channel batch *space"],
) -> Float[Array, "step batch"]:
    """Return the losses of all steps, in the way that suits the size.

    A few steps of small states are written out, and everything that their gradient needs is
    kept: fastest. Otherwise the steps are a loop whose insides are computed again for the
    gradient, so that neither the compilation nor the memory grows with their number.
    """
    if len(targets) > WRITTEN_OUT_STEPS or state.size > SMALL_STATES:
        losses: Array = jax.lax.scan(jax.checkpoint(advance), state, targets)[1]
        return losses
    steps = []
    for target in targets:
        state, loss = advance(state, target)
        steps.append(loss)
    return jnp.stack(steps)
