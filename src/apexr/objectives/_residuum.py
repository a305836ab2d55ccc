"""The residuum of an equation as a loss: no trajectory is compared with."""

from collections.abc import Callable
from typing import Annotated

import jax.numpy as jnp
from jaxtyping import Array, Float

from apexr._grammar import OneOf, PositiveInt
from apexr._registry import Registry
from apexr.objectives._kind import PLAIN, Emulator, Objective, Setting, objective
from apexr.objectives._unrolled import stopped, unrolled

Residual = Callable[[Array, Array, Emulator], Array]
"""Takes the next states, the previous ones (both batches) and the reference solver."""

RESIDUALS: Registry[Residual] = Registry("residual", "apexr.residuals")
"""Every residual by its name in ``residuum;STEPS;NAME``."""


@RESIDUALS.register("step")
def step(
    following: Float[Array, "channel batch *space"],
    previous: Float[Array, "channel batch *space"],
    reference: Emulator,
) -> Float[Array, "channel batch *space"]:
    """Return what the next state lacks to be a step of the reference solver."""
    return following - reference(previous)


@objective("residuum")
class Residuum(Objective):
    """residuum;STEPS;RESIDUAL;CUT;CUT_PREV;CUT_NEXT - how far from a solution the emulator is.

    ``L = Σₜ ℓ(R(f(uₜ), uₜ))`` along the emulator's trajectory. ``RESIDUAL`` names ``R``; one's
    own is a decorated function (``RESIDUALS.register``). With ``CUT`` no gradient flows from one
    step to the one before, with ``CUT_PREV`` and ``CUT_NEXT`` none through that argument of
    ``R``.
    """

    steps: PositiveInt
    residual: Annotated[str, OneOf(RESIDUALS)] = "step"
    cut: bool = False
    cut_prev: bool = False
    cut_next: bool = False

    @property
    def window_length(self) -> int:
        """One frame more than there are steps: as many windows as supervised unrolling has."""
        return self.steps + 1

    @property
    def stored_frames(self) -> int:
        """The initial state alone."""
        return 1

    @property
    def num_levels(self) -> int:
        """One a step."""
        return self.steps

    @property
    def needs_reference(self) -> bool:
        """True."""
        return True

    @property
    def has_target(self) -> bool:
        """False: the residuum is to vanish."""
        return False

    def sample_losses(
        self,
        emulate: Emulator,
        window: Float[Array, "channel batch frame *space"],
        setting: Setting = PLAIN,
    ) -> Float[Array, " batch"]:
        """Return the sum of the residua of all steps."""
        residual = RESIDUALS.get(self.residual)

        def advance(state: Array, _: None) -> tuple[Array, Array]:
            following = emulate(state)
            pair = stopped(following, self.cut_next), stopped(state, self.cut_prev)
            rest = residual(*pair, setting.reference)
            return following, setting.loss(rest, jnp.zeros_like(rest))

        cuts = setting.cuts(self.cut, self.steps)
        return setting.total(unrolled(advance, window[:, :, 0], None, cuts)[1])
