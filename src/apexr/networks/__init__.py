"""Network architectures: a registry of specs that build Equinox modules.

Every network maps a state ``(channel, *space)`` to a state of the same shape. To add one,
decorate a spec with :func:`network`; :class:`Sequential`, :class:`Hierarchical` and the blocks
and layers below are there to build it from.
"""

from apexr._doors import check_all
from apexr.networks._activations import ACTIVATIONS
from apexr.networks._base import Layer, MakeLayer, Reach, Space
from apexr.networks._blocks import (
    DilatedBlock,
    DoubleConvBlock,
    PreactivationBlock,
    ResidualBlock,
)
from apexr.networks._conv import Conv, ConvNet
from apexr.networks._fno import FNO, SpectralBlock
from apexr.networks._generic import Hierarchical, Sequential
from apexr.networks._kind import (
    NETWORKS,
    Activation,
    ChannelsSpec,
    Network,
    NetworkSpec,
    network,
)
from apexr.networks._layers import Convolution, GroupNorm, Pointwise, UpConvolution
from apexr.networks._mlp import MLP, Linear, Perceptron
from apexr.networks._pure import Pure, Stencil
from apexr.networks._res import Dil, MoRes, Res
from apexr.networks._rounded import bfloat16_products
from apexr.networks._spectral import SpectralConv
from apexr.networks._statistics import NORMS, Moments, Scales, Statistics
from apexr.networks._unet import MoUNet, UNet
from apexr.networks._wrappers import Bundle, Delta, History, Normalized, Wrapped, Wrapper

__all__ = [
    "ACTIVATIONS",
    "FNO",
    "MLP",
    "NETWORKS",
    "NORMS",
    "Activation",
    "Bundle",
    "ChannelsSpec",
    "Conv",
    "ConvNet",
    "Convolution",
    "Delta",
    "Dil",
    "DilatedBlock",
    "DoubleConvBlock",
    "GroupNorm",
    "Hierarchical",
    "History",
    "Layer",
    "Linear",
    "MakeLayer",
    "MoRes",
    "MoUNet",
    "Moments",
    "Network",
    "NetworkSpec",
    "Normalized",
    "Perceptron",
    "Pointwise",
    "PreactivationBlock",
    "Pure",
    "Reach",
    "Res",
    "ResidualBlock",
    "Scales",
    "Sequential",
    "Space",
    "SpectralBlock",
    "SpectralConv",
    "Statistics",
    "Stencil",
    "UNet",
    "UpConvolution",
    "Wrapped",
    "Wrapper",
    "bfloat16_products",
    "network",
]

check_all(globals())
