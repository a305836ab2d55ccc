"""The objective of emulators that refine the next state from noise."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from apexr.errors import SpecError
from apexr.objectives._kind import PLAIN, Emulator, Objective, Setting
from apexr.objectives._modifiers import WithLoss
from apexr.objectives._supervised import OneStep


@dataclasses.dataclass(frozen=True)
class Denoising(Objective):
    """How well an emulator denoises one step of each window, at a level drawn for each.

    Parameters
    ----------
    objective
        ``one``, or with a loss ``loss;LOSS;one``.

    Raises
    ------
    SpecError
        If it is another one.
    """

    objective: Objective

    def __post_init__(self) -> None:
        held = self.objective
        while isinstance(held, WithLoss):
            held = held.objective
        if not isinstance(held, OneStep):
            raise SpecError(
                f"the task 'refine' is trained to denoise one step: train with 'one' or"
                f" 'loss;MAE;one', not with {str(self.objective)!r}, which compares states that"
                " the emulator has made"
            )

    def __str__(self) -> str:
        return str(self.objective)

    @property
    def window_length(self) -> int:
        """Two frames."""
        return 2

    @property
    def is_noisy(self) -> bool:
        """True."""
        return True

    def sample_losses(
        self,
        emulate: Emulator,
        window: Float[Array, "channel batch frame *space"],
        setting: Setting = PLAIN,
    ) -> Float[Array, " batch"]:
        """Return the losses of a denoiser, which stands in place of a step.

        Without keys, on data for validation, those of each place in a batch are always the same.
        """
        noise, count = setting.noise, window.shape[1]
        keys = jax.random.split(jax.random.PRNGKey(0), count) if noise is None else noise.keys
        denoiser: Any = emulate
        told, right = denoiser.denoising_pairs(window, keys)
        pair = jnp.stack([told, right], axis=2)
        return self.objective.sample_losses(lambda _: told, pair, setting)
