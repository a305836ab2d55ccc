"""Random initial conditions, each with a config string, and sets of states drawn from them."""

from apexr._doors import check_all
from apexr.initial._blobs import GaussianBlobs
from apexr.initial._channels import Channels, for_channels
from apexr.initial._clamp import Clamp
from apexr.initial._diffused import DiffusedNoise
from apexr.initial._discontinuities import Discontinuities
from apexr.initial._filtered_noise import NoiseField, NoiseFourier, drawn_from_noise
from apexr.initial._fourier import TruncatedFourier
from apexr.initial._fourier_modes import FourierModes
from apexr.initial._function import FunctionCondition, StateFunction
from apexr.initial._gray_scott import GrayScottBlobs
from apexr.initial._grf import GaussianRandomField
from apexr.initial._kind import INITIAL_CONDITIONS, InitialCondition, initial_condition
from apexr.initial._modes import Modes
from apexr.initial._sample import compile_samples, sample_from, sample_set
from apexr.initial._scaled import Scaled
from apexr.initial._sine_waves import SineWaves
from apexr.initial._white_noise import WhiteNoise

__all__ = [
    "INITIAL_CONDITIONS",
    "Channels",
    "Clamp",
    "DiffusedNoise",
    "Discontinuities",
    "FourierModes",
    "FunctionCondition",
    "GaussianBlobs",
    "GaussianRandomField",
    "GrayScottBlobs",
    "InitialCondition",
    "Modes",
    "NoiseField",
    "NoiseFourier",
    "Scaled",
    "SineWaves",
    "StateFunction",
    "TruncatedFourier",
    "WhiteNoise",
    "compile_samples",
    "drawn_from_noise",
    "for_channels",
    "initial_condition",
    "sample_from",
    "sample_set",
]

check_all(globals())
