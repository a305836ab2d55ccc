"""Supervised objectives: the emulator is compared with stored trajectories."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from apexr._grammar import PositiveInt
from apexr.objectives._kind import PLAIN, Emulator, Objective, Setting, objective
from apexr.objectives._unrolled import unrolled


@objective("one")
class OneStep(Objective):
    """one - one step from a stored state to the next."""

    @property
    def window_length(self) -> int:
        """Two frames."""
        return 2

    @property
    def num_levels(self) -> int:
        """One."""
        return 1

    def sample_losses(
        self,
        emulate: Emulator,
        window: Float[Array, "channel batch frame *space"],
        setting: Setting = PLAIN,
    ) -> Float[Array, " batch"]:
        """Return the error of one step."""
        error = setting.loss(emulate(window[:, :, 0]), window[:, :, 1])
        return error if setting.weights is None else setting.total(error[None])


@objective("sup")
class Supervised(Objective):
    """sup;STEPS;CUT - the emulator is unrolled and compared with the trajectory at each step.

    ``L = Σₜ ℓ(fᵗ⁺¹(u₀), uₜ₊₁)``. With ``CUT`` no gradient flows from one step to the state that
    the step before it gave (truncated back-propagation through time).
    """

    steps: PositiveInt
    cut: bool = False

    @property
    def window_length(self) -> int:
        """One frame more than there are steps."""
        return self.steps + 1

    @property
    def num_levels(self) -> int:
        """One a step."""
        return self.steps

    def sample_losses(
        self,
        emulate: Emulator,
        window: Float[Array, "channel batch frame *space"],
        setting: Setting = PLAIN,
    ) -> Float[Array, " batch"]:
        """Return the sum of the errors of all steps."""

        def advance(state: Array, target: Array) -> tuple[Array, Array]:
            state = emulate(state)
            return state, setting.loss(state, target)

        targets = jnp.moveaxis(window[:, :, 1:], 2, 0)
        cuts = setting.cuts(self.cut, self.steps)
        return setting.total(unrolled(advance, window[:, :, 0], targets, cuts)[1])
