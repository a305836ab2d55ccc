"""Objectives whose unrolled length changes during a training, and the pushforward trick."""

import bisect
import dataclasses
import itertools
from typing import Annotated

from jaxtyping import Array, Float

from apexr._grammar import Nested, PositiveInt
from apexr.errors import SpecError
from apexr.objectives._composite import Composite
from apexr.objectives._kind import (
    OBJECTIVES,
    PLAIN,
    Emulator,
    Enclosing,
    Objective,
    Setting,
    objective,
)
from apexr.objectives._modifiers import Modifier, WithCuts, WithWeights
from apexr.objectives._supervised import Supervised


@objective("push")
class Pushforward(Objective):
    """push;STEPS - only the last of STEPS steps counts, and no gradient flows into those before.

    The same as ``weights;0,…,1;cut;1;sup;STEPS``: the emulator learns to map its own states back
    to the trajectory.

    References
    ----------
    Brandstetter, Worrall & Welling (2022), "Message Passing Neural PDE Solvers", ICLR,
    arXiv:2202.03376, section 3.1.
    """

    steps: PositiveInt

    @property
    def written_out(self) -> WithWeights:
        """The same objective in the words of others."""
        weights = (*(0.0,) * (self.steps - 1), 1.0)
        return WithWeights(weights, WithCuts(1, Supervised(self.steps)))

    @property
    def window_length(self) -> int:
        """One frame more than there are steps."""
        return self.steps + 1

    def sample_losses(
        self,
        emulate: Emulator,
        window: Float[Array, "channel batch frame *space"],
        setting: Setting = PLAIN,
    ) -> Float[Array, " batch"]:
        """Return the error of the last step."""
        return self.written_out.sample_losses(emulate, window, setting)


@objective("curriculum")
class Curriculum(Enclosing):
    """curriculum;STAGES;OBJECTIVE… - another, from update N on over S steps, for stages S@N,S@N.

    Such as ``curriculum;1@0,2@2000,5@5000;sup;5``. The STEPS of the objective are those of the
    stage. All stages see windows of the same length, that of the longest, and read as many of
    their frames as they need: mini-batches do not depend on the stages.
    """

    stages: str
    objective: Annotated[Objective, Nested(OBJECTIVES)]

    def __post_init__(self) -> None:
        if len(self.objective.starts) > 1:
            raise SpecError("OBJECTIVE must not have stages itself")
        pairs = [_read_stage(text) for text in self.stages.split(",")]
        starts = tuple(start for _, start in pairs)
        if starts[0] != 0 or any(b <= a for a, b in itertools.pairwise(starts)):
            raise SpecError(
                "STAGES must begin at update 0 and come one after another, such as 1@0,2@2000;"
                f" got {self.stages!r}"
            )
        parts = tuple(_unrolled_over(steps, self.objective) for steps, _ in pairs)
        longest = max(parts, key=lambda part: part.window_length)
        object.__setattr__(self, "_starts", starts)
        object.__setattr__(self, "_parts", parts)
        object.__setattr__(self, "stages", ",".join(f"{s}@{n}" for s, n in pairs))
        object.__setattr__(self, "objective", longest)

    @property
    def plain(self) -> Objective:
        """The loss of the last stage."""
        return self._parts[-1].plain  # type: ignore[attr-defined,no-any-return]

    @property
    def starts(self) -> tuple[int, ...]:
        """The first update of each stage."""
        return self._starts  # type: ignore[attr-defined,no-any-return]

    def at(self, update: int) -> Objective:
        """Return the stage of an update."""
        part: Objective = self._parts[bisect.bisect_right(self.starts, update) - 1]  # type: ignore[attr-defined]
        whole = part.window_length == self.window_length
        return part if whole else Stage(part, self.window_length)

    def sample_losses(
        self,
        emulate: Emulator,
        window: Float[Array, "channel batch frame *space"],
        setting: Setting = PLAIN,
    ) -> Float[Array, " batch"]:
        """Return the losses of the last stage."""
        part = self._parts[-1]  # type: ignore[attr-defined]
        losses: Array = part.sample_losses(emulate, window[:, :, : part.stored_frames], setting)
        return losses


@dataclasses.dataclass(frozen=True)
class Stage(Enclosing):
    """An objective on windows that are longer than it needs.

    Attributes
    ----------
    objective
        The function that reads the first frames.
    length
        Frames of a window.
    """

    objective: Objective
    length: int

    @property
    def window_length(self) -> int:
        """That of all stages."""
        return self.length

    def sample_losses(
        self,
        emulate: Emulator,
        window: Float[Array, "channel batch frame *space"],
        setting: Setting = PLAIN,
    ) -> Float[Array, " batch"]:
        """Return the losses of the objective."""
        return self.objective.sample_losses(emulate, window, setting)


def _read_stage(text: str) -> tuple[int, int]:
    """Return the steps of a stage and its first update."""
    steps, _, start = text.strip().partition("@")
    try:
        pair = int(steps), int(start)
    except ValueError:
        pair = 0, 0
    if pair[0] < 1 or pair[1] < 0:
        raise SpecError(
            "STAGES must be STEPS@UPDATE parted by commas, such as 1@0,2@2000, with at least one"
            f" step each; got {text!r}"
        )
    return pair


def _unrolled_over(steps: int, held: Objective) -> Objective:
    """Return an objective with other STEPS.

    Raises
    ------
    SpecError
        If it has none, or cannot have so many.
    """
    if any(field.name == "steps" for field in dataclasses.fields(held)):  # type: ignore[arg-type]
        return dataclasses.replace(held, steps=steps)  # type: ignore[type-var]
    if isinstance(held, Modifier):
        inner = _unrolled_over(steps, held.objective)
        try:
            return dataclasses.replace(held, objective=inner)  # type: ignore[type-var]
        except SpecError as error:
            raise SpecError(f"OBJECTIVE does not do with {steps} STEPS: {error}") from None
    if isinstance(held, Composite):
        parts = tuple(_unrolled_over(steps, part) for part in held.objectives)
        return dataclasses.replace(held, objectives=parts)
    raise SpecError(f"OBJECTIVE must have STEPS, such as sup;5; {str(held)!r} has none")
