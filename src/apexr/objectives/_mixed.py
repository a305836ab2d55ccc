"""The mixed chain: steps of the solver after those of the emulator."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from apexr._grammar import PositiveInt
from apexr.objectives._kind import PLAIN, Emulator, Objective, Setting, objective
from apexr.objectives._unrolled import unrolled


@objective("mix")
class MixedChain(Objective):
    """mix;STEPS;POST;CUT - POST steps of the reference solver after STEPS of the emulator.

    All are compared with the trajectory: ``L = Σₜ ℓ(uₜ, u*ₜ)``, ``t = 1 … STEPS + POST``, with
    ``uₜ₊₁ = f(uₜ)`` for the first ``STEPS``, ``P(uₜ)`` then; gradients flow through the solver
    ``P``. With ``CUT`` none flows from one step of the emulator to the one before.
    """

    steps: PositiveInt
    post: PositiveInt
    cut: bool = False

    @property
    def window_length(self) -> int:
        """One frame more than there are steps of both."""
        return self.steps + self.post + 1

    @property
    def num_levels(self) -> int:
        """One a step."""
        return self.steps + self.post

    @property
    def needs_reference(self) -> bool:
        """True."""
        return True

    def sample_losses(
        self,
        emulate: Emulator,
        window: Float[Array, "channel batch frame *space"],
        setting: Setting = PLAIN,
    ) -> Float[Array, " batch"]:
        """Return the sum of the errors of all steps."""
        targets = jnp.moveaxis(window[:, :, 1:], 2, 0)

        def chain(
            step: Emulator, state: Array, targets: Array, cuts: np.ndarray
        ) -> tuple[Array, Array]:
            def advance(state: Array, target: Array) -> tuple[Array, Array]:
                state = step(state)
                return state, setting.loss(state, target)

            return unrolled(advance, state, targets, cuts)

        cuts, uncut = setting.cuts(self.cut, self.steps), np.zeros(self.post, bool)
        state, neural = chain(emulate, window[:, :, 0], targets[: self.steps], cuts)
        _, physical = chain(setting.reference, state, targets[self.steps :], uncut)
        return setting.total(jnp.concatenate([neural, physical]))
