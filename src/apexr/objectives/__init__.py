"""Training objectives: how an emulator is unrolled and what its error is."""

from apexr._doors import check_all
from apexr.objectives._composite import Composite
from apexr.objectives._curriculum import Curriculum, Pushforward
from apexr.objectives._denoising import Denoising
from apexr.objectives._diverted import BranchedChain, DivertedChain
from apexr.objectives._framed import Framed, framed
from apexr.objectives._kind import (
    OBJECTIVES,
    PLAIN,
    Emulator,
    Noise,
    Objective,
    Setting,
    objective,
)
from apexr.objectives._losses import (
    LOSSES,
    Loss,
    SpectralLoss,
    loss,
    mean_absolute,
    mean_square,
    normalized_absolute,
    normalized_root,
    normalized_square,
    sobolev,
)
from apexr.objectives._mixed import MixedChain
from apexr.objectives._modifiers import (
    Geometric,
    Modifier,
    WithCuts,
    WithLoss,
    WithNoise,
    WithWeights,
)
from apexr.objectives._residuum import RESIDUALS, Residuum
from apexr.objectives._supervised import OneStep, Supervised

__all__ = [
    "LOSSES",
    "OBJECTIVES",
    "PLAIN",
    "RESIDUALS",
    "BranchedChain",
    "Composite",
    "Curriculum",
    "Denoising",
    "DivertedChain",
    "Emulator",
    "Framed",
    "Geometric",
    "Loss",
    "MixedChain",
    "Modifier",
    "Noise",
    "Objective",
    "OneStep",
    "Pushforward",
    "Residuum",
    "Setting",
    "SpectralLoss",
    "Supervised",
    "WithCuts",
    "WithLoss",
    "WithNoise",
    "WithWeights",
    "framed",
    "loss",
    "mean_absolute",
    "mean_square",
    "normalized_absolute",
    "normalized_root",
    "normalized_square",
    "objective",
    "sobolev",
]

check_all(globals())
