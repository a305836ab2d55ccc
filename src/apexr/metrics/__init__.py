"""Error measures of predicted states, by config string."""

from apexr.metrics._correlation import Correlation, PearsonCorrelation
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
    "Correlation",
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
    "MaximumError",
    "Metric",
    "NormalizedMAE",
    "NormalizedMSE",
    "NormalizedRMSE",
    "PearsonCorrelation",
    "SobolevMetric",
    "SpatialMetric",
    "SpectralMetric",
    "SymmetricMAE",
    "SymmetricMSE",
    "SymmetricRMSE",
    "metric",
    "parse_metrics",
]
