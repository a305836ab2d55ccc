"""Error measures of predicted states, by config string."""

from apexr._doors import check_all
from apexr.metrics._conserved import (
    Divergence,
    EnergyError,
    EnstrophyError,
    MassError,
    TotalEnergy,
    TotalEnstrophy,
    TotalMass,
)
from apexr.metrics._correlation import Correlation, PearsonCorrelation
from apexr.metrics._domain import ChannelKind, DomainMetric, Fields, OnDomain, on_domain
from apexr.metrics._fourier import (
    FourierMAE,
    FourierMetric,
    FourierMSE,
    FourierNormalizedMAE,
    FourierNormalizedMSE,
    FourierNormalizedRMSE,
    FourierRMSE,
)
from apexr.metrics._kind import METRICS, Metric, metric, parse_metrics
from apexr.metrics._maximum import MaximumError
from apexr.metrics._measuring import measuring
from apexr.metrics._per_channel import PerChannel
from apexr.metrics._sobolev import (
    H1MAE,
    H1MSE,
    H1RMSE,
    H1NormalizedMAE,
    H1NormalizedMSE,
    H1NormalizedRMSE,
    SobolevMetric,
)
from apexr.metrics._spatial import (
    MAE,
    MSE,
    RMSE,
    JointMAE,
    JointMSE,
    JointNormalizedMAE,
    JointNormalizedMSE,
    JointNormalizedRMSE,
    JointRMSE,
    NormalizedMAE,
    NormalizedMSE,
    NormalizedRMSE,
    SpatialMetric,
    SymmetricMAE,
    SymmetricMSE,
    SymmetricRMSE,
)
from apexr.metrics._spectral import SpectralMetric
from apexr.metrics._variance import VRMSE

__all__ = [
    "H1MAE",
    "H1MSE",
    "H1RMSE",
    "MAE",
    "METRICS",
    "MSE",
    "RMSE",
    "VRMSE",
    "ChannelKind",
    "Correlation",
    "Divergence",
    "DomainMetric",
    "EnergyError",
    "EnstrophyError",
    "Fields",
    "FourierMAE",
    "FourierMSE",
    "FourierMetric",
    "FourierNormalizedMAE",
    "FourierNormalizedMSE",
    "FourierNormalizedRMSE",
    "FourierRMSE",
    "H1NormalizedMAE",
    "H1NormalizedMSE",
    "H1NormalizedRMSE",
    "JointMAE",
    "JointMSE",
    "JointNormalizedMAE",
    "JointNormalizedMSE",
    "JointNormalizedRMSE",
    "JointRMSE",
    "MassError",
    "MaximumError",
    "Metric",
    "NormalizedMAE",
    "NormalizedMSE",
    "NormalizedRMSE",
    "OnDomain",
    "PearsonCorrelation",
    "PerChannel",
    "SobolevMetric",
    "SpatialMetric",
    "SpectralMetric",
    "SymmetricMAE",
    "SymmetricMSE",
    "SymmetricRMSE",
    "TotalEnergy",
    "TotalEnstrophy",
    "TotalMass",
    "measuring",
    "metric",
    "on_domain",
    "parse_metrics",
]

check_all(globals())
