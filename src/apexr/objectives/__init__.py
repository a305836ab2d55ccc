"""Training objectives: how an emulator is unrolled and what its error is."""

from apexr.objectives._kind import OBJECTIVES, Emulator, Objective, objective
from apexr.objectives._losses import mean_square
from apexr.objectives._supervised import OneStep, Supervised

__all__ = [
    "OBJECTIVES",
    "Emulator",
    "Objective",
    "OneStep",
    "Supervised",
    "mean_square",
    "objective",
]
