"""Random initial conditions, each with a config string, and sets of states drawn from them."""

from apexr.initial._clamp import Clamp
from apexr.initial._diffused import DiffusedNoise
from apexr.initial._fourier import TruncatedFourier
from apexr.initial._grf import GaussianRandomField
from apexr.initial._kind import INITIAL_CONDITIONS, InitialCondition, initial_condition
from apexr.initial._sample import sample_set

__all__ = [
    "INITIAL_CONDITIONS",
    "Clamp",
    "DiffusedNoise",
    "GaussianRandomField",
    "InitialCondition",
    "TruncatedFourier",
    "initial_condition",
    "sample_set",
]
