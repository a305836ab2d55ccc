"""Diverted chains: the reference solver starts from where the emulator has come to.

References
----------
Koehler, Niedermayr, Westermann & Thuerey (2024), "APEBench: A Benchmark for Autoregressive
Neural Emulators of PDEs", NeurIPS, appendix on unrolled training, arXiv:2411.00180.
"""

import dataclasses
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from apexr._grammar import PositiveInt
from apexr.errors import SpecError
from apexr.objectives._kind import PLAIN, Emulator, Objective, Setting, objective
from apexr.objectives._unrolled import stopped, unrolled


@objective("div")
class DivertedChain(Objective):
    """div;STEPS;CUT;CUTDIV - each step is compared with one of the reference solver.

    ``L = Σₜ ℓ(f(uₜ), P(uₜ))`` along the emulator's own trajectory ``uₜ₊₁ = f(uₜ)``; gradients
    flow through the solver ``P``. With ``CUT`` none flows from one step to the one before, with
    ``CUTDIV`` none through the solver.
    """

    steps: PositiveInt
    cut: bool = False
    cutdiv: bool = False

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

    def sample_losses(
        self,
        emulate: Emulator,
        window: Float[Array, "channel batch frame *space"],
        setting: Setting = PLAIN,
    ) -> Float[Array, " batch"]:
        """Return the sum of the errors of all steps."""

        def advance(state: Array, _: None) -> tuple[Array, Array]:
            target = stopped(setting.reference(state), self.cutdiv)
            state = emulate(state)
            return state, setting.loss(state, target)

        cuts = setting.cuts(self.cut, self.steps)
        return setting.total(unrolled(advance, window[:, :, 0], None, cuts)[1])


@objective("chain")
class BranchedChain(Objective):
    """chain;STEPS;BRANCH;CUT;CUTDIV;BRANCH_WEIGHTS - diverted chain with branches of any length.

    From each state ``uₜ`` of the emulator's trajectory, ``t = 0 … STEPS - BRANCH``, both make
    ``BRANCH`` steps: ``L = Σₜ Σ_b v_b ℓ(fᵇ⁺¹(uₜ), Pᵇ⁺¹(uₜ))`` with the weights ``v_b``, by
    default one, separated by commas. With ``CUTDIV`` no gradient flows to the states from which
    the solver starts. ``chain;T;1`` is ``div;T``, ``chain;T;T`` is supervised unrolling.
    """

    steps: PositiveInt
    branch: PositiveInt
    cut: bool = False
    cutdiv: bool = False
    branch_weights: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.branch > self.steps:
            raise SpecError(
                f"BRANCH must be at most STEPS ({self.steps}), got {self.branch}; shorten the"
                " branch or make more steps"
            )
        if self.branch_weights and len(self.branch_weights) != self.branch:
            raise SpecError(
                f"BRANCH_WEIGHTS must be one number for each of the {self.branch} steps of a"
                f" branch, got {len(self.branch_weights)}"
            )

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
        """One a branch."""
        return self.steps - self.branch + 1

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
        """Return the sum of the errors of all branches."""
        cuts = setting.cuts(self.cut, self.steps)
        table = np.lib.stride_tricks.sliding_window_view(cuts, self.branch)
        differs = bool((table != table[0, 0]).any())

        def advance(state: Array, row: Any) -> tuple[Array, Array]:
            row = table[0] if row is None else row
            targets = self._targets(setting.reference, stopped(state, self.cutdiv))
            following = emulate(state)  # a step of the main chain, and the first of the branch
            return following, self._branch_loss(emulate, setting, following, targets, row)

        rows = table if differs else None
        chain = unrolled(advance, window[:, :, 0], rows, cuts[: len(table)], calls=self.branch)
        return setting.total(chain[1])

    def _targets(self, reference: Emulator, start: Array) -> Float[Array, "step ..."]:
        """Return the states of the solver's branch."""

        def step(state: Array, _: None) -> tuple[Array, Array]:
            state = reference(state)
            return state, state

        return unrolled(step, start, None, np.zeros(self.branch, bool))[1]

    def _branch_loss(
        self,
        emulate: Emulator,
        setting: Setting,
        first: Array,
        targets: Float[Array, "step ..."],
        cuts: Bool[Any, " step"],
    ) -> Float[Array, " batch"]:
        """Return the sum of the errors of one branch, whose first state is there already."""

        def step(state: Array, target: Array) -> tuple[Array, Array]:
            state = emulate(state)
            return state, setting.loss(state, target)

        levels = setting.loss(first, targets[0])[None]
        if self.branch > 1:
            later = unrolled(step, stopped(first, cuts[0]), targets[1:], cuts[1:])[1]
            levels = jnp.concatenate([levels, later])
        return dataclasses.replace(setting, weights=self.branch_weights or None).total(levels)
