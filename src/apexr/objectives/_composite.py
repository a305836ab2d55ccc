"""A weighted sum of objectives."""

import dataclasses
from typing import Annotated

from jaxtyping import Array, Float

from apexr._grammar import Nested
from apexr.errors import SpecError
from apexr.objectives._kind import OBJECTIVES, PLAIN, Emulator, Objective, Setting, objective


@objective("composite")
class Composite(Objective):
    """composite;WEIGHTS;OBJECTIVES - weighted sum; commas part the weights, | the objectives.

    Such as ``composite;1,0.1;sup;3|div;3;true``.
    All are evaluated on the same windows, which are as long as the longest needs.
    """

    weights: tuple[float, ...]
    objectives: Annotated[tuple[Objective, ...], Nested(OBJECTIVES, many=True)]

    def __post_init__(self) -> None:
        if any("|" in str(part) for part in self.objectives):
            raise SpecError("OBJECTIVES must not be composites themselves; list all in one")
        if len(self.weights) != len(self.objectives):
            raise SpecError(
                f"WEIGHTS must be one number for each of the {len(self.objectives)} objectives,"
                f" got {len(self.weights)}"
            )

    @property
    def window_length(self) -> int:
        """That of the longest."""
        return max(part.window_length for part in self.objectives)

    @property
    def stored_frames(self) -> int:
        """Those of the longest."""
        return max(part.stored_frames for part in self.objectives)

    @property
    def needs_reference(self) -> bool:
        """Whether one of them does."""
        return any(part.needs_reference for part in self.objectives)

    @property
    def has_target(self) -> bool:
        """Whether all of them have one."""
        return all(part.has_target for part in self.objectives)

    @property
    def num_steps(self) -> int:
        """Those of the longest."""
        return max(part.num_steps for part in self.objectives)

    @property
    def is_noisy(self) -> bool:
        """Whether one of them is."""
        return any(part.is_noisy for part in self.objectives)

    @property
    def plain(self) -> Objective:
        """The sum of what is measured for each."""
        return self._of(*(part.plain for part in self.objectives))

    @property
    def starts(self) -> tuple[int, ...]:
        """Those of all together."""
        return tuple(sorted({start for part in self.objectives for start in part.starts}))

    def at(self, update: int) -> Objective:
        """Return the sum of the stages of an update."""
        return self._of(*(part.at(update) for part in self.objectives))

    def _of(self, *objectives: Objective) -> Objective:
        same = all(a is b for a, b in zip(objectives, self.objectives, strict=True))
        return self if same else dataclasses.replace(self, objectives=objectives)

    def sample_losses(
        self,
        emulate: Emulator,
        window: Float[Array, "channel batch frame *space"],
        setting: Setting = PLAIN,
    ) -> Float[Array, " batch"]:
        """Return the weighted sum of the losses of all objectives."""
        losses = (
            part.sample_losses(emulate, window[:, :, : part.stored_frames], setting)
            for part in self.objectives
        )
        return sum(weight * loss for weight, loss in zip(self.weights, losses, strict=True))  # type: ignore[return-value]
