"""Objectives that change how another one is evaluated: its loss, its weights, its cuts."""

import abc
import dataclasses
from typing import Annotated

from jaxtyping import Array, Float

from apexr._grammar import Choice, Nested, PositiveInt
from apexr.errors import SpecError
from apexr.objectives._kind import OBJECTIVES, PLAIN, Emulator, Objective, Setting, objective
from apexr.objectives._losses import LOSSES

NestedObjective = Annotated[Objective, Nested(OBJECTIVES)]


class Modifier(Objective):
    """Another objective in a changed setting; leaves say what they change.

    Modifiers may stand one within another: ``loss;MAE;cut;2;sup;4``.
    """

    objective: Objective

    @abc.abstractmethod
    def changed(self, setting: Setting) -> Setting:
        """Return the setting of the objective within."""

    @property
    def window_length(self) -> int:
        """That of the objective within."""
        return self.objective.window_length

    @property
    def stored_frames(self) -> int:
        """Those of the objective within."""
        return self.objective.stored_frames

    @property
    def num_levels(self) -> int | None:
        """Those of the objective within."""
        return self.objective.num_levels

    @property
    def needs_reference(self) -> bool:
        """Whether the objective within does."""
        return self.objective.needs_reference

    @property
    def has_target(self) -> bool:
        """Whether the objective within has one."""
        return self.objective.has_target

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
    """loss;LOSS;OBJECTIVE… - another objective with another loss: MSE, MAE, nMSE or nMAE."""

    loss: Annotated[str, Choice(LOSSES)]
    objective: NestedObjective

    def __post_init__(self) -> None:
        if LOSSES.get(self.loss).relative and not self.objective.has_target:
            raise SpecError(
                f"LOSS must be absolute (MSE or MAE) for {str(self.objective)!r}, which has no"
                f" target for {self.loss} to be relative to"
            )

    def changed(self, setting: Setting) -> Setting:
        """Return the setting with this loss."""
        return dataclasses.replace(setting, loss=LOSSES.get(self.loss).function)


@objective("weights")
class WithWeights(Modifier):
    """weights;WEIGHTS;OBJECTIVE… - another with a weight for each time level, parted by commas.

    There are as many as losses are summed: one a step of ``sup`` or ``div``, one a branch of
    ``chain``.
    """

    weights: tuple[float, ...]
    objective: NestedObjective

    def __post_init__(self) -> None:
        levels = self.objective.num_levels
        if levels is None:
            raise SpecError(
                f"WEIGHTS must stand within {str(self.objective)!r}, which has no time levels of"
                " its own"
            )
        if len(self.weights) != levels:
            raise SpecError(
                f"WEIGHTS must be one number for each of the {levels} time levels of"
                f" {str(self.objective)!r}, got {len(self.weights)}"
            )

    def changed(self, setting: Setting) -> Setting:
        """Return the setting with these weights."""
        return dataclasses.replace(setting, weights=self.weights)


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
