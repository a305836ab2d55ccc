"""Network architectures: a registry of specs that build Equinox modules.

Every network maps a state ``(channel, *space)`` to a state of the same shape. To add one,
decorate a spec with :func:`network`; :class:`Sequential`, :class:`Hierarchical` and the blocks
and layers below are there to build it from.
"""

from apexr._doors import check_all
from apexr.kernels import bfloat16_products
from apexr.networks._activations import ACTIVATIONS
from apexr.networks._avit import AViT, AxialBlock, AxialTransformer
from apexr.networks._base import Layer, MakeLayer, Reach, Space
from apexr.networks._blocks import (
    DilatedBlock,
    DoubleConvBlock,
    PreactivationBlock,
    ResidualBlock,
)
from apexr.networks._cnext import CNeXt, ConvNeXtBlock, ConvNeXtUNet
from apexr.networks._conv import Conv, ConvNet
from apexr.networks._depthwise import DepthwiseConvolution
from apexr.networks._ffno import FFNO, FactorizedOperator, LineBlock
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
from apexr.networks._layers import (
    ChannelNorm,
    Convolution,
    GroupNorm,
    Pointwise,
    PointwiseMLP,
    UpConvolution,
)
from apexr.networks._localno import FiniteDifference, LocalBlock, LocalNO
from apexr.networks._mlp import MLP, Linear, Perceptron
from apexr.networks._operators import OperatorBlock, OperatorNetwork, SpectralOperator
from apexr.networks._patches import Patch, Unpatch
from apexr.networks._pure import Pure, Stencil
from apexr.networks._refiner import Refiner, RefinerSpec, Schedule, resampled
from apexr.networks._res import Dil, MoRes, Res
from apexr.networks._spectral import SpectralConv
from apexr.networks._statistics import NORMS, Moments, Scales, Statistics
from apexr.networks._tfno import TFNO
from apexr.networks._trans import Trans, Transformer, TransformerBlock
from apexr.networks._unet import MoUNet, UNet
from apexr.networks._unetmod import ModernUNet, NormedBlock, UNetMod
from apexr.networks._uno import UNO, UShapedOperator
from apexr.networks._wrappers import Bundle, Delta, History, Normalized, Wrapped, Wrapper

__all__ = [
    "ACTIVATIONS",
    "FFNO",
    "FNO",
    "MLP",
    "NETWORKS",
    "NORMS",
    "TFNO",
    "UNO",
    "AViT",
    "Activation",
    "AxialBlock",
    "AxialTransformer",
    "Bundle",
    "CNeXt",
    "ChannelNorm",
    "ChannelsSpec",
    "Conv",
    "ConvNeXtBlock",
    "ConvNeXtUNet",
    "ConvNet",
    "Convolution",
    "Delta",
    "DepthwiseConvolution",
    "Dil",
    "DilatedBlock",
    "DoubleConvBlock",
    "FactorizedOperator",
    "FiniteDifference",
    "GroupNorm",
    "Hierarchical",
    "History",
    "Layer",
    "LineBlock",
    "Linear",
    "LocalBlock",
    "LocalNO",
    "MakeLayer",
    "MoRes",
    "MoUNet",
    "ModernUNet",
    "Moments",
    "Network",
    "NetworkSpec",
    "Normalized",
    "NormedBlock",
    "OperatorBlock",
    "OperatorNetwork",
    "Patch",
    "Perceptron",
    "Pointwise",
    "PointwiseMLP",
    "PreactivationBlock",
    "Pure",
    "Reach",
    "Refiner",
    "RefinerSpec",
    "Res",
    "ResidualBlock",
    "Scales",
    "Schedule",
    "Sequential",
    "Space",
    "SpectralBlock",
    "SpectralConv",
    "SpectralOperator",
    "Statistics",
    "Stencil",
    "Trans",
    "Transformer",
    "TransformerBlock",
    "UNet",
    "UNetMod",
    "UShapedOperator",
    "Unpatch",
    "UpConvolution",
    "Wrapped",
    "Wrapper",
    "bfloat16_products",
    "network",
    "resampled",
]

check_all(globals())
