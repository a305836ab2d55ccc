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
from apexr.networks._unet import MoUNet, UNet

__all__ = [
    "ACTIVATIONS",
    "FNO",
    "MLP",
    "NETWORKS",
    "Activation",
    "Conv",
    "ConvNet",
    "Convolution",
    "Dil",
    "DilatedBlock",
    "DoubleConvBlock",
    "GroupNorm",
    "Hierarchical",
    "Layer",
    "Linear",
    "MakeLayer",
    "MoRes",
    "MoUNet",
    "Network",
    "NetworkSpec",
    "Perceptron",
    "Pointwise",
    "PreactivationBlock",
    "Pure",
    "Reach",
    "Res",
    "ResidualBlock",
    "Sequential",
    "Space",
    "SpectralBlock",
    "SpectralConv",
    "Stencil",
    "UNet",
    "UpConvolution",
    "bfloat16_products",
    "network",
]

check_all(globals())
