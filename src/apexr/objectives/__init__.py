"""Training objectives: how an emulator is unrolled and what its error is."""

from apexr._doors import check_all
from apexr.objectives._composite import Composite
from apexr.objectives._diverted import BranchedChain, DivertedChain
from apexr.objectives._kind import OBJECTIVES, PLAIN, Emulator, Objective, Setting, objective
from apexr.objectives._losses import (
    LOSSES,
    Loss,
    loss,
    mean_absolute,
    mean_square,
    normalized_absolute,
    normalized_square,
)
from apexr.objectives._mixed import MixedChain
from apexr.objectives._modifiers import Modifier, WithCuts, WithLoss, WithWeights
from apexr.objectives._residuum import RESIDUALS, Residuum
from apexr.objectives._supervised import OneStep, Supervised

__all__ = [
    "LOSSES",
    "OBJECTIVES",
    "PLAIN",
    "RESIDUALS",
    "BranchedChain",
    "Composite",
    "DivertedChain",
    "Emulator",
    "Loss",
    "MixedChain",
    "Modifier",
    "Objective",
    "OneStep",
    "Residuum",
    "Setting",
    "Supervised",
    "WithCuts",
    "WithLoss",
    "WithWeights",
    "loss",
    "mean_absolute",
    "mean_square",
    "normalized_absolute",
    "normalized_square",
    "objective",
]

check_all(globals())
