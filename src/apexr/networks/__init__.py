"""Network architectures: a registry of specs that build Equinox modules.

Every network maps a state ``(channel, *space)`` to a state of the same shape. To add one,
decorate a spec with :func:`network`.
"""

from apexr.networks._activations import ACTIVATIONS
from apexr.networks._conv import Conv, ConvNet
from apexr.networks._fno import FNO, FourierOperator
from apexr.networks._kind import (
    NETWORKS,
    Activation,
    Network,
    NetworkSpec,
    network,
)
from apexr.networks._layers import PeriodicConv, Pointwise
from apexr.networks._spectral import SpectralConv

__all__ = [
    "ACTIVATIONS",
    "FNO",
    "NETWORKS",
    "Activation",
    "Conv",
    "ConvNet",
    "FourierOperator",
    "Network",
    "NetworkSpec",
    "PeriodicConv",
    "Pointwise",
    "SpectralConv",
    "network",
]
