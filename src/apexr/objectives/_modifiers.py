"""Objectives that change how another one is evaluated: its loss, its weights, its cuts."""

import abc
import dataclasses
from typing import Annotated

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from apexr._grammar import Led, Nested, NonNegativeFloat, OneOf, PositiveInt
from apexr.errors import SpecError
from apexr.objectives._kind import (
    OBJECTIVES,
    PLAIN,
    Emulator,
    Enclosing,
    Objective,
    Setting,
    objective,
)
from apexr.objectives._losses import LOSSES, SpectralLoss

NestedObjective = Annotated[Objective, Nested(OBJECTIVES)]


class Modifier(Enclosing):
    """Another objective in a changed setting; leaves say what they change.

    Modifiers may stand one within another: ``loss;MAE;cut;2;sup;4``.
    """

    @abc.abstractmethod
    def changed(self, setting: Setting) -> Setting:
        """Return the setting of the objective within."""

    def sample_losses(
        self,
        emulate: Emulator,
        window: Float[Array, "channel batch frame *space"],
        setting: Setting = PLAIN,
    ) -> Float[Array, " batch"]:
        """Return the losses of the objective within, in the changed setting."""
        return self.objective.sample_losses(emulate, window, self.changed(setting))


@objective("loss")
class WithLoss(Modifier):
    """loss;LOSS;OBJECTIVE… - another objective with another loss, such as nMSE or spectral;1.0."""

    loss: Annotated[
        str | SpectralLoss, Led({"spectral": SpectralLoss}, Annotated[str, OneOf(LOSSES)])
    ]
    objective: NestedObjective

    def __post_init__(self) -> None:
        relative = isinstance(self.loss, SpectralLoss) or LOSSES.get(self.loss).relative
        if relative and not self.objective.has_target:
            raise SpecError(
                f"LOSS must be absolute (MSE or MAE) for {str(self.objective)!r}, which has no"
                f" target for {self.loss} to be relative to"
            )

    def changed(self, setting: Setting) -> Setting:
        """Return the setting with this loss."""
        chosen = self.loss
        loss = chosen if isinstance(chosen, SpectralLoss) else LOSSES.get(chosen).function
        return dataclasses.replace(setting, loss=setting.of_state(loss))


@dataclasses.dataclass(frozen=True)
class Geometric:
    """Weights that fall from one time level to the next: ``w_t = max(RATIO^t, 10⁻³)``."""

    ratio: float

    def __post_init__(self) -> None:
        if not 0 < self.ratio < np.inf:
            raise SpecError(f"the ratio of geometric weights must be above 0, got {self.ratio!r}")

    def __str__(self) -> str:
        return f"geometric;{self.ratio!r}"

    def of(self, levels: int) -> tuple[float, ...]:
        """Return the weights of so many time levels.

        Raises
        ------
        SpecError
            If they grow beyond all numbers.
        """
        with np.errstate(over="ignore"):
            weights = np.maximum(np.power(self.ratio, np.arange(float(levels))), LEAST_WEIGHT)
        if not np.isfinite(weights[-1]):
            raise SpecError(
                f"geometric weights must be finite, and those of ratio {self.ratio!r} are not"
            )
        return tuple(weights.tolist())


LEAST_WEIGHT = 1e-3
"""The lower limit of geometric weights."""


@objective("weights")
class WithWeights(Modifier):
    """weights;WEIGHTS;OBJECTIVE… - another with a weight a time level: 1,0.5 or geometric;R.

    There are as many as losses are summed: one a step of ``sup`` or ``div``, one a branch of
    ``chain``. ``geometric;R`` are ``max(Rᵗ, 10⁻³)``, ``t = 0, 1, …``, for any number of levels.
    """

    weights: Annotated[
        tuple[float, ...] | Geometric, Led({"geometric": Geometric}, tuple[float, ...])
    ]
    objective: NestedObjective

    def __post_init__(self) -> None:
        levels = self.objective.num_levels
        if levels is None:
            raise SpecError(
                f"WEIGHTS must stand within {str(self.objective)!r}, which has no time levels of"
                " its own"
            )
        if isinstance(self.weights, Geometric):
            self.weights.of(levels)
            return
        if len(self.objective.starts) > 1:
            raise SpecError(
                f"WEIGHTS must be geometric;R for {str(self.objective)!r}, whose number of time"
                " levels changes"
            )
        if len(self.weights) != levels:
            raise SpecError(
                f"WEIGHTS must be one number for each of the {levels} time levels of"
                f" {str(self.objective)!r}, got {len(self.weights)}"
            )

    def changed(self, setting: Setting) -> Setting:
        """Return the setting with these weights."""
        given = self.weights
        of_levels = given.of(self.num_levels or 1) if isinstance(given, Geometric) else given
        return dataclasses.replace(setting, weights=of_levels)


@objective("cut")
class WithCuts(Modifier):
    """cut;EVERY;OBJECTIVE… - another objective whose gradients are cut after every so many steps.

    ``cut;1;sup;4`` is ``sup;4;true``.
    """

    every: PositiveInt
    objective: NestedObjective

    def changed(self, setting: Setting) -> Setting:
        """Return the setting with these cuts."""
        return dataclasses.replace(setting, cut_every=self.every)


@objective("noise")
class WithNoise(Modifier):
    """noise;STD;OBJECTIVE… - another objective whose windows begin with disturbed states.

    ``u₀ + STD σ n`` with a standard normal ``n`` that is drawn again for every update, from the
    seed's key and the number of the update, and the standard deviation ``σ`` of each channel of
    the training data. Targets are not disturbed, and neither are data for validation.

    References
    ----------
    Sanchez-Gonzalez et al. (2020), "Learning to Simulate Complex Physics with Graph Networks",
    ICML, arXiv:2002.09405, section 4.3.
    """

    std: NonNegativeFloat
    objective: NestedObjective

    def __post_init__(self) -> None:
        if self.objective.is_noisy:
            raise SpecError(f"OBJECTIVE must be without noise, {str(self.objective)!r} has some")

    @property
    def is_noisy(self) -> bool:
        """Whether there is any noise."""
        return self.std > 0

    @property
    def plain(self) -> Objective:
        """The loss of the objective within."""
        return self.objective.plain

    def changed(self, setting: Setting) -> Setting:
        """Return the setting as it is."""
        return setting

    def sample_losses(
        self,
        emulate: Emulator,
        window: Float[Array, "channel batch frame *space"],
        setting: Setting = PLAIN,
    ) -> Float[Array, " batch"]:
        """Return the losses of the objective within, from disturbed states in a training."""
        if setting.noise is None or not self.std:
            return self.objective.sample_losses(emulate, window, setting)
        shape = (window.shape[0], *window.shape[3:])
        noise = jax.vmap(lambda key: jax.random.normal(key, shape, window.dtype), out_axes=1)(
            setting.noise.keys
        )
        frames = shape[0] // setting.noise.spread.size  # states may hold several, one by one
        spread = jnp.tile(setting.noise.spread, frames).astype(window.dtype)
        spread = spread.reshape(-1, *(1,) * (noise.ndim - 1))
        window = window.at[:, :, 0].add(self.std * spread * noise)
        return self.objective.sample_losses(emulate, window, setting)
